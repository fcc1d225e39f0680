//! Commands that misbehave, on a real connection.
//!
//! How a test sees that nothing of a command is left: the command opens a FIFO for writing, and the
//! test reads it to its end, which it reaches when the last process that holds the FIFO is gone. A survivor
//! would write into it first.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use observe::Socket;
use proto::json::Status;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shell::{Deadline, Limits, MAX_COMMAND, Output, Peer, PeerGone, run};

/// A command must be far quicker than this; anything left of it would sleep this long.
const LONG: Duration = Duration::from_secs(20);

const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), max_output: 16 << 20 };

#[test]
fn what_it_says_and_how_it_ends() {
    let exit = Status::Exit;
    for (command, stdout, stderr, status) in [
        ("true", "", "", exit(0)),
        ("echo hi", "hi\n", "", exit(0)),
        ("echo out; echo err >&2; exit 7", "out\n", "err\n", exit(7)),
        ("kill -9 $$", "", "", Status::Signal { signal: 9 }),
        ("echo a\necho b", "a\nb\n", "", exit(0)),
        ("cat", "", "", exit(0)), // sees the end of its input at once
        ("exec >&- 2>&-; sleep 0.1; exit 3", "", "", exit(3)),
        ("-", "", "sh: ", exit(127)), // a command that begins with a dash is not an option
    ] {
        let output = run_here(command.as_bytes(), &LIMITS);
        let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!((&*said[0], output.status), (stdout, Some(status)), "{command}");
        if stderr.is_empty() {
            assert_eq!(said[1], "", "{command}");
        } else {
            assert!(said[1].contains(stderr), "{command}: {}", said[1]);
        }
        assert!(!output.truncated && !output.timed_out, "{command}");
    }
    assert_eq!(run_here(b"printf '%s' \xff\xfe", &LIMITS).stdout, b"\xff\xfe", "bytes, not text");
}

#[test]
fn a_mebibyte_on_both_pipes() {
    let output =
        run_here(b"head -c 1048576 /dev/zero >&2; head -c 1048576 /dev/zero; echo end", &LIMITS);
    assert_eq!((output.stdout.len(), output.stderr.len()), (1_048_576 + 4, 1_048_576));
    assert!(output.stdout.ends_with(b"end\n"));
    assert_eq!(output.status, Some(Status::Exit(0)));
}

#[test]
fn a_deadline_kills_the_group_and_keeps_what_was_said() {
    let (fifo, leftover) = witness("deadline");
    let command = format!(
        "echo started; exec 3>{fifo}; (sleep 20; echo survived >&3) & sleep 20; echo survived >&3"
    );
    let output =
        run_here(command.as_bytes(), &Limits { timeout: Duration::from_millis(400), ..LIMITS });
    assert_eq!(
        output,
        Output {
            stdout: b"started\n".into(),
            stderr: vec![],
            status: Some(Status::Signal { signal: 9 }),
            truncated: false,
            timed_out: true
        }
    );
    assert_eq!(leftover.join().unwrap(), "");
}

#[test]
fn endless_output_is_cut_at_the_limit() {
    let output = run_here(b"yes", &Limits { max_output: 100_000, ..LIMITS });
    assert_eq!((output.stdout.len(), output.status), (100_000, Some(Status::Signal { signal: 9 })));
    assert!(output.truncated && !output.timed_out);

    let ten = Limits { max_output: 10, ..LIMITS };
    let exact = run_here(b"printf 12345; printf 67890 >&2", &ten);
    assert_eq!(
        (exact.stdout.len() + exact.stderr.len(), exact.truncated),
        (10, false),
        "exactly the limit is whole"
    );
    let over = run_here(b"printf 12345; printf 678901 >&2", &ten);
    assert_eq!(
        (over.stdout.len() + over.stderr.len(), over.truncated),
        (10, true),
        "both count together"
    );
}

#[test]
fn a_child_in_the_background_neither_holds_the_answer_nor_survives() {
    let (fifo, leftover) = witness("background");
    let command = format!("exec 3>{fifo}; (sleep 20; echo survived >&3) & echo hi");
    let started = Instant::now();
    let output = run_here(command.as_bytes(), &LIMITS);
    assert!(started.elapsed() < LONG / 4, "held for {:?}", started.elapsed());
    assert_eq!(
        (output.stdout.as_slice(), output.status),
        (b"hi\n".as_slice(), Some(Status::Exit(0)))
    );
    assert!(!output.timed_out && !output.truncated);
    assert_eq!(leftover.join().unwrap(), "");

    // A child that closes the pipes doesn't delay the answer at all, and is killed anyway.
    let (fifo, leftover) = witness("background-quiet");
    let command = format!("exec 3>{fifo}; (sleep 20; echo survived >&3) >/dev/null 2>&1 & echo hi");
    assert_eq!(run_here(command.as_bytes(), &LIMITS).stdout, b"hi\n");
    assert_eq!(leftover.join().unwrap(), "");
}

#[test]
fn a_child_in_a_session_of_its_own_does_not_hold_the_answer() {
    if Command::new("setsid").arg("true").status().is_err() {
        eprintln!("skipped: no setsid here");
        return;
    }
    let started = Instant::now();
    assert_eq!(run_here(b"setsid sleep 10 & echo hi", &LIMITS).stdout, b"hi\n");
    assert!(started.elapsed() < Duration::from_secs(5), "held for {:?}", started.elapsed());
}

#[test]
fn the_longest_command_runs_and_no_longer_one() {
    let command = |length: usize| format!(": {}", "x".repeat(length - 2));
    let longest = run_here(command(MAX_COMMAND).as_bytes(), &LIMITS);
    assert_eq!(longest, Output::default());
    // Longer ones fail because of Linux's limit, which is the reason for ours.
    if cfg!(target_os = "linux") {
        let longer = run_here(command(MAX_COMMAND + 1).as_bytes(), &LIMITS);
        assert_eq!(longer.status, Some(Status::Exit(126)));
    }
}

#[test]
fn what_cannot_be_run_is_an_answer() {
    for (command, why) in [(b"echo a\0b".to_vec(), "nul byte"), (vec![b'x'; 4 << 20], "too long")] {
        let output = run_here(&command, &LIMITS);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.starts_with("cannot run this command: ") && stderr.contains(why),
            "{stderr}"
        );
        assert_eq!(
            (stderr.lines().count(), output.stdout.len(), output.status),
            (1, 0, Some(Status::Exit(126)))
        );
    }
    assert_eq!(run_here(b"echo still here", &LIMITS).stdout, b"still here\n");
}

/// In a process of its own, because the limit applies to the whole process.
#[test]
fn without_descriptors_it_is_an_answer_too() {
    let name = "without_descriptors_it_is_an_answer_too";
    if std::env::var_os(name).is_none() {
        assert!(again(name).success());
        return;
    }
    let (client, server) = connection();
    let peer = Peer::of(&server);
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(6), ..limit }).unwrap();
    let output = run(b"echo hi", &LIMITS, &peer).unwrap();
    setrlimit(Resource::Nofile, limit).unwrap();

    // Nothing could be started here; for a peer that has left, nothing is even tried.
    let (gone, left) = connection();
    rustix::net::sockopt::set_socket_linger(&gone, Some(Duration::ZERO)).unwrap();
    drop(gone);
    setrlimit(Resource::Nofile, Rlimit { current: Some(6), ..limit }).unwrap();
    assert_eq!(run(b"echo hi", &LIMITS, &Peer::of(&left)), Err(PeerGone));
    setrlimit(Resource::Nofile, limit).unwrap();

    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("Too many open files") && output.status == Some(Status::Exit(126)),
        "{stderr}"
    );
    assert_eq!(run(b"echo hi", &LIMITS, &peer).unwrap().stdout, b"hi\n");
    drop(client);
}

#[test]
fn a_peer_that_resets_takes_the_command_along() {
    assert_gone("reset", |client| {
        rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
        drop(client);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_peer_that_closes_takes_the_command_along() {
    assert_gone("close", drop);
    // First the half, then the rest: the FIN came long before.
    assert_gone("close-later", |client| {
        client.shutdown(Shutdown::Write).unwrap();
        drop(client);
    });
}

/// After its FIN a peer sends nothing more, and yet we notice when it has left.
#[test]
#[cfg(target_os = "linux")]
fn a_peer_that_closes_long_after_its_fin_takes_the_command_along() {
    assert_gone("close-much-later", |client| {
        client.shutdown(Shutdown::Write).unwrap();
        // This isn't a wait for something: it lets the first look, after the FIN, find the peer still there.
        thread::sleep(Duration::from_millis(400));
        drop(client);
    });
}

#[test]
fn who_waits_for_something_else_is_told_when_the_peer_leaves() {
    let soon = || Deadline::after(Duration::from_millis(20));
    let (client, server) = connection();
    let peer = Peer::of(&server);
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let asked = Instant::now();
    assert_eq!(peer.wait_readable(&theirs, soon()), Ok(false), "its time is over");
    assert!(asked.elapsed() >= Duration::from_millis(20));
    ours.write_all(b"x").unwrap();
    assert_eq!(peer.wait_readable(&theirs, Deadline::after(LONG)), Ok(true));
    // What the peer itself sends doesn't matter here.
    (&client).write_all(b"the next request").unwrap();
    assert_eq!(peer.wait_readable(&theirs, Deadline::after(LONG)), Ok(true));
    (&theirs).read_exact(&mut [0]).unwrap();
    assert_eq!(peer.wait_readable(&theirs, soon()), Ok(false));

    rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    drop(client);
    assert_eq!(peer.wait_readable(&theirs, Deadline::after(LONG)), Err(PeerGone));
    assert!(asked.elapsed() < LONG);
}

#[test]
fn a_peer_that_only_stops_sending_gets_the_answer() {
    let (client, server) = connection();
    client.shutdown(Shutdown::Write).unwrap();
    // Long enough for more than one look at the peer.
    let output = run(b"sleep 0.7; echo alive", &LIMITS, &Peer::of(&server)).unwrap();
    assert_eq!(output.stdout, b"alive\n");
}

/// Requests that wait in the socket neither keep waking the loop nor count as the peer's end.
#[test]
#[cfg(target_os = "linux")]
fn a_waiting_peer_costs_no_time() {
    let (mut client, server) = connection();
    std::io::Write::write_all(&mut client, b"the next command").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let peer = Peer::of(&server);
    let switches = || {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
        line.split_whitespace().last().unwrap().parse::<u64>().unwrap()
    };
    let ticks = || {
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        stat.split_whitespace()
            .skip(13)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum::<u64>()
    };
    let before = (switches(), ticks());
    run(b"sleep 1", &LIMITS, &peer).unwrap();
    let after = (switches(), ticks());
    assert!(after.0 - before.0 < 50, "woke {} times in a second", after.0 - before.0);
    assert!(after.1 - before.1 < 20, "{} ticks of CPU in a second: it spins", after.1 - before.1);
}

/// Runs a command that would go on, lets the client `leave` once it has started, and sees it
/// killed.
fn assert_gone(name: &str, leave: impl FnOnce(TcpStream)) {
    let (fifo, leftover) = witness(name);
    let (client, server) = connection();
    let command = format!("exec 3>{fifo}; sleep 20; echo survived >&3");
    let (answer, end) = mpsc::channel();
    let handler = thread::spawn(move || {
        let result = run(command.as_bytes(), &LIMITS, &Peer::of(&server));
        answer.send((result, Instant::now())).unwrap();
    });
    // Opened by the command: it runs.
    leftover.started();
    let left = Instant::now();
    leave(client);
    let (result, at) = end.recv().unwrap();
    assert_eq!(result, Err(PeerGone), "{name}");
    assert!(at - left < LONG / 4, "{name}: {:?}", at - left);
    assert_eq!(leftover.join().unwrap(), "");
    handler.join().unwrap();
}

struct Leftover {
    started: mpsc::Receiver<()>,
    text: thread::JoinHandle<String>,
}

impl Leftover {
    fn started(&self) {
        self.started.recv().unwrap();
    }

    /// Waits for the last process that holds the FIFO.
    fn join(self) -> thread::Result<String> {
        self.text.join()
    }
}

/// A FIFO for a command to hold, and what is written into it.
fn witness(name: &str) -> (String, Leftover) {
    let fifo =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    fs::remove_file(&fifo).ok();
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let path = fifo.to_str().unwrap().to_owned();
    let (opened, started) = mpsc::channel();
    let text = thread::spawn(move || {
        // Waits until the command opens it.
        let held = fs::File::open(&fifo).unwrap();
        fs::remove_file(&fifo).unwrap();
        opened.send(()).ok();
        std::io::read_to_string(held).unwrap()
    });
    (format!("'{path}'"), Leftover { started, text })
}

fn run_here(command: &[u8], limits: &Limits) -> Output {
    let (_client, server) = connection();
    run(command, limits, &Peer::of(&server)).unwrap()
}

fn connection() -> (TcpStream, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, Socket::inherited(listener.accept().unwrap().0.into()))
}

/// Runs one test of this file again, in a process of its own.
fn again(name: &str) -> ExitStatus {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(name, "1")
        .status()
        .unwrap();
    assert_eq!(status.signal(), None);
    status
}
