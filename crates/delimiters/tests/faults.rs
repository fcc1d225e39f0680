//! What a peer can do wrong: one line on stderr and the exit code of the contract; and what came before is answered.
//!
//! | fault | test |
//! |---|---|
//! | the end inside a line or record, a line too long, no line | `a_client_that_breaks_the_agreement` |
//! | an answer that is cut, missing, too many, no line; silence | `a_server_that_breaks_the_agreement` |
//! | one client breaks it, the next is served | `the_next_client_is_served` |
//! | one that broke it sends on, a byte now and then | `a_refused_client_is_not_waited_for` |
//! | a client of Python's server that resets | `a_reset_is_said_in_one_line` |
//! | a size that no memory holds | `a_size_has_a_limit` |
//! | what has no record is not sent | `what_does_not_fit_is_said_before_anything_is_sent` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use stage::{Line, Program, Signal};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const LINES_SERVER: &str = env!("CARGO_BIN_EXE_lines-server");
const LINES_CLIENT: &str = env!("CARGO_BIN_EXE_lines-client");
const FIXED_SERVER: &str = env!("CARGO_BIN_EXE_fixed-server");
const FIXED_CLIENT: &str = env!("CARGO_BIN_EXE_fixed-client");

#[test]
fn a_client_that_breaks_the_agreement() {
    let long = [b"hi\n", &[b'x'; 5000][..]].concat();
    for (server, sends, answer, code, says) in [
        (LINES_SERVER, &b"hi\nhel"[..], "HI\n", 4, "inside a line: 3 bytes came, and no line feed"),
        (LINES_SERVER, b"hi\n\r", "HI\n", 4, "inside a line: 1 byte came"),
        (
            LINES_SERVER,
            &long,
            "HI\n",
            5,
            "a line feed after at most 1024 bytes, got none; a longer",
        ),
        (LINES_SERVER, b"hi\na\\b\n", "HI\n", 5, "a backslash with \"b\" after it means nothing"),
        (LINES_SERVER, b"a\rb\n", "", 5, "a carriage return without a line feed"),
        (FIXED_SERVER, b"hi\0\0\0\0\0\0hey", "HI\0\0\0\0\0\0", 4, "3 of 8 bytes"),
    ] {
        let program = start(server, &["--listen", "127.0.0.1:0"]);
        let mut conn = TcpStream::connect(program.address().unwrap()).unwrap();
        conn.set_read_timeout(Some(LONG)).unwrap();
        conn.write_all(sends).unwrap();
        conn.shutdown(Shutdown::Write).unwrap();
        // Also where the server closes with an error: a reset would be an error here.
        let mut came = String::new();
        conn.read_to_string(&mut came).unwrap();
        assert_eq!(came, answer, "{}", sends.escape_ascii());
        failed(program, code, says);
    }
}

#[test]
fn a_server_that_breaks_the_agreement() {
    for (client, answer, code, says) in [
        (LINES_CLIENT, &b"HELLO\nH"[..], 4, "inside a line: 1 byte came"),
        (LINES_CLIENT, b"HELLO\n", 4, "the stream ended before an answer"),
        (LINES_CLIENT, b"HELLO\nHI\nHEY\n", 5, "expected nothing, got 4 more bytes"),
        (LINES_CLIENT, b"HELLO\nH\\I\n", 5, "a backslash with \"I\" after it"),
        (
            LINES_CLIENT,
            &[b'x'; 5000],
            5,
            "after at most 1024 bytes, got none; a longer line needs --max-line",
        ),
        (FIXED_CLIENT, b"HELLO", 4, "inside the record: 5 of 8 bytes"),
        (FIXED_CLIENT, &[b'x'; 17], 5, "expected nothing, got 1 more byte"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = answer.to_vec();
        let server = thread::spawn(move || {
            let (mut conn, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            conn.read_to_end(&mut request).unwrap();
            conn.write_all(&answer).unwrap();
            request
        });
        let program = start(client, &["--connect", &address]);
        failed(program, code, says);
        let request = server.join().unwrap();
        match client == LINES_CLIENT {
            true => assert_eq!(request, b"hello\nhi\n"),
            false => {
                assert_eq!(request, b"hello\0\0\0hi\0\0\0\0\0\0")
            }
        }
    }
}

#[test]
fn a_silent_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for client in [LINES_CLIENT, FIXED_CLIENT] {
        failed(
            start(client, &["--connect", &address, "--timeout", "0.1"]),
            6,
            "--timeout waits longer",
        );
    }
}

#[test]
fn the_next_client_is_served() {
    for (server, client) in [(LINES_SERVER, LINES_CLIENT), (FIXED_SERVER, FIXED_CLIENT)] {
        let program = start(server, &["--listen", "127.0.0.1:0", "--forever"]);
        let address = program.address().unwrap();
        let mut broken = TcpStream::connect(&address).unwrap();
        broken.write_all(b"no end").unwrap();
        drop(broken);
        for _ in 0..2 {
            let done = start(client, &["--connect", &address]).wait(LONG).unwrap();
            assert_eq!((done.code, &done.stdout[..]), (Some(0), &b"HELLO\nHI\n"[..]), "{client}");
        }
        let complained = |line: &Line| line.text.windows(6).any(|it| it == b"ended ");
        program
            .wait_until("an error", LONG, |lines| lines.iter().any(complained).then_some(()))
            .unwrap();
        program.signal(Signal::TERM);
        assert_eq!(program.wait(LONG).unwrap().code, Some(0));
    }
}

/// It would take four minutes if each of its bytes were given a second.
#[test]
fn a_refused_client_is_not_waited_for() {
    // A record can't be wrong, so a record that comes too late stands for one.
    for (server, client, timeout) in
        [(LINES_SERVER, LINES_CLIENT, "60"), (FIXED_SERVER, FIXED_CLIENT, "1")]
    {
        let program =
            start(server, &["--listen", "127.0.0.1:0", "--forever", "--timeout", timeout]);
        let address = program.address().unwrap();
        let mut dripping = TcpStream::connect(&address).unwrap();
        let refused = match server == LINES_SERVER {
            true => dripping.write_all(b"\\x\n").map(drop),
            // The end of the answers is the end of its time.
            false => dripping.read(&mut [0]).map(drop),
        };
        refused.unwrap();
        let drips = thread::spawn(move || {
            while dripping.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(200));
            }
        });
        // 256 drips would be 51 seconds.
        let args = ["--connect", &address, "--timeout", "30"];
        let done = start(client, &args).wait(LONG).unwrap();
        assert_eq!((done.code, &done.stdout[..]), (Some(0), &b"HELLO\nHI\n"[..]), "{server}");
        drips.join().unwrap();
    }
}

#[test]
fn a_reset_is_said_in_one_line() {
    let Some(python) = stage::python() else { return };
    for framing in ["lines", "fixed"] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/server.py");
        let mut command = Command::new(&python);
        let server =
            Program::start("server", command.args([script, "--framing", framing])).unwrap();
        let conn = TcpStream::connect(server.address().unwrap()).unwrap();
        SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
        drop(conn);
        failed(server, 4, "server.py: [Errno ");
    }
}

#[test]
fn a_size_has_a_limit() {
    for program in [FIXED_CLIENT, FIXED_SERVER] {
        for size in ["0", "65537", "100000000000000", "18446744073709551615", "-1", "x"] {
            failed(start(program, &[&format!("--size={size}")]), 2, "--size");
        }
    }
}

#[test]
fn what_does_not_fit_is_said_before_anything_is_sent() {
    for (args, says) in [
        (&["hi", "nine byte"][..], "a message of 9 bytes does not fit a record of 8; try --size"),
        (&["--size", "4", "hello"], "a message of 5 bytes does not fit a record of 4"),
        (&["--size", "0"], "0"),
    ] {
        // Nobody listens: that it says something else shows that it did not connect.
        failed(start(FIXED_CLIENT, &[&["--connect", "127.0.0.1:1"], args].concat()), 2, says);
    }
}

/// One line that says this, and this exit code.
fn failed(program: Program, code: i32, says: &str) {
    let done = program.wait(LONG).unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.code, Some(code), "{said}");
    assert!(said.contains(says), "{said}");
    // A refused option brings clap's own lines.
    assert!(said.lines().count() == 1 || code == 2, "{said}");
}

fn start(program: &str, args: &[&str]) -> Program {
    Program::start(program, Command::new(program).args(args)).unwrap()
}
