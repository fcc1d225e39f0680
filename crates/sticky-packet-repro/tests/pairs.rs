//! Each client with each server, ours and Python's: the same mistakes give the same bytes.
//!
//! What all remote-command programs promise is tested in `crates/shell/tests`.
//!
//! | fault | test |
//! |---|---|
//! | an answer longer than one recv: its rest is the next answer | `the_rest_of_an_answer_is_the_next_answer` |
//! | two sends, one recv; a recv that asks for too little | `two_sends_are_not_two_messages` |
//! | a command that prints nothing | `an_empty_answer_never_comes` |
//! | SIGTERM, in the part without commands | `two_reads_ends_when_it_is_told_to` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use stage::{Finished, Program, Signal, Stream};

/// A test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_sticky-packet-repro-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_sticky-packet-repro-client");

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Ours,
    Python,
}

const PAIRS: [(Side, Side); 4] = [
    (Side::Ours, Side::Ours),
    (Side::Ours, Side::Python),
    (Side::Python, Side::Ours),
    (Side::Python, Side::Python),
];

#[test]
fn the_rest_of_an_answer_is_the_next_answer() {
    let hundred = "x".repeat(100);
    let long = "printf '%0300d' 0 | tr 0 x";
    for_each_pair(|pair| {
        let server = shell_server(pair.0);
        let address = server.address().unwrap();
        for (commands, expected) in [
            (&["echo hi"][..], "hi\n".to_owned()),
            (&["echo out; echo err >&2"], "out\nerr\n".to_owned()),
            (&["echo 你好"], "你好\n".to_owned()),
            // The first command's answer has 300 bytes: the client shows them as the first three answers.
            (&[long, "echo two", "echo three"], hundred.repeat(3)),
        ] {
            let done = shell_client(pair.1, &address, commands);
            let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
            assert_eq!((done.code, stdout), (Some(0), expected), "{pair:?} {commands:?}");
        }
    });
}

#[test]
fn two_sends_are_not_two_messages() {
    for (reads, expected) in [
        ("1024,1024", "info_1: hellohi\ninfo_2: \n"),
        ("2,5", "info_1: he\ninfo_2: llohi\n"),
        ("1,1,1", "info_1: h\ninfo_2: e\ninfo_3: l\n"),
    ] {
        for_each_pair(|pair| {
            // The server holds: when the client has ended, all it sent is in the kernel's buffer.
            let mut server = program(pair.0, SERVER, &["two-reads"], "two_reads.py");
            server.args(["--listen", "127.0.0.1:0", "--hold", "--reads", reads]);
            let mut server = Program::start("server", &mut server).unwrap();
            let address = server.address().unwrap();
            let mut client = program(pair.1, CLIENT, &["two-sends"], "two_sends.py");
            at(&mut client, pair.1, &address);
            let client = Program::start("client", &mut client).unwrap().wait(LONG).unwrap();
            assert_eq!(client.code, Some(0), "{}", String::from_utf8_lossy(&client.stderr));
            server.write(b"\n").unwrap();
            let done = server.wait(LONG).unwrap();
            let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
            let said = stdout.split_once('\n').map(|(_, rest)| rest);
            assert_eq!((done.code, said), (Some(0), Some(expected)), "{pair:?} {reads}");
        });
    }
}

#[test]
fn an_empty_answer_never_comes() {
    let server = shell_server(Side::Ours);
    let address = server.address().unwrap();
    let mut command = Command::new(CLIENT);
    command.args(["shell", "--connect", &address, "--timeout", "0.3", "-c", "true"]);
    let done = Program::start("client", &mut command).unwrap().wait(LONG).unwrap();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.code == Some(6) && stderr.contains(&address), "{stderr}");
}

#[test]
fn the_server_says_who_comes() {
    let server = shell_server(Side::Ours);
    shell_client(Side::Ours, &server.address().unwrap(), &["echo hi"]);
    let line = server.wait_for_line(Stream::Stdout, "from ", LONG).unwrap();
    assert!(line.starts_with("from 127.0.0.1:"), "{line}");
}

#[test]
fn two_reads_ends_when_it_is_told_to() {
    let mut command = program(Side::Ours, SERVER, &["two-reads"], "");
    let server = Program::start("server", command.args(["--listen", "127.0.0.1:0"])).unwrap();
    server.address().unwrap();
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
}

/// Looked for only once, since that takes a process.
static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(stage::python);

/// Plays the pairs that can be run here, side by side: without python3 only ours.
fn for_each_pair(play: impl Fn((Side, Side)) + Sync) {
    let can_run = |pair: &(Side, Side)| PYTHON.is_some() || *pair == (Side::Ours, Side::Ours);
    thread::scope(|scope| {
        for pair in PAIRS.into_iter().filter(can_run) {
            let play = &play;
            scope.spawn(move || play(pair));
        }
    });
}

fn shell_server(side: Side) -> Program {
    let mut command = program(side, SERVER, &["shell"], "server.py");
    Program::start("server", command.args(["--listen", "127.0.0.1:0"])).unwrap()
}

fn shell_client(side: Side, address: &str, commands: &[&str]) -> Finished {
    let mut command = program(side, CLIENT, &["shell"], "client.py");
    at(&mut command, side, address);
    match side {
        Side::Ours => command.args(commands.iter().flat_map(|text| ["-c", *text])),
        Side::Python => command.args(commands),
    };
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

fn at(command: &mut Command, side: Side, address: &str) {
    match side {
        Side::Ours => command.args(["--connect", address]),
        Side::Python => command.arg(address),
    };
}

/// Our program with its subcommand, or the Python peer.
fn program(side: Side, ours: &str, subcommand: &[&str], peer: &str) -> Command {
    let mut command = match side {
        Side::Ours => Command::new(ours),
        Side::Python => Command::new(PYTHON.as_ref().unwrap()),
    };
    match side {
        Side::Ours => command.args(subcommand),
        Side::Python => command.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR"))),
    };
    command
}
