//! The bytes on the wire, exactly; and that an answer leaves at once.
//!
//! What all remote-command servers promise is tested in `crates/shell/tests/servers`.
//!
//! | fault | test |
//! |---|---|
//! | two requests in one write | `requests_and_answers` |
//! | the second of two small writes waits 40 ms for an ACK | `an_answer_leaves_in_one_send` |

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

use observe::Event;
use stage::{Program, Scratch, Signal};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::Duration;

/// A test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn requests_and_answers() {
    for (form, sent, expected) in [
        ("framed", &b"\x07\0\0\0echo hi"[..], &b"\x03\0\0\0hi\n"[..]),
        ("framed", b"\x04\0\0\0true", b"\0\0\0\0"),
        ("framed", b"\0\0\0\0", b"\0\0\0\0"),
        ("framed", b"\x07\0\0\0echo hi\x07\0\0\0echo ho", b"\x03\0\0\0hi\n\x03\0\0\0ho\n"),
        ("framed", b"\x0d\0\0\0echo a\necho b", b"\x04\0\0\0a\nb\n"),
        ("framed", b"\x16\0\0\0echo out; echo err >&2", b"\x08\0\0\0out\nerr\n"),
        ("raw", b"echo hi", b"\x03\0\0\0hi\n"),
        ("raw", b"true", b"\0\0\0\0"),
    ] {
        let server = server(&["--requests", form]);
        let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
        conn.write_all(sent).unwrap();
        assert_eq!(rest(conn), expected, "{}", sent.escape_ascii());
    }
}

#[test]
fn an_answer_leaves_in_one_send() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("server.jsonl");
    let server = server(&["--trace", trace.to_str().unwrap()]);
    let commands = ["echo hi", "true", "echo out; echo err >&2", "head -c 10000 /dev/zero"];
    let mut client = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-client"));
    client.args(["--connect", &server.address().unwrap()]);
    client.args(commands.iter().flat_map(|text| ["-c", *text]));
    let done = Program::start("client", &mut client).unwrap().wait(LONG).unwrap();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    server.signal(Signal::TERM);
    server.wait(LONG).unwrap();

    let text = fs::read_to_string(trace).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let sent = |event: Event| (event.call == "send").then(|| event.data.unwrap());
    let sends: Vec<Vec<u8>> = events.filter_map(sent).collect();
    let long = [&10_000_i32.to_le_bytes()[..], &[0; 10_000]].concat();
    let answers = [b"\x03\0\0\0hi\n", &b"\0\0\0\0"[..], b"\x08\0\0\0out\nerr\n", &long];
    assert!(sends == answers, "{} sends for {} answers", sends.len(), answers.len());
}

fn server(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

/// Everything that arrives after we have shut down our sending side.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    conn.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{error} after {answer:?}"));
    answer
}
