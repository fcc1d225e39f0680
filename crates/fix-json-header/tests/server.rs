//! What clients can do to our server: it goes on, and nothing is left behind.
//!
//! | fault | test |
//! |---|---|
//! | a web page, TLS, line breaks, NUL, too long a request | `what_is_no_command_never_runs` |
//! | garbage, a negative, a huge or a cut length | `a_framing_error_ends_one_connection` |
//! | listening beyond this machine; a wrong token | `beyond_loopback_only_with_a_token`, `a_token_comes_first` |
//! | a client that resets mid-command | `a_client_that_is_gone_takes_its_command_along` |
//! | a client that only stops sending | `wire.rs`, every test |
//! | closing while input is unread | `the_answer_arrives_though_input_is_unread` |
//! | SIGTERM while busy; SIGTERM twice | `told_to_stop_it_finishes_what_runs`, `what_does_not_finish_is_killed`, `told_twice_it_ends_at_once` |
//! | restart on the same port at once; two servers on one port | `restarted_at_once`, `one_port_one_server` |
//! | 40 clients with 32 descriptors | `more_clients_than_descriptors` |
//! | never finishes its frame, never reads its answer | `demos/tests/patience.rs` |
//! | no descriptor left | `demos/tests/descriptors.rs` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use serde_json::Value;
use socket2::SockRef;
use stage::{Finished, Line, Program, Scratch, Signal, Stream};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_fix-json-header-server");

#[test]
fn what_is_no_command_never_runs() {
    let scratch = Scratch::new().unwrap();
    let proof = scratch.path().join("it-ran");
    let touch = format!("touch {}", proof.display());
    let server = server(&["--requests", "raw"]);
    let address = server.address().unwrap();
    for (request, says) in [
        (format!("GET /;{touch}; HTTP/1.1\r\nHost: {address}\r\n\r\n"), "HTTP"),
        (format!("POST /;{touch}; HTTP/1.1\r\nContent-Length: 9\r\n\r\n{touch}"), "HTTP"),
        (format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n;{touch}"), "HTTP"),
        (format!("\x16\x03\x01\0;{touch}"), "TLS"),
        (format!("{touch}\r"), "CR or LF"),
        (format!("{touch}\n{touch}"), "CR or LF"),
        (format!("{touch};\0"), "NUL"),
        (format!("{touch} # {}", "x".repeat(1024)), "at most 1024 bytes"),
    ] {
        let mut conn = connect(&address);
        conn.write_all(request.as_bytes()).unwrap();
        let answer = answer(&mut conn);
        assert!(answer.starts_with("refused: ") && answer.contains(says), "{request:?}: {answer}");
        // And what follows is not taken for the next request. It may come too late to be read at all.
        let _ = conn.write_all(touch.as_bytes());
        let mut more = Vec::new();
        let _ = conn.shutdown(Shutdown::Write).and_then(|()| conn.read_to_end(&mut more));
        assert_eq!(more, b"", "{request:?}");
    }
    assert_eq!(echo_raw(&address), "hi\n");
    assert!(!proof.exists());
}

#[test]
fn a_framing_error_ends_one_connection() {
    let server = server(&[]);
    let address = server.address().unwrap();
    for (sent, says) in [
        (&b"\xff\xff\xff\xff"[..], "got -1"),
        (b"\0\0\0\x80", "got -2147483648"),
        (b"\xff\xff\xff\x7f", "from 0 to 16777216, got 2147483647"),
        (b"GET / HTTP/1.1\r\n\r\n", "from 0 to 16777216, got 542393671"),
        (b"\x16\x03\x01\x02\0\x01", "from 0 to 16777216, got 33620758"),
        (b"\x07\0", "inside the length prefix: 2 of 4 bytes came"),
        (b"\x07\0\0\0ech", "inside the body: 3 of 7 bytes came"),
    ] {
        let mut conn = connect(&address);
        let us = conn.local_addr().unwrap();
        conn.write_all(sent).unwrap();
        assert_eq!(rest(conn), b"");
        let line = format!("fix-json-header-server: {us}: serving: ");
        let said = server.wait_for_line(Stream::Stderr, &line, LONG).unwrap();
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(echo(&address), "hi\n");
}

#[test]
fn beyond_loopback_only_with_a_token() {
    let scratch = Scratch::new().unwrap();
    let token = token_file(&scratch, "token", "0123456789abcdef");
    let far = ["--listen", "0.0.0.0:0"];
    for options in [&[][..], &["--allow-remote"], &["--token-file", &token]] {
        let done = start(&[&far, options].concat()).wait(LONG).unwrap();
        failed(&done, 2, "add --allow-remote and --token-file FILE, or listen at 127.0.0.1");
    }
    let server = start(&[&far[..], &["--allow-remote", "--token-file", &token]].concat());
    let address = server.address().unwrap().replace("0.0.0.0", "127.0.0.1");
    let warned = |lines: &[Line]| {
        let text = |line: &Line| String::from_utf8_lossy(&line.text).into_owned();
        lines.iter().map(text).find(|line| line.contains("has your shell"))
    };
    server.wait_until("warning", LONG, warned).unwrap();
    let mut conn = connect(&address);
    conn.write_all(&framed("0123456789abcdef")).unwrap();
    assert_eq!(answer(&mut conn), "ok\n");
    conn.write_all(&framed("echo hi")).unwrap();
    assert_eq!(answer(&mut conn), "hi\n");
}

#[test]
fn a_token_comes_first() {
    let scratch = Scratch::new().unwrap();
    let right = token_file(&scratch, "right", "0123456789abcdef\n");
    let wrong = token_file(&scratch, "wrong", "0123456789abcdeF\n");
    let server = server(&["--token-file", &right]);
    let address = server.address().unwrap();
    let proof = scratch.path().join("it-ran");
    let command = format!("touch {}; echo hi", proof.display());
    let ask = |args: &[&str]| {
        let mut client = Command::new(env!("CARGO_BIN_EXE_fix-json-header-client"));
        client.args(["--connect", &address, "-c", &command]).args(args);
        Program::start("client", &mut client).unwrap().wait(LONG).unwrap()
    };
    let refused = "refused: the first request must be the server's token";

    let done = ask(&[]);
    let stdout = String::from_utf8_lossy(&done.stdout);
    assert!(done.code == Some(0) && stdout.starts_with(refused), "{done:?}");
    let done = ask(&["--token-file", &wrong]);
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.code == Some(4) && stderr.starts_with(refused), "{done:?}");
    assert!(!proof.exists());

    let done = ask(&["--token-file", &right]);
    assert_eq!(
        (done.code, &done.stdout[..], &done.stderr[..]),
        (Some(0), &b"hi\n"[..], &b"ok\n"[..])
    );
    assert!(proof.exists());
}

#[test]
fn a_client_that_is_gone_takes_its_command_along() {
    let server = server(&[]);
    let address = server.address().unwrap();
    let endless = Endless::new();
    let mut conn = connect(&address);
    conn.write_all(&framed(&endless.command)).unwrap();
    endless.wait_until("begun");
    SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
    let reset = Instant::now();
    drop(conn);
    endless.wait_until("gone");
    assert!(reset.elapsed() < Duration::from_secs(1), "{:?}", reset.elapsed());
    assert_eq!(echo(&address), "hi\n");
}

#[test]
fn the_answer_arrives_though_input_is_unread() {
    let server = server(&[]);
    let mut conn = connect(&server.address().unwrap());
    // A command, a frame that is none, and more than the server reads at once.
    let mut sent = framed("head -c 100000 /dev/zero");
    sent.extend([0xff; 100_000]);
    conn.write_all(&sent).unwrap();
    let came = rest(conn);
    assert!(came.len() > 100_000 && came.ends_with(&[0; 100_000]), "{} bytes", came.len());
}

#[test]
fn told_to_stop_it_finishes_what_runs() {
    let scratch = Scratch::new().unwrap();
    let go = fifo(&scratch);
    let server = server(&["-v"]);
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(&framed(&format!("cat {go}"))).unwrap();
    // Opening waits for the reader: the command runs.
    let mut go = File::options().write(true).open(go).unwrap();
    server.signal(Signal::TERM);
    wait_for_stopping(&server);
    go.write_all(b"done").unwrap();
    drop(go);
    assert!(rest(conn).ends_with(b"\"timed_out\":false}done"));
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
}

#[test]
fn what_does_not_finish_is_killed() {
    let (server, endless, _conn) = busy_server();
    let told = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
    let took = told.elapsed();
    assert!((3..5).contains(&took.as_secs()), "the grace period is 3 s: {took:?}");
    endless.wait_until("gone");
}

#[test]
fn told_twice_it_ends_at_once() {
    let (server, endless, _conn) = busy_server();
    let told = Instant::now();
    server.signal(Signal::TERM);
    wait_for_stopping(&server);
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(130));
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    endless.wait_until("gone");
}

#[test]
fn restarted_at_once() {
    let first = server(&[]);
    let address = first.address().unwrap();
    let mut conn = connect(&address);
    conn.write_all(&framed("echo hi")).unwrap();
    assert_eq!(answer(&mut conn), "hi\n");
    first.signal(Signal::TERM);
    assert_eq!(first.wait(LONG).unwrap().code, Some(0));
    // The server closed first: its port remembers the connection. SO_REUSEADDR passes over that.
    let second = start(&["--listen", &address]);
    assert_eq!(second.address().unwrap(), address);
    assert_eq!(echo(&address), "hi\n");
}

#[test]
fn one_port_one_server() {
    let first = server(&[]);
    let address = first.address().unwrap();
    let done = start(&["--listen", &address]).wait(LONG).unwrap();
    failed(&done, 3, &format!("cannot listen on {address}: Address already in use"));
    assert_eq!(echo(&address), "hi\n");
}

#[test]
fn more_clients_than_descriptors() {
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 32; exec \"$0\" --listen 127.0.0.1:0", SERVER]);
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
    Program::start("server", Command::new(SERVER).args(args)).unwrap()
}

/// A server that runs a command without an end.
fn busy_server() -> (Program, Endless, TcpStream) {
    let server = server(&["-v"]);
    let endless = Endless::new();
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(&framed(&endless.command)).unwrap();
    endless.wait_until("begun");
    (server, endless, conn)
}

fn wait_for_stopping(server: &Program) {
    let stopping = |line: &Line| String::from_utf8_lossy(&line.text).contains("stopping;");
    server
        .wait_until("log: stopping", LONG, |lines| lines.iter().any(stopping).then_some(()))
        .unwrap();
}

/// A command that sleeps until it is killed. A FIFO tells when it runs, and when no process of it is left.
struct Endless {
    command: String,
    heard: Receiver<&'static str>,
    _scratch: Scratch,
}

impl Endless {
    fn new() -> Endless {
        let scratch = Scratch::new().unwrap();
        let path = fifo(&scratch);
        let command = format!("exec 3>{path}; echo begun >&3; sleep 600");
        let (tell, heard) = channel();
        thread::spawn(move || {
            let mut fifo = File::open(path).unwrap();
            fifo.read_exact(&mut [0; b"begun\n".len()]).unwrap();
            tell.send("begun").unwrap();
            fifo.read_to_end(&mut Vec::new()).unwrap();
            tell.send("gone").unwrap();
        });
        Endless { command, heard, _scratch: scratch }
    }

    fn wait_until(&self, what: &str) {
        assert_eq!(self.heard.recv_timeout(LONG).unwrap(), what);
    }
}

fn fifo(scratch: &Scratch) -> String {
    let path = scratch.path().join("fifo").display().to_string();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn token_file(scratch: &Scratch, name: &str, token: &str) -> String {
    let path = scratch.path().join(name);
    fs::write(&path, token).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn framed(text: &str) -> Vec<u8> {
    let length = i32::try_from(text.len()).unwrap();
    [&length.to_le_bytes(), text.as_bytes()].concat()
}

fn answer(conn: &mut TcpStream) -> String {
    let mut length = [0; 4];
    conn.read_exact(&mut length).unwrap();
    let mut header = vec![0; usize::try_from(i32::from_le_bytes(length)).unwrap()];
    conn.read_exact(&mut header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let mut body = vec![0; header["data_len"].as_u64().unwrap().try_into().unwrap()];
    conn.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// What comes until the end of the stream, which a reset would not be.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    conn.shutdown(Shutdown::Write).unwrap();
    let mut came = Vec::new();
    conn.read_to_end(&mut came).unwrap();
    came
}

/// Another client is served.
fn echo(address: &str) -> String {
    let mut conn = connect(address);
    conn.write_all(&framed("echo hi")).unwrap();
    answer(&mut conn)
}

fn echo_raw(address: &str) -> String {
    let mut conn = connect(address);
    conn.write_all(b"echo hi").unwrap();
    answer(&mut conn)
}

/// One line on stderr, at its end, that says this; a warning may stand before it.
fn failed(done: &Finished, code: i32, says: &str) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code, Some(code), "{stderr}");
    let ours: Vec<&str> =
        stderr.lines().filter(|line| line.starts_with("fix-json-header-server: ")).collect();
    assert!(ours.len() == 1 && ours[0].contains(says), "{stderr}");
}
