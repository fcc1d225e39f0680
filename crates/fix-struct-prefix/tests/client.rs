//! What a server can do to our client, and how it ends: one line on stderr, and the exit code that says what it was.
//!
//! | fault | test |
//! |---|---|
//! | garbage, a negative, a huge or a cut length; cut inside the answer; closed or reset at once; silence | `hostile_servers` |
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
use std::thread;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const CLIENT: &str = env!("CARGO_BIN_EXE_fix-struct-prefix-client");

/// What the hostile server does behind its bytes.
enum Then {
    Close,
    Reset,
    Hold,
}

#[test]
fn hostile_servers() {
    use Then::{Close, Hold, Reset};
    for (answer, then, code, says) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Hold, 5, "from 0 to 16777216, got 1347703880"),
        (b"\xff\xff\xff\xff", Hold, 5, "got -1 (ff ff ff ff"),
        (b"\0\0\0\x80", Hold, 5, "expected a length from 0 to 16777216, got -2147483648"),
        (b"\xff\xff\xff\x7f", Hold, 5, "from 0 to 16777216, got 2147483647"),
        (b"\x01\0\0\x01", Hold, 5, "from 0 to 16777216, got 16777217"),
        (b"", Close, 4, "the stream ended before an answer"),
        (b"\x03\0", Close, 4, "inside the length prefix: 2 of 4 bytes came"),
        (b"\x03\0\0\0", Close, 4, "inside the body: 0 of 3 bytes came"),
        (b"\x03\0\0\0hi", Close, 4, "inside the body: 2 of 3 bytes came"),
        (b"", Reset, 4, "waiting for the answer: Connection reset by peer"),
        (b"", Hold, 6, "waiting for the answer: nothing happened for too long"),
        (b"\x03\0\0\0hi", Hold, 6, "waiting for the answer: nothing happened for too long"),
    ] {
        let (server, address) = server(answer, then);
        let done = client(&address, &["--timeout", "0.5", "-c", "echo hi"]);
        failed(&done, code, &[&address, says]);
        assert_eq!(done.stdout, b"", "not a part of an answer");
        server.join().unwrap();
    }
}

/// A second answer that is cut does not take back the first one.
#[test]
fn what_came_whole_is_printed() {
    let (server, address) = server(b"\x03\0\0\0hi\n\x03\0\0\0h", Then::Close);
    let done = client(&address, &["-c", "echo hi", "-c", "echo hi"]);
    assert_eq!((done.code, &done.stdout[..]), (Some(4), &b"hi\n"[..]));
    server.join().unwrap();
}

/// With 256 MiB of address space, who allocates what was promised is killed.
#[test]
#[cfg(target_os = "linux")]
fn a_promise_costs_nothing() {
    let (server, address) = server(b"\xff\xff\xff\x7fbut only this", Then::Close);
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
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-server"));
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
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-server"));
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

/// Takes one client and its request, sends it these bytes, and closes or waits until it has left.
fn server(answer: &'static [u8], then: Then) -> (thread::JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        // Read first: closing with unread bytes would be a reset, and the answer lost.
        conn.read_exact(&mut [0; b"\x07\0\0\0echo hi".len()]).unwrap();
        conn.write_all(answer).unwrap();
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
        stderr.starts_with("fix-struct-prefix-client: ") && stderr.lines().count() == 1,
        "{stderr}"
    );
    for part in says {
        assert!(stderr.contains(part), "{part:?} is not in {stderr}");
    }
}
