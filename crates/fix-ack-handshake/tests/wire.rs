//! The bytes on the wire, exactly: a length, `OK`, the answer.
//!
//! What all remote-command servers promise is tested in `crates/shell/tests/servers`.
//!
//! | fault | test |
//! |---|---|
//! | an `OK` in two pieces; the next command right after the `OK` for an empty answer | `an_ok_in_any_company` |
//! | something else than `OK`, a part of it, or nothing | `what_is_no_ok_ends_one_connection` |
//! | a web page, which never says `OK` | `a_browser_hears_a_length_and_no_more` |
//! | a small write that waits 40 ms for an ACK | `each_part_leaves_in_one_send` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::Duration;

use observe::Event;
use stage::{Program, Scratch, Signal, Stream};

/// A test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn requests_and_answers() {
    let server = server(&[]);
    let mut conn = connect(&server.address().unwrap());
    let long = "x".repeat(70_000);
    for (command, length, body) in [
        ("echo hi", "3", "hi\n"),
        ("true", "0", ""),
        ("echo out; echo err >&2", "8", "out\nerr\n"),
        ("echo 你好", "7", "你好\n"),
        ("head -c 70000 /dev/zero | tr '\\0' x", "70000", &long),
        ("exit 3", "0", ""),
    ] {
        conn.write_all(command.as_bytes()).unwrap();
        expect(&mut conn, length);
        conn.write_all(b"OK").unwrap();
        expect(&mut conn, body);
    }
    assert_eq!(rest(conn), b"", "and nothing more");
}

/// The tutorial's server reads both as the `OK`, and waits forever, and so does its client.
#[test]
fn an_ok_in_any_company() {
    let server = server(&[]);
    let mut conn = connect(&server.address().unwrap());
    conn.set_nodelay(true).unwrap();
    conn.write_all(b"true").unwrap();
    expect(&mut conn, "0");
    conn.write_all(b"OKecho hi").unwrap();
    expect(&mut conn, "3");
    conn.write_all(b"O").unwrap();
    conn.write_all(b"K").unwrap();
    expect(&mut conn, "hi\n");
}

#[test]
fn what_is_no_ok_ends_one_connection() {
    let server = server(&[]);
    let address = server.address().unwrap();
    for (said, says) in [
        (&b"ok"[..], "\"ok\""),
        (b"NO", "\"NO\""),
        (b"echo hi", "\"ec\""),
        (b"O", "1 of 2"),
        (b"", "0 of 2"),
    ] {
        let mut conn = connect(&address);
        let us = conn.local_addr().unwrap();
        conn.write_all(b"echo hi").unwrap();
        expect(&mut conn, "3");
        conn.write_all(said).unwrap();
        assert_eq!(rest(conn), b"", "no answer without an OK");
        let line = format!("fix-ack-handshake-server: {us}: ");
        let heard = server.wait_for_line(Stream::Stderr, &line, LONG).unwrap();
        assert!(heard.contains(says), "{heard}");
    }
    let mut conn = connect(&address);
    conn.write_all(b"echo hi").unwrap();
    expect(&mut conn, "3");
    conn.write_all(b"OK").unwrap();
    expect(&mut conn, "hi\n");
}

#[test]
fn a_browser_hears_a_length_and_no_more() {
    let scratch = Scratch::new().unwrap();
    let proof = scratch.path().join("it-ran");
    let touch = format!("touch {}", proof.display());
    let server = server(&[]);
    let mut conn = connect(&server.address().unwrap());
    conn.write_all(format!("GET /;{touch}; HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    assert!(observe::uninterrupted(|| conn.read(&mut [0; 11])).unwrap() > 0);
    conn.write_all(touch.as_bytes()).unwrap();
    assert_eq!(rest(conn), b"");
    assert!(!proof.exists());
}

#[test]
fn each_part_leaves_in_one_send() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("server.jsonl");
    let server = server(&["--trace", trace.to_str().unwrap()]);
    let mut client = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-client"));
    client.args(["--connect", &server.address().unwrap()]);
    client.args(["-c", "echo hi", "-c", "true", "-c", "echo out; echo err >&2"]);
    let done = Program::start("client", &mut client).unwrap().wait(LONG).unwrap();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    server.signal(Signal::TERM);
    server.wait(LONG).unwrap();

    let text = fs::read_to_string(trace).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let sent = |event: Event| (event.call == "send").then(|| event.data.unwrap());
    let sends: Vec<Vec<u8>> = events.filter_map(sent).collect();
    let sends: Vec<_> = sends.iter().map(|send| String::from_utf8_lossy(send)).collect();
    assert_eq!(sends, ["3", "hi\n", "0", "8", "out\nerr\n"]);
}

fn server(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn expect(conn: &mut TcpStream, text: &str) {
    let mut came = vec![0; text.len()];
    conn.read_exact(&mut came).unwrap();
    assert_eq!(String::from_utf8_lossy(&came), text);
}

/// What arrives up to the end of the stream; a reset would be an error.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    // The server may have ended it already.
    let _ = conn.shutdown(Shutdown::Write);
    let mut came = Vec::new();
    conn.read_to_end(&mut came).unwrap();
    came
}
