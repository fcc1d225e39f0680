//! The small programs of chapter 10, in Python and in Rust: whole messages, however the stream is cut.
//!
//! | fault | test |
//! |---|---|
//! | every way to cut the stream into pieces of one size, and some at random | `whole_reports_however_the_stream_is_cut` |
//! | the end of the stream, after each of its bytes | `an_end_inside_a_message_is_an_error` |
//! | a program that asks `recv` for four bytes gets three | `one_recv_is_right_on_a_quiet_day_only` |
//! | a length that makes no sense | `a_negative_length` |
//! | requests that leave together | `framed_requests_from_python` |
//! | what `struct` says when it can't | `what_python_says` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Finished, Program};
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, thread};

/// A test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);
/// What the station sends: "wind 7" and "rain".
const STREAM: &[u8] = b"\x06\0\0\0wind 7\x04\0\0\0rain";
const CUTS: [&str; 4] = ["5,7,*", "10,*", "random:1..7", "random:1..17"];

#[test]
fn whole_reports_however_the_stream_is_cut() {
    let station = sends(STREAM);
    let sizes = (1..=STREAM.len()).map(|bytes| bytes.to_string());
    for cut in sizes.chain(CUTS.map(str::to_owned)) {
        let (_relay, port) = relay(station, &cut);
        for reader in readers() {
            let said = reads(&reader, port, 0);
            assert_eq!(reports(&said), "wind 7\nrain\n", "cut {cut}: {reader:?}\n{said}");
        }
    }
}

/// The page shows this run.
#[test]
fn what_is_left_over_each_time() {
    let (_relay, port) = relay(sends(STREAM), "5,7,*");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/leftovers.txt");
    for reader in [python("leftovers.py"), Some(rust("leftovers"))].into_iter().flatten() {
        let said = reads(&reader, port, 0);
        if env::var_os("REWRITE").is_some() {
            fs::write(&golden, said.trim_end().to_owned() + "\n").unwrap();
        }
        assert_eq!(said.trim_end(), fs::read_to_string(&golden).unwrap().trim_end(), "{reader:?}");
    }
}

#[test]
fn an_end_inside_a_message_is_an_error() {
    for sent in 0..=STREAM.len() {
        let port = sends(&STREAM[..sent]);
        let (code, whole) = match sent {
            0 => (0, ""),
            10 => (0, "wind 7\n"),
            18 => (0, "wind 7\nrain\n"),
            1..10 => (1, ""),
            _ => (1, "wind 7\n"),
        };
        for reader in readers() {
            assert_eq!(reports(&reads(&reader, port, code)), whole, "{sent} bytes: {reader:?}");
        }
    }
}

#[test]
fn one_recv_is_right_on_a_quiet_day_only() {
    let Some(reader) = python("one_recv.py") else { return };
    let (_station, station) = station();
    for (cut, code, stdout, stderr) in [
        ("18,*", 0, "wind 7\nrain\n", ""),
        ("3", 1, "", "struct.error: unpack requires a buffer of 4 bytes"),
        ("5,7,*", 0, "w\n7\u{4}\0\nin\n", ""),
    ] {
        let (_relay, port) = relay(station, cut);
        let done = run(&reader, port);
        let (said, complaint) = (text(&done.stdout), text(&done.stderr));
        assert_eq!((done.code, &*said), (Some(code), stdout), "cut {cut}: {complaint}");
        assert!(complaint.trim_end().ends_with(stderr), "cut {cut}: {complaint}");
    }
}

/// Python's `exactly` then reads nothing and doesn't notice; `leftovers.py` loses its place in the stream. Rust makes you
/// decide what a negative length means.
#[test]
fn a_negative_length() {
    let port = sends(b"\xff\xff\xff\xff\x04\0\0\0rain");
    for example in ["exactly", "leftovers"] {
        let done = run(&rust(example), port);
        let said = text(&done.stderr);
        assert_eq!((done.code, &*said), (Some(1), "expected a length, got -1\n"));
    }
    let Some(exactly) = python("exactly.py") else { return };
    assert_eq!(reads(&exactly, port, 0), "\nrain\n");
    let leftovers = reads(&python("leftovers.py").unwrap(), port, 1);
    assert!(leftovers.ends_with("left over   ff 04 00 00 00 72 61 69 6e\n\n"), "{leftovers}");
}

#[test]
fn framed_requests_from_python() {
    let Some(client) = python("framed_client.py") else { return };
    let mut server = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-server"));
    let server = Program::start("server", server.args(["--listen", "127.0.0.1:0"])).unwrap();
    let done = run_with(&client, port(&server), &["echo a", "echo b", "true"]);
    assert_eq!(text(&done.stdout), "b'a\\n'\nb'b\\n'\nb''\n", "{}", text(&done.stderr));
}

/// How long an answer takes depends on the machine, and the page says so.
#[test]
fn two_writes_one_write_and_nodelay() {
    for how in ["two", "one", "nodelay"] {
        let Some(server) = python("answers.py") else { return };
        let mut command = Command::new(&server[0]);
        command.args(&server[1..]).args(["0", how]);
        let server = Program::start("answers", &mut command).unwrap();
        let said = reads(&python("clock.py").unwrap(), port(&server), 0);
        assert!(said.ends_with(" ms an answer\n"), "{how}: {said}");
        assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{how}");
    }
}

/// The page about bytes shows this.
#[test]
fn a_number_in_four_bytes() {
    let mut pack = Command::new(env!("CARGO_BIN_EXE_fix-struct-prefix-pack"));
    let done = Program::start("pack", pack.env_remove("COLUMNS")).unwrap().wait(LONG).unwrap();
    assert_eq!(text(&done.stdout), include_str!("golden/pack.txt"));
}

/// The messages of the page about bytes, as people paste them into a search box.
#[test]
fn what_python_says() {
    let Some(python) = stage::python() else { return };
    for (expression, message) in [
        ("struct.unpack('<i', b'')", "struct.error: unpack requires a buffer of 4 bytes"),
        ("struct.unpack('<i', b'\\6\\0\\0')", "struct.error: unpack requires a buffer of 4 bytes"),
        ("struct.unpack('<i', bytes(5))", "struct.error: unpack requires a buffer of 4 bytes"),
        ("struct.unpack('l', bytes(4))", "struct.error: unpack requires a buffer of 8 bytes"),
        (
            "struct.unpack_from('<i', b'abc')",
            "struct.error: unpack_from requires a buffer of at least 4 bytes for unpacking 4 bytes at offset 0 (actual buffer size is 3)",
        ),
        ("struct.unpack('<i', 'abcd')", "TypeError: a bytes-like object is required, not 'str'"),
        ("struct.pack('<i', '5')", "struct.error: required argument is not an integer"),
        (
            "struct.pack('<i', 2**31)",
            "struct.error: 'i' format requires -2147483648 <= number <= 2147483647",
        ),
        ("socket.socket().recv(-1)", "ValueError: negative buffersize in recv"),
    ] {
        let mut command = Command::new(&python);
        command.args(["-c", &format!("import socket, struct; {expression}")]);
        let done = Program::start("python", &mut command).unwrap().wait(LONG).unwrap();
        assert_eq!(text(&done.stderr).lines().last(), Some(message), "{expression}");
    }
}

/// What to start, in front of the port.
type Reader = Vec<PathBuf>;

/// All programs that should read whole messages. Without Python, only those in Rust.
fn readers() -> Vec<Reader> {
    let python = ["exactly.py", "leftovers.py"].into_iter().filter_map(python);
    python.chain(["exactly", "leftovers"].map(rust)).collect()
}

fn python(file: &str) -> Option<Reader> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(file);
    Some(vec![stage::python()?, "-B".into(), path])
}

/// An example of this package, which `cargo test` builds.
fn rust(name: &str) -> Reader {
    // This test is in target/debug/deps.
    let here = env::current_exe().unwrap();
    let path = here.ancestors().nth(2).unwrap().join("examples").join(name);
    let build = "cargo build -p fix-struct-prefix --examples";
    assert!(path.is_file(), "{} is not built: run {build}", path.display());
    vec![path]
}

fn run(reader: &Reader, port: u16) -> Finished {
    run_with(reader, port, &[])
}

fn run_with(reader: &Reader, port: u16, arguments: &[&str]) -> Finished {
    let mut command = Command::new(&reader[0]);
    command.args(&reader[1..]).arg(port.to_string()).args(arguments);
    Program::start("reader", &mut command).unwrap().wait(LONG).unwrap()
}

/// What it prints when it ends like this.
fn reads(reader: &Reader, port: u16, code: i32) -> String {
    let done = run(reader, port);
    let complaint = text(&done.stderr);
    assert_eq!(done.code, Some(code), "{reader:?}: {complaint}");
    assert_eq!(code != 0, complaint.contains("the stream ended"), "{reader:?}: {complaint}");
    text(&done.stdout)
}

/// Only the reports: `leftovers` also prints each step.
fn reports(said: &str) -> String {
    let steps = said.contains("recv   ");
    let report = |line: &str| match steps {
        true => line.strip_prefix("message     ").map(|report| format!("{report}\n")),
        false => Some(format!("{line}\n")),
    };
    said.lines().filter_map(report).collect()
}

/// Sends these bytes to every client, and closes.
fn sends(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for conn in listener.incoming() {
            // The reader may already have left; that is for its own test to judge.
            let _ = conn.unwrap().write_all(bytes);
        }
    });
    port
}

fn station() -> (Program, u16) {
    let mut command = Command::new(stage::python().unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/station.py");
    let station = Program::start("station", command.arg("-B").arg(path).arg("0")).unwrap();
    let port = port(&station);
    (station, port)
}

fn relay(to: u16, cut: &str) -> (Program, u16) {
    let mut command = Command::new(stage::binary("relay").unwrap());
    command.args(["--listen", "127.0.0.1:0", "--to", &format!("127.0.0.1:{to}"), "--cut", cut]);
    let relay = Program::start("relay", &mut command).unwrap();
    let port = port(&relay);
    (relay, port)
}

fn port(program: &Program) -> u16 {
    program.address().unwrap().parse::<SocketAddr>().unwrap().port()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
