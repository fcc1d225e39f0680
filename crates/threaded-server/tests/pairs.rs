//! Each client with the server in each model, and with Python's server: the same commands bring the same bytes.
//!
//! Python's client is that of fix 3: the protocol is the same. It sends its requests raw; ours does with `--requests raw`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{self, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use stage::{Finished, Program};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_threaded-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_threaded-client");
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/server.py");
const PYTHON_CLIENT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../fix-json-header/tests/peers/client.py");

const MODELS: [&str; 5] = ["serial", "threads", "pool", "processes", "events"];

#[test]
fn each_pair_brings_the_same_bytes() {
    let python = stage::python();
    for model in MODELS {
        for form in ["framed", "raw"] {
            let server = ours(model, form, "127.0.0.1:0");
            check(&format!("{model}, {form}"), |commands| {
                client(form, &server.address().unwrap(), commands)
            });
            if let Some(python) = python.as_ref().filter(|_| form == "raw") {
                check(&format!("{model}, Python's client"), |commands| {
                    let mut command = Command::new(python);
                    command.arg(PYTHON_CLIENT).arg(server.address().unwrap()).args(commands);
                    finish(&mut command)
                });
            }
        }
    }
    if let Some(python) = &python {
        let mut command = Command::new(python);
        let server =
            Program::start("server.py", command.args([PEERS, "--listen", "127.0.0.1:0"])).unwrap();
        check("Python's server", |commands| client("raw", &server.address().unwrap(), commands));
    }
}

#[test]
fn over_ipv6_too() {
    if TcpListener::bind("[::1]:0").is_err() {
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here");
        return;
    }
    for model in MODELS {
        let server = ours(model, "framed", "[::1]:0");
        let done = client("framed", &server.address().unwrap(), &["echo hi"]);
        assert_eq!((done.code, &done.stdout[..]), (Some(0), &b"hi\n"[..]), "{model}");
    }
}

#[test]
fn the_client_says_how_a_command_ended() {
    let server = ours("threads", "framed", "127.0.0.1:0");
    for (command, stdout, stderr) in [
        ("exit 3", "", "the command ended with exit code 3\n"),
        ("echo a; kill -9 $$", "a\n", "signal 9 ended the command\n"),
        ("echo a; echo b >&2", "a\nb\n", ""),
    ] {
        let done = client("framed", &server.address().unwrap(), &[command]);
        assert_eq!(done.code, Some(0), "{command}");
        assert_eq!(String::from_utf8(done.stdout).unwrap(), stdout, "{command}");
        assert_eq!(String::from_utf8(done.stderr).unwrap(), stderr, "{command}");
    }
}

fn check(pair: &str, ask: impl Fn(&[&str]) -> Finished) {
    let x = "x".repeat(65_537).into_bytes();
    let two = [vec![b'y'; 1 << 20], vec![b'z'; 1 << 20]].concat();
    let rows: [(&[&str], &[u8]); 6] = [
        (&["echo hi"], b"hi\n"),
        (&["true"], b""),
        (&["echo a", "true", "echo b; echo err >&2"], b"a\nb\nerr\n"),
        (&["head -c 65537 /dev/zero | tr '\\0' x"], &x),
        (
            &["head -c 1048576 /dev/zero | tr '\\0' y", "head -c 1048576 /dev/zero | tr '\\0' z"],
            &two,
        ),
        (&["printf '你好\\0\\377\\r\\n'"], b"\xe4\xbd\xa0\xe5\xa5\xbd\0\xff\r\n"),
    ];
    for (commands, expected) in rows {
        let done = ask(commands);
        assert!(
            done.code == Some(0) && done.stdout == expected,
            "{pair} {commands:?}: exit {:?}, {} bytes, {}",
            done.code,
            done.stdout.len(),
            String::from_utf8_lossy(&done.stderr),
        );
    }
}

fn ours(model: &str, form: &str, listen: &str) -> Program {
    let args = ["--listen", listen, "--model", model, "--requests", form];
    Program::start("server", Command::new(SERVER).args(args)).unwrap()
}

fn client(form: &str, address: &str, commands: &[&str]) -> Finished {
    let mut command = Command::new(CLIENT);
    command.args(["--connect", address, "--requests", form]);
    finish(command.args(commands.iter().flat_map(|text| ["-c", *text])))
}

fn finish(command: &mut Command) -> Finished {
    Program::start("client", command).unwrap().wait(LONG).unwrap()
}
