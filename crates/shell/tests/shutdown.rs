//! The clean end. Each test runs itself again as a small server, in a process of its own: that
//! process ends. The command that the server runs sends the signals itself (to `$PPID`),
//! so it is certainly running when they arrive.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, exit};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use observe::Socket;
use proto::request::RequestForm;
use shell::{Deadline, GRACE, LINGER, Limits, Output, Peer, ServerArgs, SessionEnd, Shutdown, run};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(60), max_output: 1 << 20 };

#[test]
fn a_recv_that_waits_returns_0_and_the_process_ends_with_the_last_connection() {
    let server = |shutdown: &Shutdown| {
        let (_client, conn) = connection();
        let conn = shutdown.watch(conn).unwrap();
        let (mut other_client, other) = connection();
        let waits = thread::spawn(move || other.recv(&mut [0]).unwrap());
        assert!(!shutdown.told());
        let output = run(b"kill -TERM $PPID; echo done", &LIMITS, &Peer::of(&conn)).unwrap();
        assert_eq!(output.stdout, b"done\n");
        assert_eq!(conn.recv(&mut [0]).unwrap(), 0, "the end of the stream");
        assert!(shutdown.told());
        assert!(shutdown.watch(connection().1).is_none(), "nobody new is served");
        // A connection that isn't watched stays open until the process ends.
        other_client.write_all(b"x").unwrap();
        assert_eq!(waits.join().unwrap(), 1);
        say_finished();
        drop(conn);
        thread::park(); // as in accept: the process ends anyway
    };
    let name = "a_recv_that_waits_returns_0_and_the_process_ends_with_the_last_connection";
    let (code, finished, time) = outcome(name, server);
    assert_eq!((code, finished.as_str()), (Some(0), "finished\n"));
    assert!(time < GRACE, "{time:?}");
}

/// As the ack handshake's server: it has a length to announce, and then waits for the peer's `OK`.
#[test]
fn while_it_answers_the_peer_can_still_send() {
    let server = |shutdown: &Shutdown| {
        let held = shutdown.hold().unwrap();
        let (mut client, conn) = connection();
        let args = ServerArgs { limits: LIMITS, allow_remote: false, token_file: None };
        let here = client.local_addr().unwrap();
        let gate = args.gate(here, RequestForm::Raw, shutdown).unwrap();
        let frame = |output: Output| Ok::<_, io::Error>([output.stdout]);
        gate.serve(conn, &here.into(), frame, |conn, session| {
            session.run(b"kill -TERM $PPID", conn)?;
            shell::wait_readable(shutdown, Deadline::after(GRACE))?;
            // If it were shut down, at once or a second later, it would be readable: its end could be read.
            let readable =
                shell::wait_readable(conn, Deadline::after(LINGER + Duration::from_millis(300)));
            assert_eq!(readable.unwrap_err().kind(), io::ErrorKind::TimedOut);
            client.write_all(b"OK").unwrap();
            assert_eq!(conn.recv(&mut [0; 2])?, 2);
            let end = session.await_rest(conn, &[]);
            assert!(matches!(end, Err(SessionEnd::Told)), "{end:?}");
            end
        });
        say_finished();
        drop(held);
        thread::park();
    };
    let (code, finished, time) = outcome("while_it_answers_the_peer_can_still_send", server);
    assert_eq!((code, finished.as_str()), (Some(0), "finished\n"));
    assert!(time < GRACE, "{time:?}");
}

#[test]
fn what_is_held_ends_before_the_process() {
    let server = |shutdown: &Shutdown| {
        let held = shutdown.hold().unwrap();
        let (_client, conn) = connection();
        run(b"kill -TERM $PPID", &LIMITS, &Peer::of(&conn)).unwrap();
        shell::wait_readable(shutdown, Deadline::after(GRACE)).unwrap();
        assert!(shutdown.hold().is_none());
        say_finished();
        drop(held);
        thread::park();
    };
    let (code, finished, _) = outcome("what_is_held_ends_before_the_process", server);
    assert_eq!((code, finished.as_str()), (Some(0), "finished\n"));
}

#[test]
fn when_the_grace_is_over_commands_are_killed() {
    let server = |shutdown: &Shutdown| stubborn(shutdown, "kill -TERM $PPID");
    let (code, leftover, time) = outcome("when_the_grace_is_over_commands_are_killed", server);
    assert_eq!((code, leftover.as_str()), (Some(0), "started\n"));
    assert!(time >= GRACE, "{time:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = |shutdown: &Shutdown| stubborn(shutdown, "kill -TERM $PPID; kill -INT $PPID");
    let (code, leftover, _) = outcome("a_second_signal_ends_it_at_once", server);
    assert_eq!((code, leftover.as_str()), (Some(130), "started\n"));
}

fn say_finished() {
    let fifo = std::env::var_os("FIFO").unwrap();
    let mut fifo = fs::File::options().write(true).open(fifo).unwrap();
    fifo.write_all(b"finished\n").unwrap();
}

/// Does not stop for anything; says so into the FIFO if it is left alone.
fn stubborn(shutdown: &Shutdown, signals: &str) {
    let (_client, conn) = connection();
    let conn = shutdown.watch(conn).unwrap();
    conn.answering().store(true, Ordering::SeqCst); // as in a session while a command runs
    let command =
        format!("exec 3>\"$FIFO\"; echo started >&3; {signals}; sleep 20; echo survived >&3");
    run(command.as_bytes(), &LIMITS, &Peer::of(&conn)).unwrap();
    thread::park(); // the command is killed, but the server continues until the process ends
}

/// Runs `server` in a process of its own: its exit code, what was written into the FIFO until
/// nobody held it any more, and how long it took.
fn outcome(name: &str, server: impl Fn(&Shutdown)) -> (Option<i32>, String, Duration) {
    if std::env::var_os("FIFO").is_some() {
        server(&Shutdown::on_signals().unwrap());
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
