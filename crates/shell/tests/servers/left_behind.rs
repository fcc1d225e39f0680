//! Nothing is left running, and nothing reaches the terminal, on a real pseudo-terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use socket2::SockRef;
use stage::Scratch;

use crate::held::Held;
use crate::process::{holds, until};
use crate::rows::{LONG, ROWS, Row, connect, for_each_row};

/// A server that has a terminal.
struct OnTerminal {
    server: Child,
    stdout: ChildStdout,
    /// The terminal's other end, where a person would sit.
    screen: Option<OwnedFd>,
    address: String,
}

impl OnTerminal {
    fn start(row: &Row, args: &[&str], folder: &Path) -> OnTerminal {
        let screen =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let terminal = open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let inside = row.command(args);
        // util-linux's setsid makes its standard input the terminal of a new session.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(inside.get_program()).args(inside.get_args());
        command.args(["--listen", "127.0.0.1:0"]).env("TMPDIR", folder);
        command.stdin(Stdio::from(terminal)).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let mut stdout = server.stdout.take().unwrap();
        let mut line = Vec::new();
        let mut byte = [0];
        while line.last() != Some(&b'\n') {
            assert_ne!(stdout.read(&mut byte).unwrap(), 0, "{}", row.name());
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        OnTerminal { server, stdout, screen: Some(screen), address }
    }

    fn typed(&self, keys: &[u8]) {
        rustix::io::write(self.screen.as_ref().unwrap(), keys).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.server), signal).unwrap();
    }
}

#[test]
fn a_command_has_no_terminal() {
    let scratch = Scratch::new().unwrap();
    for_each_row(ROWS, |row| {
        let mut running = OnTerminal::start(&row, &[], scratch.path());
        let asked = Instant::now();
        for command in ["echo painted >/dev/tty", "cat </dev/tty", "stty raw </dev/tty"] {
            let mut conn = connect(&running.address);
            let heard = row.ask(&mut conn, command);
            assert!(heard.contains("/dev/tty"), "{}: {command}: {heard}", row.name());
        }
        assert!(asked.elapsed() < LONG / 2, "{}: {:?}", row.name(), asked.elapsed());
        running.signal(Signal::TERM);
        running.server.wait().unwrap();
        // Nobody holds the terminal open: everything that was written can be read, and then the end.
        let mut painted = Vec::new();
        let _ = File::from(running.screen.unwrap()).read_to_end(&mut painted);
        let painted = String::from_utf8_lossy(&painted);
        assert!(!painted.contains("painted"), "{}: {painted}", row.name());
    });
}

#[test]
fn nothing_is_left_however_the_server_ends() {
    let scratch = Scratch::new().unwrap();
    for_each_row(ROWS, |row| {
        for end in ["hang-up", "Ctrl-C", "Ctrl-\\", "TERM", "HUP", "QUIT", "KILL"] {
            let what = format!("{}, {end}", row.name());
            // Where a server would put temporary files.
            let name = what.replace(|letter: char| !letter.is_alphanumeric(), "-");
            let folder = scratch.path().join(name);
            fs::create_dir(&folder).unwrap();
            let mut held = Held::new(&folder, "held");
            let mut running = OnTerminal::start(&row, &["--timeout", "600"], &folder);
            let mut conn = connect(&running.address);
            conn.write_all(&row.request(&held.command())).unwrap();
            held.wait_until_begun();
            match end {
                "hang-up" => running.screen = None,
                "Ctrl-C" => running.typed(b"\x03"),
                "Ctrl-\\" => running.typed(b"\x1c"),
                "TERM" => running.signal(Signal::TERM),
                "HUP" => running.signal(Signal::HUP),
                "QUIT" => running.signal(Signal::QUIT),
                _ => running.signal(Signal::KILL),
            }
            // Told twice, it doesn't wait for what runs: that would take 600 s.
            if end != "KILL" {
                running.signal(Signal::TERM);
            }
            let code = running.server.wait().unwrap().code();
            let expected: &[Option<i32>] =
                if end == "KILL" { &[None] } else { &[Some(0), Some(130)] };
            assert!(expected.contains(&code), "{what}: {code:?}");
            // The command has ended, and so has whatever held the server's output.
            held.wait_until_gone();
            let _ = running.stdout.read_to_end(&mut Vec::new());
            fs::remove_dir(&folder).unwrap();
        }
    });
}

#[test]
fn a_command_ends_with_its_client() {
    for_each_row(ROWS, |row| {
        let scratch = Scratch::new().unwrap();
        let server = row.start(&["--timeout", "600"]);
        let address = server.address().unwrap();
        let mut held = Held::new(scratch.path(), "held");
        let mut conn = connect(&address);
        conn.write_all(&row.request(&held.command())).unwrap();
        held.wait_until_begun();
        // Closed with this, it is reset.
        SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
        drop(conn);
        held.wait_until_gone();
        assert_eq!(row.echo(&address), "hi\n", "{}", row.name());
    });
}

/// 11,000 connections that come and go, and 1,100 commands, over all rows: afterwards no server holds more than before.
#[test]
fn many_clients_leave_nothing() {
    for_each_row(ROWS, |row| {
        let server = row.start(&[]);
        let address = server.address().unwrap();
        // A server keeps what it opens for its first client, and its watchdog, since it ran a command that takes a while.
        let mut first = connect(&address);
        assert_eq!(row.ask(&mut first, "sleep 0.3; echo hi"), "hi\n", "{}", row.name());
        let with_one = holds(server.pid());
        drop(first);
        for _ in 0..1000 {
            drop(connect(&address));
        }
        let mut conn = connect(&address);
        for number in 0..100 {
            let answer = row.ask(&mut conn, &format!("echo {number}"));
            assert_eq!(answer, format!("{number}\n"), "{}", row.name());
        }
        // One client is connected now, as before; all others have left.
        until(|| holds(server.pid()).iter().zip(with_one).all(|(now, then)| *now <= then));
    });
}
