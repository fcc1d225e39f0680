//! Each client with each server, ours and Python's; what becomes of datagrams; and how it ends.
//!
//! | fault | test |
//! |---|---|
//! | an empty datagram, one larger than the buffer, any bytes | `what_becomes_of_a_datagram` |
//! | 65,508 bytes | `too_long_for_a_datagram` |
//! | nobody answers | `nobody_answers` |
//! | somebody else answers | `only_who_was_asked_can_answer` |
//! | IPv6; no way to the address | `over_ipv6_too`, `nowhere_to_send` |
//! | the port is taken; restart at once; SIGTERM | `one_port_one_server`, `told_to_stop` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use observe::Event;
use stage::{Finished, Program, Scratch, Signal, Stream};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Ours,
    Python,
}

#[test]
fn each_client_with_each_server() {
    check_pairs("127.0.0.1:0");
}

#[test]
fn over_ipv6_too() {
    if UdpSocket::bind("[::1]:0").is_err() {
        // Not println!: the test harness would keep it to itself, and a skipped test should be seen.
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here");
        return;
    }
    check_pairs("[::1]:0");
}

fn check_pairs(listen: &str) {
    let python = stage::python().is_some();
    for (serves, asks) in [
        (Side::Ours, Side::Ours),
        (Side::Ours, Side::Python),
        (Side::Python, Side::Ours),
        (Side::Python, Side::Python),
    ] {
        if !python && (serves, asks) != (Side::Ours, Side::Ours) {
            continue;
        }
        let pair = format!("server {serves:?} at {listen}, client {asks:?}");
        let mut command = program(serves, env!("CARGO_BIN_EXE_udp-basic-server"), "server.py");
        let server = Program::start("server", command.args(["--listen", listen])).unwrap();
        let address = server.address().unwrap();
        let mut command = program(asks, env!("CARGO_BIN_EXE_udp-basic-client"), "client.py");
        match asks {
            Side::Ours => command.args(["--connect", &address]),
            Side::Python => command.arg(&address),
        };
        let done = Program::start("client", &mut command).unwrap().wait(LONG).unwrap();
        assert_eq!((done.code, text(&done.stdout).trim_end()), (Some(0), "你好"), "{pair}");
        let done = server.wait(LONG).unwrap();
        assert_eq!(done.code, Some(0), "{pair}");
        assert!(text(&done.stdout).ends_with("from udp client\n"), "{pair}: {done:?}");
    }
}

#[test]
fn the_calls_are_those_of_the_lesson() {
    let scratch = Scratch::new().unwrap();
    let [servers, clients] = ["server", "client"].map(|name| scratch.path().join(name));
    let server = server(&["--trace", servers.to_str().unwrap()]);
    let address = server.address().unwrap();
    client(&address, &["--trace", clients.to_str().unwrap()]);
    server.wait(LONG).unwrap();

    let events = |path| -> Vec<Event> {
        let trace = fs::read_to_string(path).unwrap();
        trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let calls = |events: &[Event]| -> Vec<String> {
        events.iter().map(|event| event.call.clone()).collect()
    };
    let (server, client) = (events(servers), events(clients));
    assert_eq!(calls(&server), ["bind", "recvfrom", "sendto", "close"]);
    assert_eq!(calls(&client), ["sendto", "recvfrom", "close"]);
    assert_eq!(server[1].peer, server[2].peer, "the answer goes to the sender");
    assert_eq!(client[0].peer.as_deref(), Some(&*address));
}

#[test]
fn what_becomes_of_a_datagram() {
    let server = server(&["--forever"]);
    let address = server.address().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let long = "x".repeat(2000);
    for (sent, printed) in [
        (&b""[..], String::new()),
        (b"hi", "hi".into()),
        (long.as_bytes(), "x".repeat(1024)),
        (b"\xff\0\x1b[31m\n", r"\xff\u{0}\u{1b}[31m\n".into()),
        ("你".as_bytes(), "你".into()),
        (b"last", "last".into()),
    ] {
        socket.send_to(sent, &address).unwrap();
        let mut answer = [0; 100];
        let n = socket.recv(&mut answer).unwrap();
        assert_eq!(text(&answer[..n]), "你好", "{}", sent.escape_ascii());
        let line = server.wait_for_line(Stream::Stdout, &printed, LONG).unwrap();
        if !printed.is_empty() {
            assert_eq!(line, printed);
        }
    }
    let warned =
        server.said().iter().filter(|line| text(&line.text).contains("its rest is lost")).count();
    assert_eq!(warned, 1);
}

#[test]
fn too_long_for_a_datagram() {
    let server = server(&["--forever"]);
    let address = server.address().unwrap();
    let message = |length: usize| client(&address, &["--message", &"x".repeat(length)]);
    failed(&message(65_508), 2, "message too long: --message has 65508 bytes");
    if cfg!(target_os = "linux") {
        assert_eq!(text(&message(65_507).stdout), "你好\n");
    }
}

#[test]
fn nobody_answers() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let done = client(&address, &["--timeout", "0.3"]);
    failed(&done, 6, "UDP does not tell whether a server is there");
}

#[test]
fn only_who_was_asked_can_answer() {
    let (asked, other) = ("127.0.0.1:0", "127.0.0.1:0");
    let [asked, other] = [asked, other].map(|address| UdpSocket::bind(address).unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_udp-basic-client"));
    command.args(["--connect", &asked.local_addr().unwrap().to_string(), "--timeout", "60"]);
    let client = Program::start("client", &mut command).unwrap();
    let (_, from) = asked.recv_from(&mut [0; 100]).unwrap();
    other.send_to(b"wrong", from).unwrap();
    let ignored = |line: &stage::Line| text(&line.text).contains("it came from somebody else");
    let seen = |lines: &[stage::Line]| lines.iter().any(ignored).then_some(());
    client.wait_until("log: ignored", LONG, seen).unwrap();
    asked.send_to(b"right", from).unwrap();
    assert_eq!(text(&client.wait(LONG).unwrap().stdout), "right\n");
}

#[test]
fn nowhere_to_send() {
    // Documentation addresses (RFC 5737) may have a route out of this machine; the unspecified port has none.
    failed(&client("127.0.0.1:0", &[]), 3, "cannot send to 127.0.0.1:0");
}

#[test]
fn one_port_one_server() {
    let first = server(&["--forever"]);
    let address = first.address().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_udp-basic-server"));
    command.args(["--listen", &address]);
    let done = Program::start("second", &mut command).unwrap().wait(LONG).unwrap();
    failed(&done, 3, &format!("cannot listen on {address}"));
    drop(first);
    let again = Program::start("again", &mut command).unwrap();
    assert_eq!(again.address().unwrap(), address);
}

#[test]
fn told_to_stop() {
    for args in [&[][..], &["--forever"]] {
        let server = server(args);
        server.address().unwrap();
        server.signal(Signal::TERM);
        assert_eq!(server.wait(LONG).unwrap().code, Some(0));
    }
}

fn server(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udp-basic-server"));
    Program::start("server", command.args(["--listen", "127.0.0.1:0"]).args(args)).unwrap()
}

fn client(address: &str, args: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udp-basic-client"));
    command.args(["--connect", address]).args(args);
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// Our program, or the Python peer.
fn program(side: Side, ours: &str, peer: &str) -> Command {
    match side {
        Side::Ours => Command::new(ours),
        Side::Python => {
            let mut python = Command::new(stage::python().unwrap());
            python.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR")));
            python
        }
    }
}

/// One line on stderr that says this.
fn failed(done: &Finished, code: i32, says: &str) {
    let stderr = text(&done.stderr);
    assert_eq!(done.code, Some(code), "{stderr}");
    assert!(stderr.lines().count() == 1 && stderr.contains(says), "{says:?} is not in {stderr}");
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}
