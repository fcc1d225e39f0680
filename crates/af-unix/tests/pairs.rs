//! Each client with each server, ours and Python's, for each kind of socket; and the calls that ours make.
//!
//! | fault | test |
//! |---|---|
//! | seqpacket where there is none | `seqpacket_is_only_on_linux` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use observe::Event;
use stage::{Finished, Line, Program, Scratch, Signal};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_af-unix-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_af-unix-client");

const KINDS: &[&str] = match cfg!(target_os = "linux") {
    true => &["stream", "datagram", "seqpacket"],
    false => &["stream", "datagram"],
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Rust,
    Python,
}

/// Python's client adds no newline to what it prints, and only our server says who came.
#[test]
fn each_client_with_each_server() {
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
        for kind in KINDS {
            let pair = format!("{kind}: {server_side:?} server, {client_side:?} client");
            let scratch = Scratch::new().unwrap();
            let path = scratch.path().join("socket");
            let path = path.to_str().unwrap();
            let server = server(server_side, path, kind);
            assert_eq!(server.address().unwrap(), path, "{pair}");
            let done = client(client_side, path, kind);
            assert_eq!(text(&done.stdout).trim_end(), "hi", "{pair}");
            assert_eq!((done.code, text(&done.stderr)), (Some(0), ""), "{pair}");

            let served = server.wait(LONG).unwrap();
            assert!(text(&served.stdout).ends_with("\nhello\n"), "{pair}");
            assert_eq!((served.code, text(&served.stderr)), (Some(0), ""), "{pair}");
            // The socket, the lock, the datagram client's own name: nothing is left.
            assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "{pair}");
        }
    }
}

#[test]
fn ours_say_exactly_this() {
    for kind in KINDS {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let path = path.to_str().unwrap();
        let server = server(Side::Rust, path, kind);
        server.address().unwrap();
        let client = start(CLIENT, &["--path", path, "--kind", kind]);
        let pid = client.pid();
        assert_eq!(text(&client.wait(LONG).unwrap().stdout), "hi\n");

        // A connection says which program it is, a datagram only its name.
        let uid = rustix::process::getuid();
        let from = match (*kind, cfg!(target_os = "linux")) {
            ("datagram", _) => format!("{path}.{pid}"),
            (_, true) => format!("pid {pid}, uid {uid}"),
            (_, false) => "a program of this user".into(),
        };
        let said = server.wait(LONG).unwrap().stdout;
        assert_eq!(text(&said), format!("listening on {path}\nfrom {from}\nhello\n"), "{kind}");
    }
}

#[test]
fn forever_serves_one_client_after_another() {
    for kind in KINDS {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let path = path.to_str().unwrap();
        let server = start(SERVER, &["--path", path, "--kind", kind, "--forever"]);
        server.address().unwrap();
        for count in 1..=3 {
            assert_eq!(text(&client(Side::Rust, path, kind).stdout), "hi\n", "{kind}");
            // The server prints after it has answered, and a signal would not wait for that.
            let hello = |line: &&Line| line.whole && line.text == b"hello";
            let heard =
                |lines: &[Line]| (lines.iter().filter(hello).count() == count).then_some(());
            server.wait_until("hello", LONG, heard).unwrap();
        }
        server.signal(Signal::TERM);
        let served = server.wait(LONG).unwrap();
        assert_eq!(served.code, Some(0), "{kind}");
        let said = text(&served.stdout);
        assert_eq!(said.lines().filter(|line| *line == "hello").count(), 3, "{kind}: {said}");
    }
}

#[test]
fn the_calls_are_those_of_the_lesson() {
    for kind in KINDS {
        let scratch = Scratch::new().unwrap();
        let file = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
        let (path, servers, clients) = (file("socket"), file("server"), file("client"));
        let server = start(SERVER, &["--path", &path, "--kind", kind, "--trace", &servers]);
        server.address().unwrap();
        start(CLIENT, &["--path", &path, "--kind", kind, "--trace", &clients]).wait(LONG).unwrap();
        server.wait(LONG).unwrap();

        // A conn is a socket: for connections 1 the listener, 2 the connection.
        let (server, client) = (events(&servers), events(&clients));
        let [of_server, of_client] = match *kind {
            "datagram" => [
                vec![
                    ("bind", 1, ""),
                    ("recvfrom", 1, "hello"),
                    ("sendto", 1, "hi"),
                    ("close", 1, ""),
                ],
                vec![
                    ("bind", 1, ""),
                    ("connect", 1, ""),
                    ("send", 1, "hello"),
                    ("recv", 1, "hi"),
                    ("close", 1, ""),
                ],
            ],
            _ => [
                vec![
                    ("bind", 1, ""),
                    ("listen", 1, ""),
                    ("accept", 2, ""),
                    ("recv", 2, "hello"),
                    ("send", 2, "hi"),
                    ("shutdown", 2, ""),
                    ("recv", 2, ""),
                    ("close", 2, ""),
                    ("close", 1, ""),
                ],
                vec![
                    ("connect", 1, ""),
                    ("send", 1, "hello"),
                    ("recv", 1, "hi"),
                    ("recv", 1, ""),
                    ("close", 1, ""),
                ],
            ],
        };
        assert_eq!(calls(&server), of_server, "{kind}");
        assert_eq!(calls(&client), of_client, "{kind}");
        let connect = client.iter().find(|event| event.call == "connect").unwrap();
        assert_eq!(connect.peer.as_deref(), Some(&*path), "{kind}");
    }
}

#[test]
fn seqpacket_is_only_on_linux() {
    let help = start(SERVER, &["--help"]).wait(LONG).unwrap();
    assert!(text(&help.stdout).contains("(only on Linux)"));
    if cfg!(target_os = "linux") {
        return;
    }
    for program in [SERVER, CLIENT] {
        let done = start(program, &["--path", "socket", "--kind", "seqpacket"]).wait(LONG).unwrap();
        assert_eq!(done.code, Some(3));
        assert!(text(&done.stderr).contains("seqpacket sockets are only on Linux"));
    }
}

fn server(side: Side, path: &str, kind: &str) -> Program {
    let mut command = program(side, SERVER, "server.py");
    Program::start("server", command.args(["--path", path, "--kind", kind])).unwrap()
}

fn client(side: Side, path: &str, kind: &str) -> Finished {
    let mut command = program(side, CLIENT, "client.py");
    match side {
        Side::Rust => command.args(["--path", path]),
        Side::Python => command.arg(path),
    };
    Program::start("client", command.args(["--kind", kind])).unwrap().wait(LONG).unwrap()
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

fn events(trace: impl AsRef<Path>) -> Vec<Event> {
    let text = fs::read_to_string(trace).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
