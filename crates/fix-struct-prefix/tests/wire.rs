//! The bytes on the wire, exactly; and that an answer leaves at once.
//!
//! | fault | test |
//! |---|---|
//! | requests in any pieces: two in one write, byte by byte, cut anywhere | `requests_and_answers`, `byte_by_byte`, `a_request_cut_anywhere` |
//! | the second of two small writes waits 40 ms for an ACK | `an_answer_leaves_in_one_send`, `no_answer_waits_for_an_ack` |

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

use observe::Event;
use proto::request::{RequestForm, RequestFraming};
use proto::{Decoder, MAX_FRAME};
use stage::{Program, Scratch, Signal};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits so long.
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
fn byte_by_byte() {
    let server = server(&[]);
    let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
    conn.set_nodelay(true).unwrap();
    for byte in b"\x07\0\0\0echo hi" {
        conn.write_all(&[*byte]).unwrap();
    }
    assert_eq!(rest(conn), b"\x03\0\0\0hi\n");
}

/// What a network may do, without one: the decoder that the server asks, fed in two pieces.
#[test]
fn a_request_cut_anywhere() {
    let stream = b"\x07\0\0\0echo hi";
    for cut in 0..=stream.len() {
        let mut requests = Decoder::new(RequestFraming::new(RequestForm::Framed, MAX_FRAME));
        let mut commands = Vec::new();
        for piece in [&stream[..cut], &stream[cut..]] {
            requests.space()[..piece.len()].copy_from_slice(piece);
            requests.filled(piece.len());
            while let Some(frame) = requests.decode().unwrap() {
                commands.push(frame.body.to_vec());
            }
        }
        assert_eq!(commands, [b"echo hi"], "cut at {cut}");
    }
}

#[test]
fn an_answer_leaves_in_one_send() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("server.jsonl");
    let server = server(&["--trace", trace.to_str().unwrap()]);
    let commands = ["echo hi", "true", "echo out; echo err >&2", "head -c 10000 /dev/zero"];
    client(&server.address().unwrap(), &commands, &[]);
    server.signal(Signal::TERM);
    server.wait(LONG).unwrap();

    let sent = |event: Event| (event.call == "send").then(|| event.data.unwrap());
    let sends: Vec<Vec<u8>> = events(&trace).into_iter().filter_map(sent).collect();
    let long = [&10_000_i32.to_le_bytes()[..], &[0; 10_000]].concat();
    let answers = [b"\x03\0\0\0hi\n", &b"\0\0\0\0"[..], b"\x08\0\0\0out\nerr\n", &long];
    assert!(sends == answers, "{} sends for {} answers", sends.len(), answers.len());
}

/// A guard, not a benchmark: with the prefix in a write of its own, the median is above 40 ms.
#[test]
fn no_answer_waits_for_an_ack() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("client.jsonl");
    let server = server(&[]);
    client(&server.address().unwrap(), &["echo hi"; 50], &["--trace", trace.to_str().unwrap()]);

    let events = events(&trace);
    let asked =
        |event: &Event| event.data.as_deref().is_some_and(|data| data.ends_with(b"echo hi"));
    let mut waits: Vec<u64> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.call == "send" && asked(event))
        .map(|(at, send)| {
            // The last recv before the next command.
            let answer = events[at + 1..].iter().take_while(|event| !asked(event));
            answer.filter(|event| event.call == "recv").last().unwrap().t_us - send.t_us
        })
        .collect();
    assert_eq!(waits.len(), 50);
    waits.sort();
    println!("echo hi: answered within {} µs in half of 50 cases", waits[25]);
    assert!(waits[25] < 20_000, "the median is {} µs: {waits:?}", waits[25]);
}

fn server(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

fn client(address: &str, commands: &[&str], args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-client"));
    command.args(["--connect", address]).args(args);
    command.args(commands.iter().flat_map(|text| ["-c", *text]));
    let done = Program::start("client", &mut command).unwrap().wait(LONG).unwrap();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Everything that comes after we have said that we are done.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    conn.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{error} after {answer:?}"));
    answer
}

fn events(trace: &Path) -> Vec<Event> {
    let text = fs::read_to_string(trace).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
