//! Clients that take a name, in Rust and in Python. Here `localhost` has two addresses, whatever it has on this machine.
//!
//! | fault | test |
//! |---|---|
//! | the first of two addresses refuses | `the_second_address_of_localhost` |
//! | every address refuses | `all_refuse` |
//! | a server that never stops | `an_answer_without_end` |
//! | a name that doesn't exist | `an_unknown_name` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use socket2::{Domain, Socket, Type};
use stage::{Finished, Program, Scratch};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-basic-server");
const NAMES: &str = env!("CARGO_BIN_EXE_tcp-basic-names");

#[test]
fn the_second_address_of_localhost() {
    let scratch = Scratch::new().unwrap();
    let hosts = scratch.path().join("hosts");
    // The other way round: it isn't the file that puts ::1 first.
    fs::write(&hosts, "127.0.0.1 localhost\n::1 localhost\n").unwrap();
    if let Err(why) = with_hosts(&hosts, &["true"]) {
        return stage::skip("UNSTUCK_REQUIRE_NETNS", &format!("no hosts file of its own: {why}"));
    }
    let mut command = Command::new(SERVER);
    let server =
        Program::start("server", command.args(["--listen", "127.0.0.1:0", "--forever"])).unwrap();
    let address: SocketAddr = server.address().unwrap().parse().unwrap();
    let port = address.port().to_string();
    let Ok(_held) = hold(address.port()) else {
        // Not println!, which the test harness captures: a skipped test should be seen.
        let _ = writeln!(io::stderr(), "skipped: no IPv6 here, or the port is taken");
        return;
    };

    let done = with_hosts(&hosts, &[NAMES, "localhost", "--port", &port]).unwrap();
    assert_eq!(done.code, Some(0), "{}", text(&done.stderr));
    let refused = io::Error::from_raw_os_error(rustix::io::Errno::CONNREFUSED.raw_os_error());
    let expected = format!(
        "localhost is ::1, 127.0.0.1\n[::1]:{port}: {refused}\n127.0.0.1:{port}: connected\nhi\n"
    );
    assert_eq!(text(&done.stdout), expected);

    let Some(python) = stage::python() else { return };
    let python = python.to_str().unwrap();
    let first = with_hosts(&hosts, &[python, &peer("first_address.py"), "localhost", &port]);
    let first = first.unwrap();
    assert_eq!(first.code, Some(1));
    let said = text(&first.stderr);
    assert!(said.contains("ConnectionRefusedError: ") && said.contains("refused"), "{said}");

    let each = with_hosts(&hosts, &[python, &peer("each_address.py"), "localhost", &port]).unwrap();
    let said = text(&each.stdout);
    assert!(said.starts_with("::1 ") && said.contains("refused"), "{said}");
    assert!(said.ends_with("\nconnected to 127.0.0.1\n"), "{said}");
    assert_eq!(each.code, Some(0), "{}", text(&each.stderr));

    // The loop of Python's library.
    let script = format!(
        "import socket; print(socket.create_connection(('localhost', {port})).getpeername()[0])"
    );
    let library = with_hosts(&hosts, &[python, "-c", &script]).unwrap();
    assert_eq!(text(&library.stdout), "127.0.0.1\n");
}

#[test]
fn all_refuse() {
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    deaf.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = deaf.local_addr().unwrap().as_socket().unwrap().port().to_string();
    let done = run(Command::new(NAMES).args(["127.0.0.1", "127.0.0.1", "--port", &port]));
    let said = text(&done.stdout);
    assert_eq!((done.code, said.lines().count()), (Some(3), 2), "{said}");
    assert!(text(&done.stderr).contains("refused"), "{}", text(&done.stderr));
}

#[test]
fn an_answer_without_end() {
    for (length, code) in [(64 * 1024, 0), (64 * 1024 + 1, 5)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let server = thread::spawn(move || {
            let (mut conn, _) = listener.accept().unwrap();
            conn.read_exact(&mut [0; 5]).unwrap();
            conn.write_all(&vec![b'x'; length]).unwrap();
        });
        let done = run(Command::new(NAMES).args(["127.0.0.1", "--port", &port]));
        assert_eq!(done.code, Some(code), "{}", text(&done.stderr));
        server.join().unwrap();
    }
}

#[test]
fn an_unknown_name() {
    // The domain is reserved for this (RFC 6761, 6.4): no resolver knows the name.
    let done = run(Command::new(NAMES).arg("nobody.invalid"));
    assert_eq!((done.code, text(&done.stdout)), (Some(3), ""));
    assert!(text(&done.stderr).contains("cannot connect to nobody.invalid: "));
}

/// Runs a command to its end with this file as `/etc/hosts` (on Linux, if it is allowed), or returns why it can't.
fn with_hosts(hosts: &Path, command: &[&str]) -> Result<Finished, String> {
    let script = format!("mount --bind {} /etc/hosts && exec \"$@\"", hosts.display());
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    let started = Program::start("unshare", unshare.args(command));
    let done = started.map_err(|error| error.to_string())?.wait(LONG).unwrap();
    let said = text(&done.stderr).to_owned();
    match done.code {
        Some(0) => Ok(done),
        _ if command == ["true"] => Err(said),
        _ => Ok(done),
    }
}

/// Bound, so that no other program can listen there, and not listening: the kernel refuses.
fn hold(port: u16) -> io::Result<Socket> {
    let deaf = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    deaf.set_only_v6(true)?;
    deaf.bind(&SocketAddr::from((Ipv6Addr::LOCALHOST, port)).into())?;
    Ok(deaf)
}

fn run(command: &mut Command) -> Finished {
    Program::start("names", command).unwrap().wait(LONG).unwrap()
}

fn peer(name: &str) -> String {
    format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
