//! The bytes on the wire, exactly: a length, `OK`, the answer.
//!
//! | fault | test |
//! |---|---|
//! | an `OK` in two pieces; the next command right behind the `OK` for an empty answer | `an_ok_in_any_company` |
//! | a small write that waits 40 ms for an ACK | `each_part_leaves_in_one_send`, `no_answer_waits_for_an_ack` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
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
    conn.shutdown(Shutdown::Write).unwrap();
    assert_eq!(conn.read(&mut [0]).unwrap(), 0, "and nothing more");
}

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
fn each_part_leaves_in_one_send() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("server.jsonl");
    let server = server(&["--trace", trace.to_str().unwrap()]);
    let commands = ["echo hi", "true", "echo out; echo err >&2"];
    client(&server.address().unwrap(), &commands, &[]);
    server.signal(Signal::TERM);
    server.wait(LONG).unwrap();

    let sent = |event: Event| (event.call == "send").then(|| event.data.unwrap());
    let sends: Vec<Vec<u8>> = events(&trace).into_iter().filter_map(sent).collect();
    let sends: Vec<_> = sends.iter().map(|send| String::from_utf8_lossy(send)).collect();
    assert_eq!(sends, ["3", "hi\n", "0", "8", "out\nerr\n"]);
}

/// A guard, not a benchmark. The length is a small write of its own, and does not stall: the `OK` carries its ACK.
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

fn client(address: &str, commands: &[&str], args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-client"));
    command.args(["--connect", address]).args(args);
    command.args(commands.iter().flat_map(|text| ["-c", *text]));
    let done = Program::start("client", &mut command).unwrap().wait(LONG).unwrap();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
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

fn events(trace: &Path) -> Vec<Event> {
    let text = fs::read_to_string(trace).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
