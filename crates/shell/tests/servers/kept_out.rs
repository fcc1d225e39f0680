//! The owner is always served, and nothing hangs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};
use stage::Scratch;

use crate::held::Held;
use crate::process::resident;
use crate::rows::{LONG, ROWS, Row, connect, for_each_row, rest};
use crate::users::{Holding, STRANGER, can_be_another, play_part};

/// Of what size their pipes are (otherwise 64 KiB), and more lines than fit: `from 127.0.0.1:12345`
/// is one of the shortest.
const PIPE: usize = 4096;
const LINES: usize = PIPE / 21 + 100;

/// A server whose stdout and stderr are pipes that nobody reads, except for the first line.
struct Unread {
    server: Child,
    address: String,
    _stdout: Box<dyn Read>,
}

impl Unread {
    fn start(row: &Row) -> Unread {
        let mut command = row.command(&["--listen", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.process_group(0).spawn().unwrap();
        // A byte at a time, so that nothing is read ahead.
        let mut stdout = server.stdout.take().unwrap();
        for pipe in [stdout.as_fd(), server.stderr.as_ref().unwrap().as_fd()] {
            rustix::pipe::fcntl_setpipe_size(pipe, PIPE).unwrap();
        }
        let mut line = String::new();
        BufReader::with_capacity(1, &mut stdout).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        Unread { server, address, _stdout: Box::new(stdout) }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.server), Signal::KILL);
        let _ = self.server.wait();
    }
}

#[test]
fn unread_stdout_stops_nobody() {
    for_each_row(ROWS, |row| {
        let server = Unread::start(&row);
        for _ in 0..LINES {
            assert_eq!(rest(&mut connect(&server.address)), "");
        }
        let asked = Instant::now();
        assert_eq!(row.echo(&server.address), "hi\n", "{}", row.name());
        assert!(asked.elapsed() < LONG / 4, "{}: {:?}", row.name(), asked.elapsed());
    });
}

/// A client that breaks the protocol costs the server a line on stderr.
#[test]
fn unread_stderr_stops_nobody() {
    for_each_row(ROWS.into_iter().filter(|row| !row.raw), |row| {
        let server = Unread::start(&row);
        // Such a line has more than 80 bytes.
        for _ in 0..LINES / 4 {
            let mut conn = connect(&server.address);
            conn.write_all(b"\xff\xff\xff\xff").unwrap();
            assert_eq!(conn.read_to_end(&mut Vec::new()).unwrap(), 0);
        }
        let asked = Instant::now();
        assert_eq!(row.echo(&server.address), "hi\n", "{}", row.name());
        assert!(asked.elapsed() < LONG / 4, "{}: {:?}", row.name(), asked.elapsed());
    });
}

/// Sixty strangers connect, send a request, and neither read nor close.
#[test]
fn strangers_who_hold_on_cost_the_owner_nothing() {
    let test = "kept_out::strangers_who_hold_on_cost_the_owner_nothing";
    play_part();
    if !can_be_another(test) {
        return;
    }
    for row in ROWS {
        let limit: &[&str] = if row.is_model() { &["--max-connections", "16"] } else { &[] };
        let server = row.start(limit);
        let address = server.address().unwrap();
        // Stopped, so that all of them wait in its queue in front of the owner.
        server.signal(stage::Signal::STOP);
        let strangers = Holding::start(test, 60, &address, &row.request("echo no"));
        server.signal(stage::Signal::CONT);
        let asked = Instant::now();
        for _ in 0..5 {
            assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
        }
        // Sixty lingering closes, one after the other, would take a minute.
        let took = asked.elapsed();
        assert!(took < LONG / 4, "{}: {took:?}", row.name());
        drop(strangers);
    }
}

/// A folder that everybody can enter, with copies of programs in it.
struct Public(PathBuf);

impl Public {
    fn new() -> Public {
        let path = std::env::temp_dir().join(format!("public-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o755).create(&path).unwrap();
        Public(path)
    }

    fn copy(&self, program: &Path, name: &str, mode: u32) -> PathBuf {
        let copy = self.0.join(name);
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).unwrap();
        copy
    }
}

impl Drop for Public {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A command that becomes root, as with sudo: the server belongs to another user and may not kill it.
#[test]
fn a_command_that_cannot_be_killed_holds_nobody() {
    if !can_be_another("kept_out::a_command_that_cannot_be_killed_holds_nobody") {
        return;
    }
    let public = Public::new();
    let become_root = public.copy(Path::new("/usr/bin/setpriv"), "become-root", 0o4755);
    let command = format!("echo begun; exec {} --reuid 0 sleep 601", become_root.display());
    // All before the first of them starts: a file that is open for writing can't be executed.
    for row in ROWS {
        let program = row.program();
        public.copy(&program, program.file_name().unwrap().to_str().unwrap(), 0o755);
    }
    for_each_row(ROWS, |row| {
        let mut server = Command::new("setpriv");
        server.args(["--reuid", STRANGER, "--regid", STRANGER, "--clear-groups"]);
        server.arg(public.0.join(row.program().file_name().unwrap()));
        server.args(row.command(&["--timeout", "3"]).get_args());
        let server = row.start_as(&mut server);
        // The owner of this server is the stranger: it asks through the program of that user.
        let asked = Instant::now();
        let heard = as_owner(&row, &server.address().unwrap(), &command);
        assert!(heard.contains("could not be killed"), "{}: {heard}", row.name());
        assert_eq!(as_owner(&row, &server.address().unwrap(), "echo hi"), "hi\n");
        assert!(asked.elapsed() < LONG / 2, "{}: {:?}", row.name(), asked.elapsed());
    });
    end_survivors();
}

/// What the server's own client prints, run as the server's user.
fn as_owner(row: &Row, address: &str, command: &str) -> String {
    let mut client = Command::new("setpriv");
    client.args(["--reuid", STRANGER, "--regid", STRANGER, "--clear-groups", "/proc/self/fd/0"]);
    client.stdin(Stdio::from(File::open(row.client_program()).unwrap()));
    let done = client.args(row.client_args(address)).args(["-c", command]).output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// What no server can end, root ends. Other tests sleep for another time.
fn end_survivors() {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        if line == b"sleep\x00601\0"
            && let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok())
            && let Ok(marks) = fs::read_to_string(entry.path().join("environ"))
            && marks.contains("UNSTUCK_STARTED_BY")
        {
            let _ = rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
        }
    }
}

/// Eight commands hold all permits; those of clients that leave meanwhile never run.
#[test]
fn a_command_of_a_client_that_has_left_does_not_start() {
    for_each_row(ROWS.into_iter().filter(Row::is_concurrent), |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let mut held: Vec<(Held, TcpStream)> = (0..8)
            .map(|number| {
                let mut held = Held::new(scratch.path(), &format!("{number}"));
                let mut conn = connect(&address);
                conn.write_all(&row.request(&held.command())).unwrap();
                held.wait_until_begun();
                (held, conn)
            })
            .collect();
        let proof = |number| scratch.path().join(format!("ran-{number}"));
        for number in 0..8 {
            let mut conn = connect(&address);
            conn.write_all(&row.request(&format!(": >{}", proof(number).display()))).unwrap();
        }
        // The last in the queue is still there: once it is answered, all before it are decided.
        let mut last = connect(&address);
        last.write_all(&row.request("echo last")).unwrap();
        for (held, conn) in held.drain(..) {
            drop(conn);
            held.wait_until_gone();
        }
        assert_eq!(row.hear(&mut last), "last\n", "{}", row.name());
        let ran = (0..8).filter(|number| proof(*number).exists()).count();
        assert_eq!(ran, 0, "{}: {ran} of 8 ran", row.name());
    });
}

/// Thirty requests of 16 MiB, and thirty such answers: while their clients idle, the server keeps none of that
/// memory.
#[test]
fn the_memory_of_large_messages_comes_back() {
    const CLIENTS: usize = 30;
    const LARGE: usize = 16 << 20;
    for row in ROWS.iter().filter(|row| row.is_concurrent()) {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        let mut idle: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(&address)).collect();
        for conn in &mut idle {
            assert_eq!(row.ask(conn, "echo hi"), "hi\n");
        }
        let before = resident(server.pid());
        for conn in &mut idle {
            let answer = row.ask(conn, &format!("head -c {} /dev/zero", LARGE - 1));
            assert_eq!(answer.len(), LARGE - 1, "{}", row.name());
        }
        let request = row.request(&"x".repeat(LARGE));
        for conn in &mut idle {
            // The rest isn't read: the end may come before all of it is sent.
            let _ = conn.write_all(&request);
            assert!(row.hear(conn).contains("at most"), "{}", row.name());
        }
        // We wait for it as long as a busy machine may need.
        let until = Instant::now() + LONG;
        let enough = before + 64 * 1024;
        while resident(server.pid()) > enough && Instant::now() < until {
            assert_eq!(row.echo(&address), "hi\n");
        }
        let after = resident(server.pid());
        assert!(after <= enough, "{}: {before} KiB, then {after} KiB", row.name());
    }
}
