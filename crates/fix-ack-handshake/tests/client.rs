//! What a server can do to our client, and how it ends: one line on stderr, and the exit code that says what it was.
//!
//! | fault | test |
//! |---|---|
//! | garbage, a negative or a huge length; cut inside the answer; closed or reset at once; silence | `hostile_servers` |
//! | a length text of `-1`, `+5`, `5 `, `٣`, `1e3`, 11 digits | `length_texts` |
//! | more than was announced | `more_than_was_announced` |
//! | a promise of 2 GiB | `a_promise_costs_nothing` |
//! | a refused connection | `nobody_listens` |
//! | Ctrl-C | `interrupted_while_it_waits` |
//! | `\| head -1` on 10 MB | `a_reader_who_has_seen_enough` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use socket2::{Domain, SockRef, Socket, Type};
use stage::{Finished, Program, Signal};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const CLIENT: &str = env!("CARGO_BIN_EXE_fix-ack-handshake-client");

/// What the hostile server does behind its bytes.
enum Then {
    Close,
    Reset,
    Hold,
}

#[test]
fn hostile_servers() {
    use Then::{Close, Hold, Reset};
    for (length, body, then, code, says) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "",
            Hold,
            5,
            "1 to 10 decimal digits, got \"HTTP/1.1 40\"",
        ),
        ("16777217", "", Hold, 5, "at most 16777216, got 16777217"),
        ("9999999999", "", Hold, 5, "at most 16777216, got 9999999999"),
        ("", "", Close, 4, "the stream ended before an answer"),
        ("3", "", Close, 4, "inside the body: 0 of 3 bytes came"),
        ("3", "hi", Close, 4, "inside the body: 2 of 3 bytes came"),
        ("", "", Reset, 4, "waiting for the answer: Connection reset by peer"),
        ("3", "", Reset, 4, "waiting for the answer: Connection reset by peer"),
        ("", "", Hold, 6, "nothing happened for too long"),
        ("3", "", Hold, 6, "nothing happened for too long"),
        ("3", "hi", Hold, 6, "nothing happened for too long"),
    ] {
        let (server, address) = server(length, body, then);
        let done = client(&address, &["--timeout", "0.5", "-c", "echo hi"]);
        failed(&done, code, &[&address, says]);
        assert_eq!(done.stdout, b"", "not a part of an answer");
        server.join().unwrap();
    }
}

#[test]
fn length_texts() {
    for (text, shown) in [
        ("-1", "-1"),
        ("+5", "+5"),
        ("5 ", "5 "),
        (" 5", " 5"),
        ("1_0", "1_0"),
        ("1e3", "1e3"),
        ("٣", "\\xd9\\xa3"),
        ("5\n", "5\\n"),
        ("00000000005", "00000000005"),
    ] {
        let (server, address) = server(text, "", Then::Hold);
        let done = client(&address, &["-c", "echo hi"]);
        failed(&done, 5, &[&address, &format!("1 to 10 decimal digits, got \"{shown}\"")]);
        server.join().unwrap();
    }
}

/// What was announced is printed; what follows is not taken for the next answer.
#[test]
fn more_than_was_announced() {
    let (server, address) = server("3", "hi\n!", Then::Hold);
    let done = client(&address, &["-c", "echo hi", "-c", "echo hi"]);
    failed(&done, 5, &[&address, "expected nothing after the end of the answer, got 1 more byte"]);
    assert_eq!(done.stdout, b"hi\n");
    server.join().unwrap();
}

/// With 256 MiB of address space, who allocates what was promised is killed.
#[test]
#[cfg(target_os = "linux")]
fn a_promise_costs_nothing() {
    let (server, address) = server("2147483647", "but only this", Then::Close);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -v 262144 && exec \"$0\" \"$@\"", CLIENT, "--connect", &address]);
    limited.args(["--max-frame", "2147483647", "-c", "echo hi"]);
    let done = Program::start("client", &mut limited).unwrap().wait(LONG).unwrap();
    failed(&done, 4, &["inside the body: 13 of 2147483647 bytes came"]);
    server.join().unwrap();
}

#[test]
fn nobody_listens() {
    // Bound, so that nobody else gets the port, and not listening.
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    let address = bound.local_addr().unwrap().as_socket().unwrap().to_string();
    let done = client(&address, &["-c", "echo hi"]);
    failed(&done, 3, &[&format!("cannot connect to {address}"), "is the server running?"]);
}

#[test]
fn a_reader_who_has_seen_enough() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-server"));
    let server = Program::start("server", server.args(["--listen", "127.0.0.1:0"])).unwrap();
    let script = "{ \"$0\" \"$@\"; echo \"exit code $?\" >&2; } | head -1";
    let mut piped = Command::new("/bin/sh");
    piped.args(["-c", script, CLIENT, "--connect", &server.address().unwrap()]);
    piped.args(["-c", "yes | head -c 10000000", "-c", "echo never"]);
    let done = Program::start("pipe", &mut piped).unwrap().wait(LONG).unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stdout), "y\n");
    assert_eq!(String::from_utf8_lossy(&done.stderr), "exit code 141\n");
}

#[test]
fn interrupted_while_it_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(CLIENT);
    command.args(["--connect", &listener.local_addr().unwrap().to_string(), "-c", "sleep 600"]);
    let client = Program::start("client", &mut command).unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    conn.read_exact(&mut [0; 4]).unwrap();
    client.signal(Signal::INT);
    assert_eq!(client.wait(LONG).unwrap().code, Some(130));
}

#[test]
fn the_prompt_where_it_is_asked_for() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-server"));
    let server = Program::start("server", server.args(["--listen", "127.0.0.1:0"])).unwrap();
    let address = server.address().unwrap();
    for (prompt, expected) in [("always", ">>: hi\n>>: >>: "), ("auto", "hi\n")] {
        let mut command = Command::new(CLIENT);
        command.args(["--connect", &address, "--prompt", prompt]);
        let mut client = Program::start("client", &mut command).unwrap();
        client.write(b"echo hi\n\nquit\n").unwrap();
        let done = client.wait(LONG).unwrap();
        assert_eq!(
            (done.code, String::from_utf8_lossy(&done.stdout).as_ref()),
            (Some(0), expected)
        );
    }
}

/// Takes one client and its request, announces this length, sends this body when it has its `OK`, and closes or waits
/// until the client has left.
fn server(length: &'static str, body: &'static str, then: Then) -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        // Read first: closing with unread bytes would be a reset, and the answer lost.
        conn.read_exact(&mut [0; b"echo hi".len()]).unwrap();
        conn.write_all(length.as_bytes()).unwrap();
        // A client that was told nonsense leaves without an `OK`.
        if !length.is_empty() && conn.read_exact(&mut [0; b"OK".len()]).is_ok() {
            conn.write_all(body.as_bytes()).unwrap();
        }
        match then {
            Then::Close => {}
            Then::Reset => SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap(),
            Then::Hold => assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "the client has left"),
        }
    });
    (served, address)
}

fn client(address: &str, args: &[&str]) -> Finished {
    let mut command = Command::new(CLIENT);
    command.args(["--connect", address]).args(args);
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// One line on stderr, from the client, that says all of this.
fn failed(done: &Finished, code: i32, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code, Some(code), "{stderr}");
    assert!(
        stderr.starts_with("fix-ack-handshake-client: ") && stderr.lines().count() == 1,
        "{stderr}"
    );
    for part in says {
        assert!(stderr.contains(part), "{part:?} is not in {stderr}");
    }
}
