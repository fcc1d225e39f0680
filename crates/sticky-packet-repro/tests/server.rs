//! What can reach the server, and must not hurt: its lesson is wrong on purpose, its safety is not.
//!
//! | fault | test |
//! |---|---|
//! | a web page, TLS, line breaks, NUL, too long a request | `what_is_no_command_never_runs` |
//! | listening beyond this machine; a wrong token | `beyond_loopback_only_with_a_token`, `a_token_comes_first` |
//! | a client that resets mid-command | `a_client_that_is_gone_takes_its_command_along` |
//! | closing while input is unread | `the_answer_arrives_though_input_is_unread` |
//! | SIGTERM while busy; SIGTERM twice | `told_to_stop`, `told_twice_it_ends_at_once` |
//! | restart on the same port at once; two servers on one port | `restarted_at_once` |
//! | 40 clients with 32 descriptors | `more_clients_than_descriptors` |
//! | never reads its answer | `demos/tests/patience.rs` |
//! | no descriptor left | `demos/tests/descriptors.rs` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use socket2::SockRef;
use stage::{Line, Program, Scratch, Signal};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_sticky-packet-repro-server");

#[test]
fn what_is_no_command_never_runs() {
    let scratch = Scratch::new().unwrap();
    let proof = scratch.path().join("it-ran");
    let touch = format!("touch {}", proof.display());
    let server = server(&[]);
    let address = server.address().unwrap();
    for (request, says) in [
        (format!("GET /;{touch}; HTTP/1.1\r\nHost: {address}\r\n\r\n"), "HTTP"),
        (format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n;{touch}"), "HTTP"),
        (format!("\x16\x03\x01\0;{touch}"), "TLS"),
        (format!("{touch}\n{touch}"), "CR or LF"),
        (format!("{touch};\0"), "NUL"),
        (format!("{touch} # {}", "x".repeat(1024)), "at most 1024 bytes"),
    ] {
        let mut conn = connect(&address);
        conn.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 1];
        conn.read_exact(&mut answer).unwrap();
        // And what follows the answer is not taken for the next request.
        let _ = conn.write_all(touch.as_bytes());
        let answer = String::from_utf8_lossy(&answer).into_owned() + &rest(conn);
        assert!(answer.starts_with("refused: ") && answer.contains(says), "{request:?}: {answer}");
        assert_eq!(answer.lines().count(), 1, "{answer}");
    }
    assert_eq!(echo(&address), "hi\n");
    assert!(!proof.exists());
}

#[test]
fn beyond_loopback_only_with_a_token() {
    for options in [&[][..], &["--allow-remote"]] {
        let done = start(&[&["--listen", "0.0.0.0:0"], options].concat()).wait(LONG).unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(done.code == Some(2) && stderr.contains("--token-file"), "{stderr}");
    }
}

#[test]
fn a_token_comes_first() {
    let scratch = Scratch::new().unwrap();
    let token = scratch.path().join("token").display().to_string();
    fs::write(&token, "0123456789abcdef\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let server = server(&["--token-file", &token]);
    let address = server.address().unwrap();
    let proof = scratch.path().join("it-ran");
    let touch = format!("touch {}; echo hi", proof.display());

    let mut stranger = connect(&address);
    stranger.write_all(touch.as_bytes()).unwrap();
    let answer = rest(stranger);
    assert!(
        answer.starts_with("refused: the first request must be the server's token"),
        "{answer}"
    );
    assert!(!proof.exists());

    let mut command = Command::new(env!("CARGO_BIN_EXE_sticky-packet-repro-client"));
    command.args(["shell", "--connect", &address, "--token-file", &token, "-c", &touch]);
    let done = Program::start("client", &mut command).unwrap().wait(LONG).unwrap();
    assert_eq!((&done.stdout[..], &done.stderr[..]), (&b"hi\n"[..], &b"ok\n"[..]));
    assert!(proof.exists());
}

#[test]
fn a_client_that_is_gone_takes_its_command_along() {
    let (server, mut fifo, conn) = busy();
    SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
    let reset = Instant::now();
    drop(conn);
    // No process of the command is left: the FIFO has no writer any more.
    fifo.read_to_end(&mut Vec::new()).unwrap();
    assert!(reset.elapsed() < Duration::from_secs(1), "{:?}", reset.elapsed());
    assert_eq!(echo(&server.address().unwrap()), "hi\n");
}

#[test]
fn the_answer_arrives_though_input_is_unread() {
    let server = server(&[]);
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(b"head -c 300000 /dev/zero").unwrap();
    let mut first = [0; 1];
    conn.read_exact(&mut first).unwrap();
    // A refused request ends the connection, and much more stands behind it.
    conn.write_all(b"no\n").unwrap();
    let _ = conn.write_all(&[b'x'; 100_000]);
    let mut came = Vec::new();
    conn.read_to_end(&mut came).unwrap();
    assert_eq!(came.iter().filter(|byte| **byte == 0).count(), 299_999);
}

#[test]
fn told_to_stop() {
    let (server, mut fifo, _conn) = busy();
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
    fifo.read_to_end(&mut Vec::new()).unwrap();

    // Also while it waits for somebody to come, and in the other part.
    for part in ["shell", "two-reads"] {
        let mut command = Command::new(SERVER);
        let server =
            Program::start("server", command.args([part, "--listen", "127.0.0.1:0"])).unwrap();
        server.address().unwrap();
        server.signal(Signal::TERM);
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{part}");
    }
}

#[test]
fn told_twice_it_ends_at_once() {
    let (server, mut fifo, _conn) = busy();
    server.signal(Signal::TERM);
    let stopping = |line: &Line| String::from_utf8_lossy(&line.text).contains("stopping;");
    server
        .wait_until("log: stopping", LONG, |lines| lines.iter().any(stopping).then_some(()))
        .unwrap();
    let again = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(130));
    assert!(again.elapsed() < Duration::from_secs(2), "{:?}", again.elapsed());
    fifo.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn restarted_at_once() {
    let first = server(&[]);
    let address = first.address().unwrap();
    assert_eq!(echo(&address), "hi\n");
    let second = start(&["--listen", &address]).wait(LONG).unwrap();
    let stderr = String::from_utf8_lossy(&second.stderr);
    assert!(second.code == Some(3) && stderr.contains("another program listens"), "{stderr}");
    first.signal(Signal::TERM);
    assert_eq!(first.wait(LONG).unwrap().code, Some(0));
    let again = start(&["--listen", &address]);
    assert_eq!(again.address().unwrap(), address);
    assert_eq!(echo(&address), "hi\n");
}

#[test]
fn more_clients_than_descriptors() {
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 32; exec \"$0\" shell --listen 127.0.0.1:0", SERVER]);
    let server = Program::start("server", &mut limited).unwrap();
    let address = server.address().unwrap();
    let crowd: Vec<TcpStream> = (0..40).map(|_| connect(&address)).collect();
    drop(crowd);
    assert_eq!(echo(&address), "hi\n");
}

fn server(args: &[&str]) -> Program {
    start(&[&["--listen", "127.0.0.1:0"], args].concat())
}

fn start(args: &[&str]) -> Program {
    let mut command = Command::new(SERVER);
    Program::start("server", command.arg("shell").args(args)).unwrap()
}

/// A server that runs a command without an end, which holds a FIFO open as long as any process of it lives.
fn busy() -> (Program, File, TcpStream) {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("fifo").display().to_string();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let server = server(&["-v"]);
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(format!("exec 3>{path}; echo begun >&3; sleep 600").as_bytes()).unwrap();
    let mut fifo = File::open(path).unwrap();
    fifo.read_exact(&mut [0; b"begun\n".len()]).unwrap();
    (server, fifo, conn)
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

/// What comes until the end of the stream, which a reset would not be.
fn rest(mut conn: TcpStream) -> String {
    let _ = conn.shutdown(Shutdown::Write);
    let mut came = String::new();
    conn.read_to_string(&mut came).unwrap();
    came
}

/// Another client is served.
fn echo(address: &str) -> String {
    let mut conn = connect(address);
    conn.write_all(b"echo hi").unwrap();
    rest(conn)
}
