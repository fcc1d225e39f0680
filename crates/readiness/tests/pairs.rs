//! Each client with each server, ours and Python's; and what one client can do to the others.
//!
//! | fault | test |
//! |---|---|
//! | a silent client | `a_silent_client_holds_up_nobody`, `the_wrong_one_waits_in_turn` |
//! | a client that doesn't read | `one_that_does_not_read_waits_alone_and_loses_nothing` |
//! | a reset | `a_reset_ends_one_connection` |
//! | a half-close | `what_was_said_before_the_end_is_answered` |
//! | too many clients | `above_the_limit_they_wait` |
//! | no descriptor left | `without_a_descriptor_only_newcomers_wait` |
//! | a server that says too much | `our_clients_read_to_the_end` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use stage::{Finished, Program, Signal, Stream};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);
/// More than the kernel's buffers hold in both directions. 251 is prime: a piece that is lost or doubled shows.
const MUCH: usize = 32 << 20;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Rust,
    Python,
}

#[test]
fn each_client_with_each_server() {
    let hosts: &[&str] = match TcpListener::bind("[::1]:0") {
        Ok(_) => &["127.0.0.1", "[::1]"],
        Err(_) => &["127.0.0.1"],
    };
    for host in hosts {
        for server_side in sides() {
            let server = server_at(server_side, host);
            let address = server.address().unwrap();
            for client_side in sides() {
                let done = client(client_side, &address, &["hello", "", "und so weiter"]);
                let pair = format!("{server_side:?} server at {host}, {client_side:?} client");
                assert_eq!(text(&done.stdout), "HELLO\n\nUND SO WEITER\n", "{pair}");
                assert_eq!((done.code, text(&done.stderr)), (Some(0), ""), "{pair}");
            }
        }
    }
}

#[test]
fn our_client_says_the_lines_of_its_input() {
    let server = server(Side::Rust);
    let mut command = Command::new(env!("CARGO_BIN_EXE_readiness-client"));
    command.args(["--connect", &server.address().unwrap()]);
    let mut client = Program::start("client", &mut command).unwrap();
    client.write(b"one\ntwo").unwrap();
    client.close_stdin();
    assert_eq!(text(&client.wait(LONG).unwrap().stdout), "ONE\nTWO\n");
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
}

#[test]
fn a_silent_client_holds_up_nobody() {
    for side in sides() {
        let server = server(side);
        let address = server.address().unwrap();
        let mut silent = connect(&address);
        let mut others = [connect(&address), connect(&address)];
        for round in 0..3 {
            for conn in &mut others {
                assert_eq!(ask(conn, b"anybody?"), b"ANYBODY?", "{side:?}, round {round}");
            }
        }
        assert_eq!(ask(&mut silent, b"me too"), b"ME TOO", "{side:?}");
    }
}

#[test]
fn the_wrong_one_waits_in_turn() {
    if stage::python().is_none() {
        return;
    }
    let server = peer("in_turn.py", &["0"]);
    let address = server.address().unwrap();
    let mut conns = [connect(&address), connect(&address), connect(&address)];
    let [silent, second, third] = &mut conns;
    second.write_all(b"anybody?").unwrap();
    // What proves that it waits is that an answer to the first comes before the second's, however long we look.
    second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let nothing = second.read(&mut [0]).unwrap_err().kind();
    assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&nothing), "{nothing}");
    second.set_read_timeout(Some(LONG)).unwrap();
    assert_eq!(ask(silent, b"here"), b"HERE");
    assert_eq!(receive(second, 8), b"ANYBODY?");
    assert_eq!(ask(third, b"finally"), b"FINALLY");
}

#[test]
fn one_that_does_not_read_waits_alone_and_loses_nothing() {
    for side in sides() {
        let server = server(side);
        let address = server.address().unwrap();
        let mut lazy = connect(&address);
        lazy.set_nonblocking(true).unwrap();
        let said: Vec<u8> = (0..MUCH).map(|at| (at % 251) as u8).collect();
        // It sends until nothing goes any more, however often it tries while another one is served.
        let mut other = connect(&address);
        let (mut sent, mut stuck) = (0, 0);
        while stuck < 20 {
            match lazy.write(&said[sent..]) {
                Ok(n) => (sent, stuck) = (sent + n, 0),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{side:?}");
                    assert_eq!(ask(&mut other, b"and me?"), b"AND ME?", "{side:?}");
                    stuck += 1;
                }
            }
        }
        assert!(sent < said.len(), "{side:?}: the server took all of it: its queue has no limit");

        // Now it reads: everything that it said comes back, in order, also what the server's partial sends left.
        lazy.set_nonblocking(false).unwrap();
        let mut writer = lazy.try_clone().unwrap();
        let rest = said[sent..].to_vec();
        let sender = std::thread::spawn(move || {
            writer.write_all(&rest)?;
            writer.shutdown(Shutdown::Write)
        });
        let mut came = Vec::new();
        lazy.read_to_end(&mut came).unwrap();
        sender.join().unwrap().unwrap();
        assert!(came == said.to_ascii_uppercase(), "{side:?}: {} of {MUCH} bytes", came.len());
    }
}

#[test]
fn a_reset_ends_one_connection() {
    for side in sides() {
        let server = server(side);
        let address = server.address().unwrap();
        let mut other = connect(&address);
        let mut rude = connect(&address);
        assert_eq!(ask(&mut rude, b"x"), b"X");
        // Closed with an unread answer: the kernel resets the connection (RFC 2525, 2.17).
        rude.write_all(b"and bye").unwrap();
        let mut first = [0];
        rude.read_exact(&mut first).unwrap();
        drop(rude);
        server
            .wait_for_line(
                Stream::Stderr,
                if side == Side::Rust { "readiness-server: 127." } else { "server.py: " },
                LONG,
            )
            .unwrap();
        assert_eq!(ask(&mut other, b"still here"), b"STILL HERE", "{side:?}");
    }
}

#[test]
fn what_was_said_before_the_end_is_answered() {
    for side in sides() {
        let server = server(side);
        let mut conn = connect(&server.address().unwrap());
        for byte in b"bye" {
            conn.write_all(&[*byte]).unwrap();
        }
        conn.shutdown(Shutdown::Write).unwrap();
        let mut came = Vec::new();
        conn.read_to_end(&mut came).unwrap();
        assert_eq!(came, b"BYE", "{side:?}");
    }
}

#[test]
fn above_the_limit_they_wait() {
    for side in sides() {
        let server = server(side);
        let address = server.address().unwrap();
        let mut conns: Vec<TcpStream> = (0..256)
            .map(|_| {
                let mut conn = connect(&address);
                assert_eq!(ask(&mut conn, b"a"), b"A");
                conn
            })
            .collect();
        let mut late = connect(&address);
        late.write_all(b"b").unwrap();
        // Served by now, if it were accepted: a round of the loop serves everybody who is ready.
        for conn in &mut conns {
            assert_eq!(ask(conn, b"c"), b"C");
        }
        late.set_nonblocking(true).unwrap();
        assert_eq!(late.peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "{side:?}");
        late.set_nonblocking(false).unwrap();
        conns.pop();
        assert_eq!(receive(&mut late, 1), b"B");
    }
}

/// One more client than there are descriptors. It waits, and nobody waits with it: neither in a pause of the loop, nor
/// because the loop does nothing but try again.
#[test]
fn without_a_descriptor_only_newcomers_wait() {
    const ASKED: usize = 30;
    for side in sides() {
        let inside = command(side, "127.0.0.1:0");
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", "ulimit -n 16; exec \"$@\"", "sh"]).arg(inside.get_program());
        limited.args(inside.get_args());
        if side == Side::Rust {
            limited.arg("-v"); // each call is a line of the log
        }
        let server = Program::start("server", &mut limited).unwrap();
        let address = server.address().unwrap();
        let mut first = connect(&address);
        assert_eq!(ask(&mut first, b"a"), b"A");
        let mut crowd: Vec<TcpStream> = (0..16).map(|_| connect(&address)).collect();
        let failed = |lines: &[stage::Line]| {
            let said = lines.iter().map(|line| String::from_utf8_lossy(&line.text));
            said.filter(|line| line.contains("Too many open files")).count()
        };
        server
            .wait_until("no descriptor", LONG, |lines| (failed(lines) > 0).then_some(()))
            .unwrap();
        let before = failed(&server.said());
        for _ in 0..ASKED {
            assert_eq!(ask(&mut first, b"b"), b"B");
        }
        let tried = failed(&server.said()) - before;
        assert!(tried < ASKED / 2, "{side:?}: {tried} tries while {ASKED} were answered");

        // Those who leave make room.
        let mut last = crowd.pop().unwrap();
        drop(crowd);
        assert_eq!(ask(&mut last, b"c"), b"C");
    }
}

/// The answer is as long as the line. What comes after the last one is nobody's.
#[test]
fn our_clients_read_to_the_end() {
    for side in sides() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let client = start_client(side, &address, &["hello"]);
        let (mut conn, _) = listener.accept().unwrap();
        assert_eq!(receive(&mut conn, 5), b"hello");
        conn.write_all(b"HELLO, hello").unwrap();
        let done = client.wait(LONG).unwrap();
        let complaint = text(&done.stderr);
        assert_eq!((done.code, text(&done.stdout)), (Some(5), "HELLO\n"), "{side:?}: {complaint}");
        assert!(complaint.contains("7 bytes came that nobody announced"), "{complaint}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn level_and_edge() {
    if stage::python().is_none() {
        return;
    }
    let done = peer("edge.py", &[]).wait(LONG).unwrap();
    let expected = include_str!("edge.txt");
    assert_eq!((text(&done.stdout), text(&done.stderr)), (expected, ""));
}

fn sides() -> Vec<Side> {
    if stage::python().is_some() { vec![Side::Rust, Side::Python] } else { vec![Side::Rust] }
}

fn server(side: Side) -> Program {
    server_at(side, "127.0.0.1")
}

fn server_at(side: Side, host: &str) -> Program {
    Program::start("server", &mut command(side, &format!("{host}:0"))).unwrap()
}

fn command(side: Side, listen: &str) -> Command {
    match side {
        Side::Rust => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_readiness-server"));
            command.args(["--listen", listen]);
            command
        }
        Side::Python => python("server.py", &[listen]),
    }
}

fn client(side: Side, address: &str, lines: &[&str]) -> Finished {
    start_client(side, address, lines).wait(LONG).unwrap()
}

fn start_client(side: Side, address: &str, lines: &[&str]) -> Program {
    match side {
        Side::Rust => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_readiness-client"));
            Program::start("client", command.args(["--connect", address]).args(lines)).unwrap()
        }
        Side::Python => peer("client.py", &[&[address], lines].concat()),
    }
}

fn peer(name: &str, args: &[&str]) -> Program {
    Program::start(name, &mut python(name, args)).unwrap()
}

fn python(name: &str, args: &[&str]) -> Command {
    let mut python = Command::new(stage::python().unwrap());
    python.arg(format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"))).args(args);
    python
}

fn connect(address: &str) -> TcpStream {
    let conn = TcpStream::connect(address).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    conn
}

fn ask(conn: &mut TcpStream, said: &[u8]) -> Vec<u8> {
    conn.write_all(said).unwrap();
    receive(conn, said.len())
}

fn receive(conn: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut answer = vec![0; count];
    let got: io::Result<()> = conn.read_exact(&mut answer);
    got.unwrap();
    answer
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
