//! Answers that this protocol does not allow: one line on stderr, and exit code 5, or 4 if the answer is cut off.
//!
//! What all remote-command clients promise is tested in `crates/shell/tests/clients`.
//!
//! | fault | test |
//! |---|---|
//! | garbage, a negative, a huge or a cut length | `bad_lengths` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::process::Command;
use std::thread;
use std::time::Duration;

use stage::{Finished, Program};

/// A test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn bad_lengths() {
    for (answer, code, says) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], 5, "1347703880"),
        (b"\xff\xff\xff\xff", 5, "-1"),
        (b"\0\0\0\x80", 5, "-2147483648"),
        (b"\xff\xff\xff\x7f", 5, "2147483647"),
        (b"\x01\0\0\x01", 5, "16777217"),
        (b"\x03\0", 4, "2 of 4"),
    ] {
        let (server, address) = server(answer);
        let done = client(&address);
        failed(&done, code, &[&address, says]);
        server.join().unwrap();
    }
}

/// Takes one client and its request, answers with these bytes, ends its side, and waits until the client has left.
fn server(answer: &[u8]) -> (thread::JoinHandle<()>, String) {
    let answer = answer.to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        // Read first: closing with unread bytes would be a reset, and the answer lost.
        conn.read_exact(&mut [0; b"\x07\0\0\0echo hi".len()]).unwrap();
        conn.write_all(&answer).unwrap();
        conn.shutdown(Shutdown::Write).unwrap();
        assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "the client has left");
    });
    (served, address)
}

fn client(address: &str) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-client"));
    command.args(["--connect", address, "-c", "echo hi"]);
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// One line on stderr says all of this, and nothing of the answer is printed.
fn failed(done: &Finished, code: i32, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.code == Some(code) && stderr.lines().count() == 1, "{done:?}");
    assert!(says.iter().all(|part| stderr.contains(part)), "{says:?} is not in {stderr}");
    assert_eq!(done.stdout, b"", "not a part of an answer");
}
