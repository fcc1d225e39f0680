//! A file as an address: whose it is, and what may stand there.
//!
//! | fault | test |
//! |---|---|
//! | a stale file | `kill_9_and_restart` |
//! | a file that a living server has | `a_living_server_keeps_its_name` |
//! | 20 servers at once | `of_twenty_at_once_one_wins` |
//! | a regular file, a directory, a link at the path | `what_is_no_socket_is_left_alone` |
//! | a path that is too long; no such directory | `a_path_that_cannot_be` |
//! | nobody listens; nobody answers; the server closes | `what_the_client_says` |
//! | permissions | `the_file_is_this_users_alone` |
//! | SIGTERM, SIGINT | `told_to_stop_it_removes_its_file` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use stage::{Finished, Program, Scratch, Signal};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

const KINDS: [&str; 2] = ["stream", "datagram"];

#[test]
fn kill_9_and_restart() {
    for kind in KINDS {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let first = server(&path, &["--kind", kind]);
        first.address().unwrap();
        first.signal(Signal::KILL);
        first.wait(LONG).unwrap();
        assert!(path.exists(), "{kind}: nobody was left to remove it");
        let second = server(&path, &["--kind", kind]);
        second.address().unwrap();
        assert_eq!(client(&path, &["--kind", kind]).stdout, b"hi\n", "{kind}");
        assert_eq!(second.wait(LONG).unwrap().code, Some(0), "{kind}");
        assert!(!path.exists(), "{kind}");
    }
}

/// Not only ours: a server of another program holds no lock of ours.
#[test]
fn a_living_server_keeps_its_name() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("socket");
    let living = server(&path, &["--forever"]);
    living.address().unwrap();
    failed(&server(&path, &[]).wait(LONG).unwrap(), 3, "another program has this name");
    assert_eq!(client(&path, &[]).stdout, b"hi\n");

    let path = scratch.path().join("other");
    let other = UnixListener::bind(&path).unwrap();
    for kind in KINDS {
        let done = server(&path, &["--kind", kind]).wait(LONG).unwrap();
        failed(&done, 3, "another program has this name");
    }
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "it was not even disturbed by a connection");
    assert!(path.exists());
}

#[test]
fn of_twenty_at_once_one_wins() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("socket");
    // What a dead server left, so that all of them want to remove it.
    drop(UnixListener::bind(&path).unwrap());
    let servers: Vec<Program> = (0..20).map(|_| server(&path, &["--forever"])).collect();
    let mut winners = Vec::new();
    for server in servers {
        match server.address() {
            Ok(_) => winners.push(server),
            Err(_) => failed(&server.wait(LONG).unwrap(), 3, "another program has this name"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(client(&path, &[]).stdout, b"hi\n");
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("precious");
    fs::write(&path, "precious").unwrap();
    failed(&server(&path, &[]).wait(LONG).unwrap(), 3, "a file stands there that is no socket");
    assert_eq!(fs::read(&path).unwrap(), b"precious");

    let link = scratch.path().join("link");
    symlink(&path, &link).unwrap();
    failed(&server(&link, &[]).wait(LONG).unwrap(), 3, "no socket");
    assert_eq!(fs::read(&link).unwrap(), b"precious");

    let directory = scratch.path().join("directory");
    fs::create_dir(&directory).unwrap();
    failed(&server(&directory, &[]).wait(LONG).unwrap(), 3, "no socket");
    assert!(directory.is_dir());
}

#[test]
fn a_path_that_cannot_be() {
    let scratch = Scratch::new().unwrap();
    let long = scratch.path().join("x".repeat(150));
    let length = long.as_os_str().len();
    let says = format!("the path has {length} bytes");
    failed(&server(&long, &[]).wait(LONG).unwrap(), 3, &says);
    failed(&client(&long, &[]), 3, &says);
    let nowhere = scratch.path().join("no/such/directory");
    failed(&server(&nowhere, &[]).wait(LONG).unwrap(), 3, "there is no directory");
}

#[test]
fn what_the_client_says() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.path().join("socket");
    failed(&client(&path, &[]), 3, "is the server running?");
    let listener = UnixListener::bind(&path).unwrap();
    failed(&client(&path, &["--timeout", "0.3"]), 6, "nothing happened for too long");
    // That one waits in the queue still.
    drop(listener.accept().unwrap());

    let closing = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        conn.read_exact(&mut [0; b"hello".len()]).unwrap();
    });
    failed(&client(&path, &[]), 4, "the server closed without an answer");
    closing.join().unwrap();
    failed(&client(&path, &[]), 3, "is the server running?");
}

#[test]
fn the_file_is_this_users_alone() {
    let scratch = Scratch::new().unwrap();
    // Nothing given: the usual place, in a private directory.
    let mut command = Command::new(env!("CARGO_BIN_EXE_af-unix-server"));
    command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", scratch.path());
    let server = Program::start("server", &mut command).unwrap();
    let address = server.address().unwrap();
    let path = Path::new(&address);
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    drop(server);

    // A directory that others can enter is not used.
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let done = Program::start("server", &mut command).unwrap().wait(LONG).unwrap();
    failed(&done, 3, "should be a directory of this user and closed to others");
}

#[test]
fn told_to_stop_it_removes_its_file() {
    for signal in [Signal::TERM, Signal::INT] {
        for kind in KINDS {
            let scratch = Scratch::new().unwrap();
            let path = scratch.path().join("socket");
            let server = server(&path, &["--kind", kind]);
            server.address().unwrap();
            server.signal(signal);
            assert_eq!(server.wait(LONG).unwrap().code, Some(0), "{kind} {signal:?}");
            let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
            assert!(left.is_empty(), "{kind} {signal:?}: {left:?}");
        }
    }
}

fn server(path: &Path, args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_af-unix-server"));
    Program::start("server", command.arg("--path").arg(path).args(args)).unwrap()
}

fn client(path: &Path, args: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_af-unix-client"));
    command.arg("--path").arg(path).args(args);
    Program::start("client", &mut command).unwrap().wait(LONG).unwrap()
}

/// One line on stderr that says this.
fn failed(done: &Finished, code: i32, says: &str) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code, Some(code), "{stderr}");
    assert!(stderr.lines().count() == 1 && stderr.contains(says), "{says:?} is not in {stderr}");
}
