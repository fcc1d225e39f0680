//! The bytes on the wire, exactly; and that an answer leaves at once.
//!
//! What all remote-command servers promise is tested in `crates/shell/tests/servers`.
//!
//! | fault | test |
//! |---|---|
//! | two requests in one write | `requests_and_answers` |
//! | a command that fails, is killed, runs too long, says too much | `what_the_header_says` |
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
fn an_answer_leaves_in_one_send() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("server.jsonl");
    let server = server(&["--trace", trace.to_str().unwrap()]);
    let commands = ["echo hi", "true", "echo out; echo err >&2", "head -c 10000 /dev/zero"];
    let mut client = Command::new(env!("CARGO_BIN_EXE_fix-json-header-client"));
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
    assert_eq!(sends.len(), commands.len());
    for (send, body) in sends.iter().zip(["hi\n", "", "out\nerr\n", &"\0".repeat(10_000)]) {
        let header = send[4..].split_inclusive(|byte| *byte == b'}').next().unwrap();
        let length = i32::try_from(header.len()).unwrap().to_le_bytes();
        assert!(send[..] == [&length, header, body.as_bytes()].concat(), "{}", send.escape_ascii());
    }
}

fn server(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-json-header-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

/// Everything that arrives after we have ended our side.
fn rest(mut conn: TcpStream) -> Vec<u8> {
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    conn.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{error} after {answer:?}"));
    answer
}
