//! Each client with each server, ours and Python's. Python's programs send and take raw requests.

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

use stage::{Finished, Program};

use crate::rows::{LONG, Row, Wire, client_rows, every_form};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Ours,
    Python,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    row: Row,
    server: Side,
    client: Side,
}

/// Without frames, answers are cut and glued: for that see `crates/sticky-packet-repro/tests/pairs.rs`.
#[test]
fn each_pair_brings_the_same_bytes() {
    let large = [vec![b'x'; 65_537], vec![b'y'; 1 << 20], vec![b'z'; 1 << 20]].concat();
    let small = b"hi\na\nb\nout\nerr\nout\nerr\n\xe4\xbd\xa0\xe5\xa5\xbd\na\0b\xff\r\n";
    for_each_pair(pairs().filter(|pair| pair.row.wire != Wire::Bare), |pair| {
        // If an answer says that a command failed, so does our client.
        let fails = if pair.row.has_status() { "true" } else { "false" };
        let sessions: [(&[&str], &[u8]); 3] = [
            (&["true"], b""),
            (
                &[
                    "echo hi",
                    "true",
                    "echo a",
                    fails,
                    "true",
                    "echo b",
                    "echo err >&2; echo out",
                    "echo out; echo err >&2",
                    "echo 你好",
                    "printf 'a\\0b\\377\\r\\n'",
                ],
                small,
            ),
            (
                &[
                    "head -c 65537 /dev/zero | tr '\\0' x",
                    "head -c 1048576 /dev/zero | tr '\\0' y",
                    "head -c 1048576 /dev/zero | tr '\\0' z",
                ],
                &large,
            ),
        ];
        let server = pair.start_server("127.0.0.1:0");
        let address = server.address().unwrap();
        for (commands, expected) in sessions {
            let done = pair.ask(&address, commands);
            assert!(
                done.code == Some(0) && done.stdout == expected && done.stderr.is_empty(),
                "{pair:?} {commands:?}: exit {:?}, {} bytes that begin with {:?}, {}",
                done.code,
                done.stdout.len(),
                String::from_utf8_lossy(&done.stdout[..done.stdout.len().min(40)]),
                String::from_utf8_lossy(&done.stderr),
            );
        }
    });
}

#[test]
fn over_ipv6_too() {
    if TcpListener::bind("[::1]:0").is_err() {
        // Not println!: the test harness would keep it to itself, and a skipped test should be seen.
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here");
        return;
    }
    for_each_pair(pairs(), |pair| {
        let server = pair.start_server("[::1]:0");
        let done = pair.ask(&server.address().unwrap(), &["echo hi"]);
        assert_eq!((done.code, &done.stdout[..]), (Some(0), &b"hi\n"[..]), "{pair:?}");
    });
}

/// Looked for only once, since that takes a process.
static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(stage::python);

/// The pairs that can be run here: without python3 only ours.
fn pairs() -> impl Iterator<Item = Pair> {
    use Side::{Ours, Python};
    let with_ours = every_form().flat_map(|row| {
        [Ours, Python].map(|client| Pair { row, server: Ours, client }).into_iter()
    });
    let with_python = client_rows().flat_map(|row| {
        [Ours, Python].map(|client| Pair { row, server: Python, client }).into_iter()
    });
    with_ours.chain(with_python).filter(|pair| {
        let has_python = pair.server == Python || pair.client == Python;
        !has_python || (pair.row.raw && PYTHON.is_some())
    })
}

fn for_each_pair(pairs: impl Iterator<Item = Pair>, play: impl Fn(Pair) + Sync) {
    thread::scope(|scope| {
        for pair in pairs {
            let play = &play;
            scope.spawn(move || play(pair));
        }
    });
}

impl Pair {
    fn start_server(&self, listen: &str) -> Program {
        let mut command = match self.server {
            Side::Ours => self.row.command(&[]),
            Side::Python => python(self.row.package(), "server.py"),
        };
        self.row.start_at(listen, &mut command)
    }

    fn ask(&self, address: &str, commands: &[&str]) -> Finished {
        let mut command = match self.client {
            Side::Ours => {
                let mut client = self.row.client(address);
                client.args(commands.iter().flat_map(|text| ["-c", *text]));
                client
            }
            Side::Python => {
                // The models speak the protocol of fix 3, so its client will do.
                let package = match self.row.package() {
                    "threaded-server" => "fix-json-header",
                    package => package,
                };
                let mut client = python(package, "client.py");
                client.arg(address).args(commands);
                client
            }
        };
        Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
    }
}

fn python(package: &str, program: &str) -> Command {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(PYTHON.as_ref().unwrap());
    command.arg(crates.join(package).join("tests/peers").join(program));
    command
}
