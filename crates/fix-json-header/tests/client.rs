//! What a server can answer that this protocol does not allow: one line on stderr, and exit code 5, or 4 for what is cut.
//!
//! What all remote-command clients promise is tested in `crates/shell/tests/clients`.
//!
//! | fault | test |
//! |---|---|
//! | garbage, a negative, a huge or a cut length | `bad_lengths` |
//! | a header that is cut, not UTF-8, no object, too long; `data_len` missing, twice, -1, 1.5, "3", null | `bad_lengths`, `bad_headers` |
//! | a header with members that nobody knows | `other_headers_are_fine` |

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
        (b"\xff\xff\xff\x7f", 5, "2147483647"),
        (b"\x01\0\x01\0", 5, "65537"),
        (b"\0\0\0\0", 5, "got 0"),
        (b"\x0e\0", 4, "2 of 4"),
        (b"\x0e\0\0\0{\"data_len\"", 4, "11 of 14"),
    ] {
        let (server, address) = server(answer);
        let done = client(&address);
        failed(&done, code, &[&address, says]);
        server.join().unwrap();
    }
}

#[test]
fn bad_headers() {
    for (header, says) in [
        (&b"{\"data_len\":3,\"x\":\"\xff\"}"[..], "not UTF-8"),
        (b"{}", "data_len"),
        (b"{\"data_len\":3,\"data_len\":3}", "twice"),
        (b"{\"data_len\":-1}", "-1"),
        (b"{\"data_len\":1.5}", "1.5"),
        (b"{\"data_len\":\"3\"}", "\"3\""),
        (b"{\"data_len\":null}", "null"),
        (b"[3]", "not an object"),
        (b"{\"data_len\":3", "EOF"),
        (b"{\"data_len\":16777217}", "16777217"),
    ] {
        let (server, address) = server(&headed(header, b"hi\n"));
        let done = client(&address);
        failed(&done, 5, &[&address, says]);
        server.join().unwrap();
    }
}

/// An old server says less than ours, a later one may say more; the user sees what is known.
#[test]
fn other_headers_are_fine() {
    for (header, lines, says) in [
        (&b"{\"data_len\":3}"[..], 0, ""),
        (b" {\"data_len\" : 3}\n", 0, ""),
        (b"{\"mood\":\"good\",\"data_len\":3,\"more\":[{}]}", 0, ""),
        (b"{\"data_len\":3,\"status\":\"fine\",\"truncated\":1}", 0, ""),
        (b"{\"data_len\":3,\"status\":0,\"truncated\":false,\"timed_out\":false}", 0, ""),
        (b"{\"data_len\":3,\"status\":3}", 1, "code 3"),
        (b"{\"data_len\":3,\"truncated\":true}", 1, "keeps"),
        (b"{\"data_len\":3,\"timed_out\":true}", 1, "time"),
        (b"{\"data_len\":3,\"status\":{\"signal\":9},\"timed_out\":true}", 2, "signal 9"),
    ] {
        let (server, address) = server(&headed(header, b"hi\n"));
        let done = client(&address);
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(stderr.lines().count() == lines && stderr.contains(says), "{stderr}");
        assert_eq!(
            (done.code, &done.stdout[..]),
            (Some(0), &b"hi\n"[..]),
            "{}",
            header.escape_ascii()
        );
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

fn headed(header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(header.len()).unwrap();
    [&length.to_le_bytes(), header, body].concat()
}

fn client(address: &str) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fix-json-header-client"));
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
