//! How long our servers wait for a client that stalls: 30 seconds, and then they say what is missing and serve the next one.
//!
//! All side by side, so that it takes half a minute in all. The same for the models of threaded-server, with a shorter
//! frame timeout, stands in `crates/threaded-server/tests/handler.rs`.
//!
//! | fault | test |
//! |---|---|
//! | a client that never finishes its frame, never says `OK`, never reads its answer | `a_client_that_stalls_is_given_up` |
//! | a client that says nothing at all | `an_idle_client_may_think` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use stage::{Line, Program};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(90);

/// A server and how to ask it something.
#[derive(Clone, Copy)]
struct Protocol {
    server: &'static str,
    arguments: &'static [&'static str],
    framed: bool,
}

const STICKY: Protocol =
    Protocol { server: "sticky-packet-repro-server", arguments: &["shell"], framed: false };
const ACK: Protocol =
    Protocol { server: "fix-ack-handshake-server", arguments: &[], framed: false };
const STRUCT: Protocol =
    Protocol { server: "fix-struct-prefix-server", arguments: &[], framed: true };
const JSON: Protocol = Protocol { server: "fix-json-header-server", arguments: &[], framed: true };

/// What the client does before it stalls.
#[derive(Clone, Copy, Debug)]
enum Stall {
    /// Sends a part of a frame.
    InsideItsFrame,
    /// Reads the length, and does not say `OK`.
    BeforeItsOk,
    /// Asks for 16 MB, and reads none of it.
    BeforeItsAnswer,
}

#[test]
fn a_client_that_stalls_is_given_up() {
    let cases = [
        (STRUCT, Stall::InsideItsFrame),
        (JSON, Stall::InsideItsFrame),
        (ACK, Stall::BeforeItsOk),
        (STICKY, Stall::BeforeItsAnswer),
        (ACK, Stall::BeforeItsAnswer),
        (STRUCT, Stall::BeforeItsAnswer),
        (JSON, Stall::BeforeItsAnswer),
    ];
    thread::scope(|scope| {
        for (protocol, stall) in cases {
            scope.spawn(move || check(protocol, stall));
        }
    });
}

fn check(protocol: Protocol, stall: Stall) {
    let what = format!("{}, {stall:?}", protocol.server);
    let server = start(protocol);
    let address = server.address().unwrap();
    let mut conn = connect(&address);
    let begun = Instant::now();
    match stall {
        Stall::InsideItsFrame => conn.write_all(b"\x07\0\0\0ech").unwrap(),
        Stall::BeforeItsOk => {
            conn.write_all(b"echo hi").unwrap();
            conn.read_exact(&mut [0; 1]).unwrap();
        }
        Stall::BeforeItsAnswer => {
            conn.write_all(&request(protocol, "head -c 16000000 /dev/zero")).unwrap();
            if protocol.server == ACK.server {
                conn.read_exact(&mut [0; b"16000000".len()]).unwrap();
                conn.write_all(b"OK").unwrap();
            }
        }
    }
    // These servers serve one client after another: the next has its answer when this one is given up.
    let mut next = connect(&address);
    next.write_all(&request(protocol, "echo hi")).unwrap();
    next.read_exact(&mut [0; 1]).unwrap();
    let waited = begun.elapsed();
    assert!((29..45).contains(&waited.as_secs()), "{what}: {waited:?}");
    let missing = match stall {
        Stall::InsideItsFrame => "7 bytes of its request came",
        Stall::BeforeItsOk => "`OK` did not come in time",
        Stall::BeforeItsAnswer => "its answer was not read in time",
    };
    server
        .wait_until(missing, LONG, |lines| {
            let says = |line: &Line| String::from_utf8_lossy(&line.text).contains(missing);
            lines.iter().any(says).then_some(())
        })
        .unwrap();
}

/// Between two commands there is no deadline: a person may read an answer as long as they like.
#[test]
fn an_idle_client_may_think() {
    thread::scope(|scope| {
        for protocol in [STICKY, STRUCT, JSON] {
            scope.spawn(move || {
                let server = start(protocol);
                let mut conn = connect(&server.address().unwrap());
                conn.write_all(&request(protocol, "echo hi")).unwrap();
                conn.read_exact(&mut [0; 1]).unwrap();
                // Nothing to wait for: the time itself is what is tested.
                thread::sleep(Duration::from_secs(33));
                conn.write_all(&request(protocol, "echo hi")).unwrap();
                // The rest of the first answer, the second, and then, as we send no more, the end.
                conn.shutdown(Shutdown::Write).unwrap();
                let mut came = Vec::new();
                conn.read_to_end(&mut came).unwrap();
                assert!(came.ends_with(b"hi\n"), "{}: {came:?}", protocol.server);
                let answers = came.windows(3).filter(|bytes| bytes == b"hi\n").count();
                assert!(answers > usize::from(protocol.framed), "{}", protocol.server);
            });
        }
    });
}

fn start(protocol: Protocol) -> Program {
    let mut command = Command::new(stage::binary(protocol.server).unwrap());
    command.args(protocol.arguments).args(["--listen", "127.0.0.1:0"]);
    Program::start(protocol.server, &mut command).unwrap()
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn request(protocol: Protocol, command: &str) -> Vec<u8> {
    let length = i32::try_from(command.len()).unwrap().to_le_bytes();
    let prefix = if protocol.framed { &length[..] } else { b"" };
    [prefix, command.as_bytes()].concat()
}
