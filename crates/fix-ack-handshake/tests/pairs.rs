//! Each client with each server, ours and Python's: the same commands bring the same bytes.
//!
//! | fault | test |
//! |---|---|
//! | 65,537 bytes, 2 × 1 MiB in one session, binary, Chinese, nothing at all; stdout and stderr | `each_pair_brings_the_same_bytes` |
//! | IPv6 | `over_ipv6_too` |
//! | empty lines, `quit`, the end of the input | `commands_from_standard_input` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Finished, Program};
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Ours,
    Python,
}

/// Server and client.
const PAIRS: [(Side, Side); 4] = [
    (Side::Ours, Side::Ours),
    (Side::Ours, Side::Python),
    (Side::Python, Side::Ours),
    (Side::Python, Side::Python),
];

#[test]
fn each_pair_brings_the_same_bytes() {
    let x = "x".repeat(65_537).into_bytes();
    let two = [vec![b'y'; 1 << 20], vec![b'z'; 1 << 20]].concat();
    let rows: [(&[&str], &[u8]); 8] = [
        (&["echo hi"], b"hi\n"),
        (&["true"], b""),
        (&["echo a", "true", "echo b", "false", "true", "echo c"], b"a\nb\nc\n"),
        (&["head -c 65537 /dev/zero | tr '\\0' x"], &x),
        (
            &["head -c 1048576 /dev/zero | tr '\\0' y", "head -c 1048576 /dev/zero | tr '\\0' z"],
            &two,
        ),
        (&["echo err >&2; echo out", "echo out; echo err >&2"], b"out\nerr\nout\nerr\n"),
        (&["echo 你好"], "你好\n".as_bytes()),
        (&["printf 'a\\0b\\377\\r\\n'"], b"a\0b\xff\r\n"),
    ];
    for pair in pairs() {
        let server = server(pair.0, "127.0.0.1:0");
        let address = server.address().unwrap();
        for (commands, expected) in rows {
            let done = client(pair.1, &address, commands);
            assert!(
                done.code == Some(0) && done.stdout == expected && done.stderr.is_empty(),
                "{pair:?} {commands:?}: exit {:?}, {} bytes that begin with {:?}, {}",
                done.code,
                done.stdout.len(),
                String::from_utf8_lossy(&done.stdout[..done.stdout.len().min(40)]),
                String::from_utf8_lossy(&done.stderr),
            );
        }
    }
}

#[test]
fn over_ipv6_too() {
    if TcpListener::bind("[::1]:0").is_err() {
        // Not println!: the test harness would keep it to itself, and a skipped test should be seen.
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here");
        return;
    }
    for pair in pairs() {
        let server = server(pair.0, "[::1]:0");
        let done = client(pair.1, &server.address().unwrap(), &["echo hi"]);
        assert_eq!((done.code, &done.stdout[..]), (Some(0), &b"hi\n"[..]), "{pair:?}");
    }
}

#[test]
fn commands_from_standard_input() {
    let server = server(Side::Ours, "127.0.0.1:0");
    let address = server.address().unwrap();
    for (input, expected) in [
        ("echo a\necho b\n", "a\nb\n"),
        ("\necho a\n\n   \necho b\n\n", "a\nb\n"),
        ("echo a\nquit\necho b\n", "a\n"),
        ("echo a", "a\n"),
        ("", ""),
    ] {
        let mut client = program(Side::Ours, CLIENT, "");
        let mut client = Program::start("client", client.args(["--connect", &address])).unwrap();
        client.write(input.as_bytes()).unwrap();
        let done = client.wait(LONG).unwrap();
        assert_eq!(
            (done.code, String::from_utf8(done.stdout).unwrap().as_str()),
            (Some(0), expected),
            "{input:?}"
        );
    }
}

const SERVER: &str = env!("CARGO_BIN_EXE_fix-ack-handshake-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_fix-ack-handshake-client");

/// The pairs that can be run here: without python3 only ours.
fn pairs() -> Vec<(Side, Side)> {
    let python = stage::python().is_some();
    let mut pairs = PAIRS.to_vec();
    pairs.retain(|pair| python || *pair == (Side::Ours, Side::Ours));
    pairs
}

fn server(side: Side, listen: &str) -> Program {
    let mut command = program(side, SERVER, "server.py");
    Program::start("server", command.args(["--listen", listen])).unwrap()
}

fn client(side: Side, address: &str, commands: &[&str]) -> Finished {
    let mut command = program(side, CLIENT, "client.py");
    match side {
        Side::Python => command.arg(address).args(commands),
        _ => command
            .args(["--connect", address])
            .args(commands.iter().flat_map(|text| ["-c", *text])),
    };
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// Our program, or the Python peer.
fn program(side: Side, ours: &str, peer: &str) -> Command {
    if side == Side::Ours {
        return Command::new(ours);
    }
    let mut command = Command::new(stage::python().unwrap());
    command.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR")));
    command
}
