//! Each client with each server, ours and Python's, for each kind of Unix socket; and what ours say and call.
//!
//! | fault | test |
//! |---|---|
//! | streams, datagrams, seqpacket (Linux) | `each_client_with_each_server` |
//! | both sides of another kind | `another_kind_is_named` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use observe::Event;
use stage::{Finished, Program, Scratch, Signal};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_af-unix-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_af-unix-client");

const KINDS: &[&str] = match cfg!(target_os = "linux") {
    true => &["stream", "datagram", "seqpacket"],
    false => &["stream", "datagram"],
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Ours,
    Python,
}

#[test]
fn each_client_with_each_server() {
    let python = stage::python().is_some();
    for kind in KINDS {
        for (serves, asks) in [
            (Side::Ours, Side::Ours),
            (Side::Ours, Side::Python),
            (Side::Python, Side::Ours),
            (Side::Python, Side::Python),
        ] {
            if !python && (serves, asks) != (Side::Ours, Side::Ours) {
                continue;
            }
            let pair = format!("{kind}: server {serves:?}, client {asks:?}");
            let scratch = Scratch::new().unwrap();
            let path = scratch.path().join("socket");
            let server = server(serves, kind, &path, &[]);
            assert_eq!(server.address().unwrap(), path.display().to_string(), "{pair}");
            let done = client(asks, kind, &path);
            assert_eq!(text(&done.stdout).trim_end(), "hi", "{pair}: {}", text(&done.stderr));
            assert_eq!(done.code, Some(0), "{pair}");
            let done = server.wait(LONG).unwrap();
            assert!(text(&done.stdout).ends_with("hello\n"), "{pair}: {}", text(&done.stdout));
            assert_eq!(done.code, Some(0), "{pair}");
            let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
            assert!(left.is_empty(), "{pair}: {left:?}");
        }
    }
}

#[test]
fn forever_serves_one_client_after_another() {
    for kind in KINDS {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let server = server(Side::Ours, kind, &path, &["--forever"]);
        server.address().unwrap();
        for _ in 0..3 {
            assert_eq!(text(&client(Side::Ours, kind, &path).stdout), "hi\n", "{kind}");
        }
        server.signal(Signal::TERM);
        let done = server.wait(LONG).unwrap();
        assert_eq!(done.code, Some(0), "{kind}");
        assert_eq!(text(&done.stdout).matches("hello\n").count(), 3, "{kind}");
        assert!(!path.exists(), "{kind}");
    }
}

/// SO_PEERCRED names the very process.
#[test]
#[cfg(target_os = "linux")]
fn the_server_knows_who_came() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("socket");
    let server = server(Side::Ours, "stream", &path, &[]);
    server.address().unwrap();
    let mut command = program(Side::Ours, CLIENT, "client.py");
    let client = Program::start("client", command.arg("--path").arg(&path)).unwrap();
    let pid = client.pid();
    client.wait(LONG).unwrap();
    let said = server.wait(LONG).unwrap().stdout;
    assert!(text(&said).contains(&format!("\nfrom pid {pid}, uid ")), "{}", text(&said));
}

#[test]
fn the_calls_are_those_of_tcp() {
    let scratch = Scratch::new().unwrap();
    let [path, servers] = ["socket", "trace"].map(|name| scratch.path().join(name));
    let server = server(Side::Ours, "stream", &path, &["--trace", servers.to_str().unwrap()]);
    server.address().unwrap();
    client(Side::Ours, "stream", &path);
    server.wait(LONG).unwrap();
    let trace = fs::read_to_string(servers).unwrap();
    let calls: Vec<String> =
        trace.lines().map(|line| serde_json::from_str::<Event>(line).unwrap().call).collect();
    let of_tcp = "bind listen accept recv send shutdown recv close close";
    assert_eq!(calls.join(" "), of_tcp);
}

#[test]
fn another_kind_is_named() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("socket");
    let server = server(Side::Ours, "stream", &path, &["--forever"]);
    server.address().unwrap();
    let done = client(Side::Ours, "datagram", &path);
    assert_eq!(done.code, Some(3));
    assert!(text(&done.stderr).contains("use the same --kind"), "{}", text(&done.stderr));
    assert_eq!(text(&client(Side::Ours, "stream", &path).stdout), "hi\n");
}

fn server(side: Side, kind: &str, path: &Path, args: &[&str]) -> Program {
    let mut command = program(side, SERVER, "server.py");
    command.arg("--path").arg(path).args(["--kind", kind]).args(args);
    Program::start("server", &mut command).unwrap()
}

fn client(side: Side, kind: &str, path: &Path) -> Finished {
    let mut command = program(side, CLIENT, "client.py");
    match side {
        Side::Ours => command.arg("--path").arg(path),
        Side::Python => command.arg(path),
    };
    Program::start("client", command.args(["--kind", kind])).unwrap().wait(LONG).unwrap()
}

/// Our program, or the Python peer.
fn program(side: Side, ours: &str, peer: &str) -> Command {
    match side {
        Side::Ours => Command::new(ours),
        Side::Python => {
            let mut command = Command::new(stage::python().unwrap());
            command.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR")));
            command
        }
    }
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}
