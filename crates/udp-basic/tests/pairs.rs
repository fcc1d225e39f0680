//! Each client with each server, in Rust and in Python, over IPv4 and IPv6; and the calls that the Rust programs make.
//!
//! | fault | test |
//! |---|---|
//! | IPv6 | `over_ipv6_too` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
use stage::{Finished, Program, Scratch, Signal};
use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_udp-basic-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_udp-basic-client");

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
    if UdpSocket::bind("[::1]:0").is_err() {
        // Not println!, which the test harness captures: a skipped test should be seen.
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here");
        return;
    }
    check_pairs("[::1]:0");
}

/// Python's client adds no newline to what it prints, and its server also prints the sender's address.
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
        assert_eq!(text(&done.stdout).trim_end(), "你好", "{pair}");
        assert_eq!((done.code, text(&done.stderr)), (Some(0), ""), "{pair}");

        let served = server.wait(LONG).unwrap();
        let said = text(&served.stdout);
        assert!(said.starts_with(&format!("listening on {address}\n")), "{pair}: {said}");
        assert!(said.ends_with("\nfrom udp client\n"), "{pair}: {said}");
        assert_eq!((served.code, text(&served.stderr)), (Some(0), ""), "{pair}");
    }
}

#[test]
fn ours_say_exactly_this() {
    let server = server(Side::Rust, "127.0.0.1:0");
    let address = server.address().unwrap();
    assert_eq!(text(&client(Side::Rust, &address).stdout), "你好\n");
    let said = server.wait(LONG).unwrap().stdout;
    assert_eq!(text(&said), format!("listening on {address}\nfrom udp client\n"));
}

#[test]
fn forever_answers_one_datagram_after_another() {
    let server = start(SERVER, &["--listen", "127.0.0.1:0", "--forever"]);
    let address = server.address().unwrap();
    for word in ["one", "two", "three"] {
        let done = start(CLIENT, &["--connect", &address, "--message", word, "--timeout", "60"]);
        assert_eq!(text(&done.wait(LONG).unwrap().stdout), "你好\n");
    }
    server.signal(Signal::TERM);
    let served = server.wait(LONG).unwrap();
    assert_eq!(served.code, Some(0));
    assert!(text(&served.stdout).ends_with("\none\ntwo\nthree\n"));
}

#[test]
fn the_calls_are_those_of_the_lesson() {
    let scratch = Scratch::new().unwrap();
    let (servers, clients) = (scratch.path().join("server"), scratch.path().join("client"));

    let args = ["--listen", "127.0.0.1:0", "--trace", servers.to_str().unwrap()];
    let server = start(SERVER, &args);
    let address = server.address().unwrap();
    let args = ["--connect", &address, "--trace", clients.to_str().unwrap(), "--timeout", "60"];
    start(CLIENT, &args).wait(LONG).unwrap();
    server.wait(LONG).unwrap();

    // One socket on each side, and no listen, accept or connect.
    let (server, client) = (events(&servers), events(&clients));
    let question = ("recvfrom", "from udp client");
    assert_eq!(calls(&server), [("bind", ""), question, ("sendto", "你好"), ("close", "")]);
    let question = ("sendto", "from udp client");
    assert_eq!(calls(&client), [question, ("recvfrom", "你好"), ("close", "")]);

    // The answer goes to the address that the question came from, which no program has bound.
    assert_eq!(server[1].peer, server[2].peer);
    assert_eq!(client[0].peer.as_deref(), Some(&*address));
    assert_eq!(client[1].peer.as_deref(), Some(&*address));
}

fn server(side: Side, listen: &str) -> Program {
    let mut command = program(side, SERVER, "server.py");
    Program::start("server", command.args(["--listen", listen])).unwrap()
}

fn client(side: Side, address: &str) -> Finished {
    let mut command = program(side, CLIENT, "client.py");
    match side {
        Side::Rust => command.args(["--connect", address, "--timeout", "60"]),
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

/// The call and its bytes.
fn calls(events: &[Event]) -> Vec<(&str, &str)> {
    let mut calls = Vec::new();
    for Event { call, data, .. } in events {
        calls.push((call.as_str(), data.as_deref().map_or("", text)));
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
