//! The orderly end. Each test runs itself again as a small server, in a process of its own: it is
//! that process that ends. The command that the server runs sends the signals itself (to `$PPID`):
//! it certainly runs when they come.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, exit};
use std::thread;
use std::time::{Duration, Instant};

use observe::Socket;
use shell::{Caller, GRACE, Limits, Stop, Wake, run};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), max_output: 1 << 20 };

#[test]
fn whoever_waits_is_woken_and_may_end_as_it_likes() {
    let server = |stop: &Stop| {
        let waiting = ["first", "second"].map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                let (_client, server) = connection();
                stop.wait_readable(&server, None).unwrap()
            })
        });
        assert!(!stop.requested());
        let (client, ended) = connection();
        drop(client);
        assert_eq!(stop.wait_readable(&ended, None).unwrap(), Wake::Ready, "the end of the stream");
        let (client, quiet) = connection();
        let too_late = stop.wait_readable(&quiet, Some(Duration::from_millis(1))).unwrap_err();
        assert_eq!(too_late.kind(), ErrorKind::TimedOut);

        let (_client, socket) = connection();
        assert_eq!(
            run(b"kill -TERM $PPID; echo done", &LIMITS, &Caller::of(&socket)).unwrap().stdout,
            b"done\n"
        );
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), Wake::Stopping);
        }
        drop(client);
        assert_eq!(
            stop.wait_readable(&quiet, None).unwrap(),
            Wake::Stopping,
            "it comes before what is ready as well"
        );
        assert!(stop.requested());
        exit(42);
    };
    let (code, _, _) = outcome("whoever_waits_is_woken_and_may_end_as_it_likes", server);
    assert_eq!(code, Some(42));
}

#[test]
fn when_the_grace_is_over_commands_are_killed() {
    let server = |_: &Stop| stubborn("kill -TERM $PPID");
    let (code, leftover, time) = outcome("when_the_grace_is_over_commands_are_killed", server);
    assert_eq!((code, leftover.as_str()), (Some(0), "started\n"));
    assert!(time >= GRACE, "{time:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = |_: &Stop| stubborn("kill -TERM $PPID; kill -INT $PPID");
    let (code, leftover, _) = outcome("a_second_signal_ends_it_at_once", server);
    assert_eq!((code, leftover.as_str()), (Some(130), "started\n"));
}

/// Does not stop for anything; says so into the FIFO if it is left alone.
fn stubborn(signals: &str) {
    let (_client, socket) = connection();
    let command =
        format!("exec 3>\"$FIFO\"; echo started >&3; {signals}; sleep 20; echo survived >&3");
    run(command.as_bytes(), &LIMITS, &Caller::of(&socket)).unwrap();
    thread::park(); // killed, and yet the server goes on: only the end of the process ends it
}

/// Runs `server` in a process of its own: its exit code, what was written into the FIFO until
/// nobody held it any more, and how long it took.
fn outcome(name: &str, server: impl Fn(&Stop)) -> (Option<i32>, String, Duration) {
    if std::env::var_os("FIFO").is_some() {
        server(&Stop::on_signals().unwrap());
        exit(99);
    }
    let fifo =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Held open for both, so that a server that never opens it does not hold up the test.
    let both = fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let mut reader = fs::File::open(&fifo).unwrap();
    let started = Instant::now();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("FIFO", &fifo)
        .status()
        .unwrap();
    let time = started.elapsed();
    drop(both);
    let mut leftover = String::new();
    reader.read_to_string(&mut leftover).unwrap();
    fs::remove_file(fifo).unwrap();
    (status.code(), leftover, time)
}

fn connection() -> (TcpStream, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, Socket::inherited(listener.accept().unwrap().0.into()))
}
