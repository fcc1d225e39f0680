//! What a server can do to our client, and how it ends: one line on stderr, and the exit code that says what it was.
//!
//! | fault | test |
//! |---|---|
//! | garbage, a negative, a huge or a cut length; cut inside the answer; closed or reset at once; silence | `hostile_servers` |
//! | a header that is not UTF-8, no object, too long; `data_len` missing, twice, -1, 1.5, "3", null | `hostile_servers`, `bad_headers` |
//! | a header with members that nobody knows | `other_headers_are_fine` |
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

const CLIENT: &str = env!("CARGO_BIN_EXE_fix-json-header-client");

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
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            Hold,
            5,
            "expected a length from 1 to 65536, got 1347703880",
        ),
        (b"\xff\xff\xff\xff", Hold, 5, "got -1 (ff ff ff ff"),
        (b"\xff\xff\xff\x7f", Hold, 5, "expected a length from 1 to 65536, got 2147483647"),
        (b"\x01\0\x01\0", Hold, 5, "expected a length from 1 to 65536, got 65537"),
        (b"\0\0\0\0", Hold, 5, "expected a length from 1 to 65536, got 0"),
        (b"", Close, 4, "the stream ended before an answer"),
        (b"\x0e\0", Close, 4, "inside the length prefix: 2 of 4 bytes came"),
        (b"\x0e\0\0\0{\"data_len\"", Close, 4, "inside the header: 11 of 14 bytes came"),
        (b"\x0e\0\0\0{\"data_len\":3}", Close, 4, "inside the body: 0 of 3 bytes came"),
        (b"\x0e\0\0\0{\"data_len\":3}hi", Close, 4, "inside the body: 2 of 3 bytes came"),
        (b"", Reset, 4, "waiting for the answer: Connection reset by peer"),
        (b"", Hold, 6, "nothing happened for too long"),
        (b"\x0e\0\0\0{\"data_len\":3}hi", Hold, 6, "nothing happened for too long"),
    ] {
        let (server, address) = server(answer, then);
        let done = client(&address, &["--timeout", "0.5", "-c", "echo hi"]);
        failed(&done, code, &[&address, says]);
        assert_eq!(done.stdout, b"", "not a part of an answer");
        server.join().unwrap();
    }
}

#[test]
fn bad_headers() {
    for (header, says) in [
        (&b"{\"data_len\":3,\"x\":\"\xff\"}"[..], "not UTF-8"),
        (b"{}", "it has no data_len, and no other member"),
        (b"{\"data_len\":3,\"data_len\":3}", "data_len comes twice"),
        (b"{\"data_len\":-1}", "data_len is -1, not a whole number"),
        (b"{\"data_len\":1.5}", "data_len is 1.5, not a whole number"),
        (b"{\"data_len\":\"3\"}", "data_len is \"3\", not a whole number"),
        (b"{\"data_len\":null}", "data_len is null, not a whole number"),
        (b"[3]", "not an object"),
        (b"{\"data_len\":3", "EOF while parsing"),
        (b"{\"data_len\":16777217}", "at most 16777216, got 16777217"),
    ] {
        let (server, address) = server(&headed(header, b"hi\n"), Then::Hold);
        let done = client(&address, &["-c", "echo hi"]);
        failed(&done, 5, &[&address, says]);
        assert_eq!(done.stdout, b"");
        server.join().unwrap();
    }
}

/// An old server says less than ours, a later one may say more; what is said is for the user.
#[test]
fn other_headers_are_fine() {
    for (header, remarks) in [
        (&b"{\"data_len\":3}"[..], ""),
        (b" {\"data_len\" : 3}\n", ""),
        (b"{\"mood\":\"good\",\"data_len\":3,\"more\":[{}]}", ""),
        (b"{\"data_len\":3,\"status\":\"fine\",\"truncated\":1}", ""),
        (b"{\"data_len\":3,\"status\":0,\"truncated\":false,\"timed_out\":false}", ""),
        (b"{\"data_len\":3,\"status\":3}", "the command ended with exit code 3\n"),
        (b"{\"data_len\":3,\"truncated\":true}", "it said more than the server keeps\n"),
        (
            b"{\"data_len\":3,\"status\":{\"signal\":9},\"timed_out\":true}",
            "its time was up\nsignal 9 ended the command\n",
        ),
    ] {
        let (server, address) = server(&headed(header, b"hi\n"), Then::Hold);
        let done = client(&address, &["-c", "echo hi"]);
        assert_eq!(String::from_utf8_lossy(&done.stderr), remarks, "{}", header.escape_ascii());
        assert_eq!(
            (done.code, &done.stdout[..]),
            (Some(0), &b"hi\n"[..]),
            "{}",
            header.escape_ascii()
        );
        server.join().unwrap();
    }
}

/// A second answer that is cut does not take back the first one.
#[test]
fn what_came_whole_is_printed() {
    let whole = headed(b"{\"data_len\":3}", b"hi\n");
    let (server, address) = server(&[&whole, &whole[..12]].concat(), Then::Close);
    let done = client(&address, &["-c", "echo hi", "-c", "echo hi"]);
    assert_eq!((done.code, &done.stdout[..]), (Some(4), &b"hi\n"[..]));
    server.join().unwrap();
}

/// With 256 MiB of address space, who allocates what was promised is killed.
#[test]
#[cfg(target_os = "linux")]
fn a_promise_costs_nothing() {
    let answer = headed(b"{\"data_len\":2147483647}", b"but only this");
    let (server, address) = server(&answer, Then::Close);
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
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-json-header-server"));
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
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-json-header-server"));
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
fn server(answer: &[u8], then: Then) -> (thread::JoinHandle<()>, String) {
    let answer = answer.to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        // Read first: closing with unread bytes would be a reset, and the answer lost.
        conn.read_exact(&mut [0; b"\x07\0\0\0echo hi".len()]).unwrap();
        conn.write_all(&answer).unwrap();
        match then {
            Then::Close => {}
            Then::Reset => SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap(),
            Then::Hold => assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "the client has left"),
        }
    });
    (served, address)
}

fn headed(header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(header.len()).unwrap();
    [&length.to_le_bytes(), header, body].concat()
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
        stderr.starts_with("fix-json-header-client: ") && stderr.lines().count() == 1,
        "{stderr}"
    );
    for part in says {
        assert!(stderr.contains(part), "{part:?} is not in {stderr}");
    }
}
