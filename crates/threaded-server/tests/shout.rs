//! The small Python programs of chapter 12: the first server keeps its second client waiting, the other doesn't.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Program, Stream};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn one_by_one_keeps_the_second_client_waiting() {
    let Some((_server, address)) = server("one_by_one.py") else { return };
    let mut first = connect(&address);
    assert_eq!(ask(&mut first, "first"), "FIRST\n"); // so this is the client that is served
    let mut second = connect(&address);
    second.write_all(b"second\n").unwrap();
    assert_eq!(ask(&mut first, "again"), "AGAIN\n");

    second.set_nonblocking(true).unwrap();
    let early = second.read(&mut [0]).unwrap_err();
    assert_eq!(early.kind(), ErrorKind::WouldBlock);

    drop(first);
    second.set_nonblocking(false).unwrap();
    assert_eq!(line(&second), "SECOND\n");
}

#[test]
fn a_thread_for_each_serves_both() {
    let Some((_server, address)) = server("thread_each.py") else { return };
    let (mut first, mut second) = (connect(&address), connect(&address));
    assert_eq!(ask(&mut second, "second"), "SECOND\n");
    assert_eq!(ask(&mut first, "first"), "FIRST\n");
}

#[test]
fn the_client_prints_what_comes_back() {
    let Some((_server, address)) = server("thread_each.py") else { return };
    let port = address.rsplit(':').next().unwrap();
    let mut python = Command::new(stage::python().unwrap());
    python.arg(script("line_client.py")).arg(port);
    let mut client = Program::start("client", &mut python).unwrap();
    client.write("hello\n你好\n".as_bytes()).unwrap();
    client.close_stdin();
    assert_eq!(client.wait(LONG).unwrap().stdout, "HELLO\n你好\n".as_bytes());
}

fn server(name: &str) -> Option<(Program, String)> {
    let mut python = Command::new(stage::python()?);
    python.arg(script(name)).arg("0");
    let server = Program::start(name, &mut python).unwrap();
    let said = server.wait_for_line(Stream::Stdout, "listening on ", LONG).unwrap();
    Some((server, said.trim_start_matches("listening on ").to_owned()))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn ask(conn: &mut TcpStream, what: &str) -> String {
    conn.write_all(format!("{what}\n").as_bytes()).unwrap();
    line(conn)
}

fn line(conn: &TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(conn).read_line(&mut line).unwrap();
    line
}
