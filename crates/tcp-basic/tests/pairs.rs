//! Each client with each server, in Rust and in Python, over IPv4 and IPv6; and the calls that the Rust programs make.
//!
//! | fault | test |
//! |---|---|
//! | IPv6 | `over_ipv6_too` |
//! | an answer, a message in pieces | `an_answer_in_pieces_is_read_to_the_end`, `a_message_in_pieces_is_read_to_the_end` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
use stage::{Finished, Line, Program, Scratch, Signal};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-basic-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-basic-client");

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Rust,
    Python,
}

#[test]
fn each_client_with_each_server() {
    check_pairs("127.0.0.1:0");
}

#[test]
fn over_ipv6_too() {
    if TcpListener::bind("[::1]:0").is_err() {
        // Not println!, which the test harness captures: a skipped test should be seen.
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here");
        return;
    }
    check_pairs("[::1]:0");
}

/// Python's client adds no newline to what it prints, and its server also prints the client's address.
fn check_pairs(listen: &str) {
    let python = stage::python().is_some();
    for (server_side, client_side) in [
        (Side::Rust, Side::Rust),
        (Side::Rust, Side::Python),
        (Side::Python, Side::Rust),
        (Side::Python, Side::Python),
    ] {
        if !python && (server_side, client_side) != (Side::Rust, Side::Rust) {
            continue;
        }
        let pair = format!("{server_side:?} server at {listen}, {client_side:?} client");
        let server = server(server_side, listen);
        let address = server.address().unwrap();
        let done = client(client_side, &address);
        assert_eq!(text(&done.stdout).trim_end(), "hi", "{pair}");
        assert_eq!((done.code, text(&done.stderr)), (Some(0), ""), "{pair}");

        let served = server.wait(LONG).unwrap();
        let said = text(&served.stdout);
        assert!(said.starts_with(&format!("listening on {address}\n")), "{pair}: {said}");
        assert!(said.ends_with("\nhello\n"), "{pair}: {said}");
        assert_eq!((served.code, text(&served.stderr)), (Some(0), ""), "{pair}");
    }
}

#[test]
fn ours_say_exactly_this() {
    let server = server(Side::Rust, "127.0.0.1:0");
    let address = server.address().unwrap();
    assert_eq!(text(&client(Side::Rust, &address).stdout), "hi\n");
    let said = server.wait(LONG).unwrap().stdout;
    assert_eq!(text(&said), format!("listening on {address}\nhello\n"));
}

#[test]
fn forever_serves_one_client_after_another() {
    let server = start(SERVER, &["--listen", "127.0.0.1:0", "--forever"]);
    let address = server.address().unwrap();
    for count in 1..=3 {
        assert_eq!(text(&client(Side::Rust, &address).stdout), "hi\n");
        // The server prints after the client has closed, and a signal would not wait for that.
        let hello = |line: &&Line| line.whole && line.text == b"hello";
        let heard = |lines: &[Line]| (lines.iter().filter(hello).count() == count).then_some(());
        server.wait_until("hello", LONG, heard).unwrap();
    }
    server.signal(Signal::TERM);
    let served = server.wait(LONG).unwrap();
    assert_eq!(served.code, Some(0));
    assert!(text(&served.stdout).ends_with("\nhello\nhello\nhello\n"));
}

#[test]
fn the_calls_are_those_of_the_lesson() {
    let scratch = Scratch::new().unwrap();
    let trace = |name: &str| scratch.path().join(name);
    let (servers, clients) = (trace("server"), trace("client"));

    let args = ["--listen", "127.0.0.1:0", "--trace", servers.to_str().unwrap()];
    let server = start(SERVER, &args);
    let address = server.address().unwrap();
    let args = ["--connect", &address, "--trace", clients.to_str().unwrap()];
    start(CLIENT, &args).wait(LONG).unwrap();
    server.wait(LONG).unwrap();

    // A conn is a socket: 1 is the listener, 2 the connection.
    let server = events(&servers);
    let expected = [
        ("bind", 1, ""),
        ("listen", 1, ""),
        ("accept", 2, ""),
        ("recv", 2, "hello"),
        ("send", 2, "hi"),
        ("shutdown", 2, ""),
        ("recv", 2, ""),
        ("close", 2, ""),
        ("close", 1, ""),
    ];
    assert_eq!(calls(&server), expected);
    let expected = [
        ("connect", 1, ""),
        ("send", 1, "hello"),
        ("recv", 1, "hi"),
        ("recv", 1, ""),
        ("close", 1, ""),
    ];
    let client = events(&clients);
    assert_eq!(calls(&client), expected);

    // The two ends of a connection are the same two addresses, seen from two sides.
    let (connect, accept) = (&client[0], &server[2]);
    assert_eq!(connect.peer.as_deref(), Some(&*address));
    assert_eq!((&connect.local, &connect.peer), (&accept.peer, &accept.local));
    let recv = &server[3];
    assert_eq!(
        (recv.dir.as_deref(), recv.asked, recv.got, recv.offset),
        (Some("in"), Some(1024), Some(5), Some(0))
    );
    assert_eq!(client[3].offset, Some(2), "the end of the stream comes after `hi`");
}

#[test]
fn an_answer_in_pieces_is_read_to_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = start(CLIENT, &["--connect", &address, "-v"]);
    let (mut conn, _) = listener.accept().unwrap();
    let mut said = [0; 5];
    conn.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hello");

    conn.write_all(b"h").unwrap();
    // The second piece is sent only when the first was taken: two recvs on every machine.
    let took_one = |line: &Line| {
        let line = String::from_utf8_lossy(&line.text);
        line.contains(" recv conn=") && line.contains("got=1 ")
    };
    client
        .wait_until("recv of 1 byte", LONG, |lines| lines.iter().find(|l| took_one(l)).map(drop))
        .unwrap();
    conn.write_all(b"i").unwrap();
    drop(conn);
    assert_eq!(text(&client.wait(LONG).unwrap().stdout), "hi\n");
}

#[test]
fn a_message_in_pieces_is_read_to_the_end() {
    let server = server(Side::Rust, "127.0.0.1:0");
    let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn.write_all(b"hel").unwrap();
    // The server answers what the first recv returned: nothing in the stream says that more will follow.
    let mut answer = Vec::new();
    conn.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"hi");
    conn.write_all(b"lo").unwrap();
    conn.shutdown(Shutdown::Write).unwrap();
    assert!(text(&server.wait(LONG).unwrap().stdout).ends_with("\nhello\n"));
}

fn server(side: Side, listen: &str) -> Program {
    let mut command = program(side, SERVER, "server.py");
    Program::start("server", command.args(["--listen", listen])).unwrap()
}

fn client(side: Side, address: &str) -> Finished {
    let mut command = program(side, CLIENT, "client.py");
    match side {
        Side::Rust => command.args(["--connect", address]),
        Side::Python => command.arg(address),
    };
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// Our program, or the Python peer.
fn program(side: Side, ours: &str, peer: &str) -> Command {
    match side {
        Side::Rust => Command::new(ours),
        Side::Python => {
            let mut python = Command::new(stage::python().unwrap());
            python.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR")));
            python
        }
    }
}

fn start(program: &str, args: &[&str]) -> Program {
    Program::start(program, Command::new(program).args(args)).unwrap()
}

/// The call, its socket and its bytes.
fn calls(events: &[Event]) -> Vec<(&str, u64, &str)> {
    let mut calls = Vec::new();
    for Event { call, conn, data, .. } in events {
        calls.push((call.as_str(), *conn, data.as_deref().map_or("", text)));
    }
    calls
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn events(trace: &Path) -> Vec<Event> {
    let text = fs::read_to_string(trace).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
