//! The Python programs that a page shows run, and print what the page says.
//!
//! Those of a package that talk with its server or client are tested there, in `crates/*/tests`. Here are those that need
//! nobody else, or any server, and the rule for all of them: a program on a page is a program that a test or an experiment runs.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod pages;

use pages::{book, files, root};
use stage::{Finished, Program, Scratch, Signal, Stream};
use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn programs_that_need_nobody_else() {
    // The program; its exit code; what it prints; the last line of what it complains.
    let rows = [
        ("sticky-packet-repro/tests/peers/both_ends.py", 0, "info_1: hellohi\ninfo_2: \n", ""),
        (
            "fix-ack-handshake/tests/peers/no_handshake.py",
            1,
            "",
            "ValueError: invalid literal for int() with base 10: b'3hi\\n'",
        ),
        (
            "fix-json-header/tests/peers/one_recv.py",
            1,
            "",
            "json.decoder.JSONDecodeError: Extra data: line 1 column 22 (char 21)",
        ),
    ];
    for (script, code, prints, complains) in rows {
        let Some(done) = python(script, &[], b"") else { return };
        let said = String::from_utf8(done.stderr).unwrap();
        let last = said.lines().last().unwrap_or_default();
        let printed = String::from_utf8(done.stdout).unwrap();
        assert_eq!(
            (done.code, printed.as_str(), last),
            (Some(code), prints, complains),
            "{script}: {said}"
        );
    }
}

#[test]
fn one_recv_for_an_answer_prints_the_rest_of_the_one_before() {
    let server = server("sticky-packet-repro-server", &["shell"]);
    let typed = b"seq 1 110\necho hi\nquit\n";
    let script = "sticky-packet-repro/tests/peers/first_client.py";
    let Some(done) = python(script, &[&port(&server)], typed) else { return };
    let printed = String::from_utf8(done.stdout).unwrap();
    assert!(done.code == Some(0) && printed.contains("\n36\n3\n>>: 7\n38\n"), "{printed}");
}

#[test]
fn the_header_of_each_answer_can_be_looked_at() {
    let server = server("fix-json-header-server", &[]);
    let script = "fix-json-header/tests/peers/headers.py";
    let Some(done) = python(script, &[&port(&server), "echo hi", "exit 3"], b"") else { return };
    let printed = String::from_utf8(done.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[0].contains("\"data_len\":3") && lines[1] == "hi", "{printed}");
    assert!(lines[2].contains("\"data_len\":0") && lines[2].contains("\"status\":3"), "{printed}");
}

#[test]
fn the_first_server_resets_a_client_that_says_more_than_it_reads() {
    for (message, end) in [(&b"hello"[..], None), (&[b'x'; 1500], Some(ErrorKind::ConnectionReset))]
    {
        let Some(server) = python_server("tcp-basic/tests/peers/hello_once.py") else { return };
        let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
        conn.write_all(message).unwrap();
        let mut answer = Vec::new();
        let ended = conn.read_to_end(&mut answer).map_err(|error| error.kind()).err();
        assert_eq!((answer.as_slice(), ended), (&b"hi"[..], end), "{} bytes", message.len());
    }
}

#[test]
fn the_corrected_server_reads_to_the_end_and_resets_nobody() {
    let Some(python) = stage::python() else { return };
    let mut command = Command::new(python);
    command.arg(path("tcp-basic/tests/peers/server.py")).args(["--listen", "127.0.0.1:0"]);
    let server = Program::start("server.py", &mut command).unwrap();
    let mut conn = TcpStream::connect(server.address().unwrap()).unwrap();
    conn.write_all(&[b'x'; 1500]).unwrap();
    let mut answer = [0; 3];
    assert_eq!(conn.read(&mut answer).unwrap(), 2);
    conn.shutdown(Shutdown::Write).unwrap();
    assert_eq!(conn.read(&mut answer).unwrap(), 0);
}

#[test]
fn with_a_timeout_one_send_takes_a_part() {
    let script = "tcp-basic/tests/peers/send_once.py";
    for (arguments, in_part) in [(&[][..], false), (&["--timeout"], true)] {
        let Some(done) = python(script, arguments, b"") else { return };
        let printed = String::from_utf8(done.stdout).unwrap();
        let first: usize = printed.split(' ').nth(3).unwrap().parse().unwrap();
        assert_eq!(first < 64 << 20, in_part, "{printed}");
        assert_eq!(printed.contains("\n0 more took the rest"), !in_part, "{printed}");
        assert!(printed.ends_with("the reader got 67108864 bytes\n"), "{printed}");
    }
}

#[test]
fn one_datagram_can_end_the_first_udp_server() {
    let Some(server) = python_server("udp-basic/tests/peers/answer_all.py") else { return };
    let address = server.address().unwrap();
    let mut buffer = [0; 100];
    for _ in 0..2 {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(LONG)).unwrap();
        client.send_to(b"hello", &address).unwrap();
        let length = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], "你好".as_bytes());
    }
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"\xff", &address).unwrap();
    let done = server.wait(LONG).unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.code == Some(1) && said.contains("UnicodeDecodeError"), "{said}");
}

#[test]
fn the_first_unix_server_starts_once_and_with_unlink_takes_the_name() {
    let Some(python) = stage::python() else { return };
    let folder = Scratch::new().unwrap();
    let start = |option: &[&str]| {
        let mut command = Command::new(&python);
        command.arg(path("af-unix/tests/peers/hello_once.py"));
        Program::start("server", command.arg(folder.path().join("s")).args(option)).unwrap()
    };
    let listening = |server: &Program| {
        server.wait_for_line(Stream::Stdout, "listening on ", LONG).unwrap();
    };
    let first = start(&[]);
    listening(&first);
    let refused = start(&[]).wait(LONG).unwrap();
    assert_eq!(refused.code, Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("Address already in use"));
    // The first one still runs, and nobody can reach it any more.
    let second = start(&["--unlink-first"]);
    listening(&second);
    let mut conn = UnixStream::connect(folder.path().join("s")).unwrap();
    conn.write_all(b"hello").unwrap();
    assert_eq!(second.wait(LONG).unwrap().code, Some(0));
    first.signal(Signal::KILL);
}

/// On loopback, that is; chapter 15 puts a relay between them.
#[test]
fn the_wrong_echo_and_the_right_one_look_alike() {
    for echo in ["echo_once.py", "echo.py"] {
        let Some(server) = python_server(&format!("timeline/tests/peers/{echo}")) else { return };
        let done = python("timeline/tests/peers/caller.py", &[&port(&server)], b"").unwrap();
        assert_eq!(done.stdout, b"hello, is anybody there?\n", "{echo}");
        assert_eq!((done.code, server.wait(LONG).unwrap().code), (Some(0), Some(0)), "{echo}");
    }
}

#[test]
fn every_python_program_on_a_page_is_run_by_a_test_or_an_experiment() {
    let mut shown = BTreeSet::new();
    for page in files(&book(), "md") {
        let text = fs::read_to_string(page).unwrap();
        let sources =
            text.split("<!-- from: ").skip(1).filter_map(|rest| rest.split(" -->").next());
        let files = sources.map(|source| source.split('#').next().unwrap_or_default());
        shown.extend(files.filter(|file| file.ends_with(".py")).map(str::to_owned));
    }
    assert!(shown.len() >= 10, "{shown:?}");
    let mut tests = String::new();
    for folder in ["crates", "demos"] {
        for file in files(&root().join(folder), "rs") {
            tests += &fs::read_to_string(file).unwrap();
        }
    }
    // The programs of the zoo are played by the lab's own tests, each by its name in a list that they read.
    let unnamed = shown.iter().filter(|file| !file.contains("/zoo/")).filter(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        !tests.contains(&format!("{name}\""))
            && !tests.contains(&format!("\"{}\"", name.trim_end_matches(".py")))
    });
    let unnamed: Vec<&String> = unnamed.collect();
    assert!(unnamed.is_empty(), "no test names {unnamed:#?}");
}

/// Runs a program of `crates/` to its end; `None` where there is no Python.
fn python(script: &str, arguments: &[&str], typed: &[u8]) -> Option<Finished> {
    let mut command = Command::new(stage::python()?);
    command.arg(path(script));
    let mut program = Program::start(script, command.args(arguments)).unwrap();
    program.write(typed).unwrap();
    program.close_stdin();
    Some(program.wait(LONG).unwrap())
}

/// Starts one that listens; `None` where there is no Python.
fn python_server(script: &str) -> Option<Program> {
    let mut command = Command::new(stage::python()?);
    command.arg(path(script));
    Some(Program::start(script, command.arg("0")).unwrap())
}

fn server(name: &str, arguments: &[&str]) -> Program {
    let mut command = Command::new(stage::binary(name).unwrap());
    Program::start(name, command.args(arguments).args(["--listen", "127.0.0.1:0"])).unwrap()
}

fn path(script: &str) -> PathBuf {
    root().join("crates").join(script)
}

fn port(server: &Program) -> String {
    server.address().unwrap().rsplit(':').next().unwrap().to_owned()
}
