//! The bytes on the wire, exactly; and that an answer leaves at once.
//!
//! | fault | test |
//! |---|---|
//! | requests in any pieces: two in one write, byte by byte, cut anywhere | `requests_and_answers`, `byte_by_byte`, `a_request_cut_anywhere` |
//! | a command that fails, is killed, runs too long, says too much | `what_the_header_says` |
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
    const HI: &[u8] = b"\x4c\0\0\0\
        {\"data_len\":3,\"status\":0,\"stdout_len\":3,\"truncated\":false,\"timed_out\":false}hi\n";
    let two = [HI, HI].concat();
    for (form, sent, expected) in [
        ("framed", &b"\x07\0\0\0echo hi"[..], HI),
        ("framed", b"\x07\0\0\0echo hi\x07\0\0\0echo hi", &two),
        ("raw", b"echo hi", HI),
    ] {
        let server = server(&["--requests", form]);
        let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
        conn.write_all(sent).unwrap();
        assert_eq!(rest(conn), expected, "{}", sent.escape_ascii());
    }
}

#[test]
fn what_the_header_says() {
    let x = "x".repeat(1000);
    for (args, command, header, body) in [
        (
            &[][..],
            "true",
            r#""data_len":0,"status":0,"stdout_len":0,"truncated":false,"timed_out":false"#,
            "",
        ),
        (
            &[],
            "exit 3",
            r#""data_len":0,"status":3,"stdout_len":0,"truncated":false,"timed_out":false"#,
            "",
        ),
        (
            &[],
            "kill -9 $$",
            r#""data_len":0,"status":{"signal":9},"stdout_len":0,"truncated":false,"timed_out":false"#,
            "",
        ),
        (
            &[],
            "echo out; echo err >&2",
            r#""data_len":8,"status":0,"stdout_len":4,"truncated":false,"timed_out":false"#,
            "out\nerr\n",
        ),
        (
            &[],
            "echo 你好",
            r#""data_len":7,"status":0,"stdout_len":7,"truncated":false,"timed_out":false"#,
            "你好\n",
        ),
        (
            &["--timeout", "1"],
            "echo part; sleep 60",
            r#""data_len":5,"status":{"signal":9},"stdout_len":5,"truncated":false,"timed_out":true"#,
            "part\n",
        ),
        (
            &["--max-output", "1000"],
            "yes | tr -d '\\n' | tr y x",
            r#""data_len":1000,"status":{"signal":9},"stdout_len":1000,"truncated":true,"timed_out":false"#,
            &x,
        ),
    ] {
        let server = server(args);
        let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
        let request = [&i32::try_from(command.len()).unwrap().to_le_bytes(), command.as_bytes()];
        conn.write_all(&request.concat()).unwrap();
        let answer = rest(conn);
        let (length, rest) = answer.split_first_chunk().unwrap();
        let length = usize::try_from(i32::from_le_bytes(*length)).unwrap();
        assert_eq!(String::from_utf8_lossy(rest), format!("{{{header}}}{body}"), "{command}");
        assert_eq!(length, header.len() + 2, "{command}");
        assert!(length < 200, "{command}");
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
    assert!(rest(conn).ends_with(b"\"timed_out\":false}hi\n"));
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
    assert_eq!(sends.len(), commands.len());
    for (send, body) in sends.iter().zip(["hi\n", "", "out\nerr\n", &"\0".repeat(10_000)]) {
        let header = send[4..].split_inclusive(|byte| *byte == b'}').next().unwrap();
        let length = i32::try_from(header.len()).unwrap().to_le_bytes();
        assert!(send[..] == [&length, header, body.as_bytes()].concat(), "{}", send.escape_ascii());
    }
}

/// A guard, not a benchmark: with the header in a write of its own, the median is above 40 ms.
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-json-header-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

fn client(address: &str, commands: &[&str], args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-json-header-client"));
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
