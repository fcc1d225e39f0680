//! What a server can answer that this protocol does not allow: one line on stderr, and exit code 5.
//!
//! What all remote-command clients promise is tested in `crates/shell/tests/clients`.
//!
//! | fault | test |
//! |---|---|
//! | a length text of `-1`, `+5`, `5 `, `٣`, `1e3`, 11 digits, a web server's answer; too large a length | `length_texts` |
//! | more than was announced | `more_than_was_announced` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use stage::{Finished, Program};

/// A test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn length_texts() {
    for (text, shown) in [
        ("-1", "\"-1\""),
        ("+5", "\"+5\""),
        ("5 ", "\"5 \""),
        (" 5", "\" 5\""),
        ("1_0", "\"1_0\""),
        ("1e3", "\"1e3\""),
        ("٣", "\"\\xd9\\xa3\""),
        ("5\n", "\"5\\n\""),
        ("00000000005", "\"00000000005\""),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "\"HTTP/1.1 40\""),
        ("16777217", "16777217"),
        ("9999999999", "9999999999"),
    ] {
        let (server, address) = server(text, "");
        let done = client(&address, &["-c", "echo hi"]);
        failed(&done, &[&address, shown]);
        assert_eq!(done.stdout, b"");
        server.join().unwrap();
    }
}

/// What was announced is printed; what follows is not mistaken for the next answer.
#[test]
fn more_than_was_announced() {
    let (server, address) = server("3", "hi\n!");
    let done = client(&address, &["-c", "echo hi", "-c", "echo hi"]);
    failed(&done, &[&address, "1 more"]);
    assert_eq!(done.stdout, b"hi\n");
    server.join().unwrap();
}

/// Takes one client and its request, announces this length, sends this body when it has its `OK`, and waits until the
/// client has left.
fn server(length: &'static str, body: &'static str) -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        conn.read_exact(&mut [0; b"echo hi".len()]).unwrap();
        conn.write_all(length.as_bytes()).unwrap();
        // A client that was told nonsense leaves without an `OK`.
        if conn.read_exact(&mut [0; b"OK".len()]).is_ok() {
            conn.write_all(body.as_bytes()).unwrap();
        }
        assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "the client has left");
    });
    (served, address)
}

fn client(address: &str, args: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-ack-handshake-client"));
    command.args(["--connect", address]).args(args);
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// The server broke the protocol, and one line on stderr says all of this.
fn failed(done: &Finished, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.code == Some(5) && stderr.lines().count() == 1, "{done:?}");
    assert!(says.iter().all(|part| stderr.contains(part)), "{says:?} is not in {stderr}");
}
