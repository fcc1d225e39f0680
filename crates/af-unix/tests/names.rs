//! Who owns a path: it is taken over from a dead server, and never from a living one.
//!
//! | fault | test |
//! |---|---|
//! | a stale file | `what_a_dead_server_left_is_taken_over` |
//! | a living server, ours or not, of any kind | `a_living_server_keeps_its_name` |
//! | 20 at once: one winner | `of_twenty_at_once_one_wins`, `a_claimed_name_is_taken`, `one_claim_at_a_time` |
//! | a regular file at the path, a directory, a link, a FIFO | `what_is_no_socket_is_left_as_it_is` |
//! | something else where the lock should be | `a_lock_that_is_none` |
//! | a path too long | `a_path_that_is_too_long_is_named_with_the_limit` |
//! | no such directory | `no_directory_for_the_file` |
//! | kill -9 and restart | `killed_and_restarted` |
//! | INT, TERM, HUP, QUIT; restart at once | `told_to_stop_and_restarted` |
//! | the default place is not private | `the_default_place_is_private` |
//! | who may connect | `the_socket_is_this_user_s_alone` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use af_unix::Claim;
use socket2::{Domain, SockAddr, Socket, Type};
use stage::{Finished, Program, Scratch, Signal};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_af-unix-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_af-unix-client");

#[test]
fn what_a_dead_server_left_is_taken_over() {
    for kind in ["stream", "datagram"] {
        let place = Place::new();
        // Closing does not remove the file: whatever kind it was, it is nobody's now.
        drop(UnixListener::bind(&place.path).unwrap());
        check_serving(&place, kind);
        drop(UnixDatagram::bind(&place.path).unwrap());
        check_serving(&place, kind);
    }
}

#[test]
fn a_living_server_keeps_its_name() {
    for kind in ["stream", "datagram"] {
        let place = Place::new();
        let first = place.server(&["--kind", kind]);
        check(
            &place.run(SERVER, &[]),
            3,
            &["cannot listen on", &place.path, "another program", "another path"],
        );
        check(&place.run(CLIENT, &["--kind", kind]), 0, &[]);
        assert_eq!(first.wait(LONG).unwrap().code, Some(0));

        // One of each kind that knows nothing about our lock; and one that is bound, but does not listen yet.
        let address = SockAddr::unix(&place.path).unwrap();
        for (foreign, listens) in [
            (Type::STREAM, false),
            (Type::STREAM, true),
            (Type::DGRAM, false),
            #[cfg(target_os = "linux")]
            (Type::SEQPACKET, true),
        ] {
            let socket = Socket::new(Domain::UNIX, foreign, None).unwrap();
            socket.bind(&address).unwrap();
            if listens {
                socket.listen(10).unwrap();
            }
            check(&place.run(SERVER, &["--kind", kind]), 3, &["another program has this name"]);
            assert!(place.is_socket(), "{foreign:?}");
            if listens {
                // Nobody has connected: a server that serves one client and ends would have ended.
                socket.set_nonblocking(true).unwrap();
                let nobody = socket.accept().err().map(|error| error.kind());
                assert_eq!(nobody, Some(ErrorKind::WouldBlock), "{foreign:?}");
            }
            fs::remove_file(&place.path).unwrap();
        }
    }
}

#[test]
fn of_twenty_at_once_one_wins() {
    for kind in ["stream", "datagram"] {
        for stale in [true, false] {
            let place = Place::new();
            if stale {
                drop(UnixListener::bind(&place.path).unwrap());
            }
            let args = ["--forever", "--kind", kind];
            let servers: Vec<Program> = (0..20).map(|_| place.start(SERVER, &args)).collect();
            // Each listens or has ended.
            let (winners, losers): (Vec<_>, Vec<_>) =
                servers.into_iter().partition(|server| server.address().is_ok());
            assert_eq!((winners.len(), losers.len()), (1, 19), "{kind}, stale: {stale}");
            for loser in losers {
                check(&loser.wait(LONG).unwrap(), 3, &["another program has this name"]);
            }
            check(&place.run(CLIENT, &["--kind", kind]), 0, &[]);
        }
    }
}

/// Before the owner has bound it, only the lock shows that the name is taken.
#[test]
fn a_claimed_name_is_taken() {
    let place = Place::new();
    let claim = Claim::new(Path::new(&place.path)).unwrap();
    check(&place.run(SERVER, &[]), 3, &["another program has this name"]);
    drop(claim);
    check_serving(&place, "stream");
}

/// A program that gives up its claim removes the lock, which another may be opening at that moment.
#[test]
fn one_claim_at_a_time() {
    let place = Place::new();
    let claimed = AtomicBool::new(false);
    let claims = || {
        (0..3000).filter_map(|_| Claim::new(Path::new(&place.path)).ok()).for_each(|claim| {
            assert!(!claimed.swap(true, Ordering::SeqCst), "two at a time");
            // Give the others a turn, so that they would be seen.
            thread::yield_now();
            claimed.store(false, Ordering::SeqCst);
            drop(claim);
        });
    };
    thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(claims))));
    place.only("");
}

#[test]
fn what_is_no_socket_is_left_as_it_is() {
    let place = Place::new();
    let refused = |said: &str| {
        check(&place.run(SERVER, &[]), 3, &["cannot listen on", &place.path, said, "another path"]);
        place.only("socket");
    };
    let said = "there is a file that isn't a socket, and it stays as it is";

    fs::write(&place.path, "precious").unwrap();
    refused(said);
    assert_eq!(fs::read(&place.path).unwrap(), b"precious");
    fs::remove_file(&place.path).unwrap();

    fs::create_dir(&place.path).unwrap();
    refused(said);
    fs::remove_dir(&place.path).unwrap();

    assert!(Command::new("mkfifo").arg(&place.path).status().unwrap().success());
    refused(said);
    assert!(fs::symlink_metadata(&place.path).unwrap().file_type().is_fifo());
    fs::remove_file(&place.path).unwrap();

    // A link, even to a socket that is dead.
    let elsewhere = Place::new();
    drop(UnixListener::bind(&elsewhere.path).unwrap());
    symlink(&elsewhere.path, &place.path).unwrap();
    refused(said);
    assert!(elsewhere.is_socket());
    assert!(fs::symlink_metadata(&place.path).unwrap().is_symlink());
}

#[test]
fn a_lock_that_is_none() {
    let place = Place::new();
    let lock = format!("{}.lock", place.path);
    fs::write(&lock, "precious").unwrap();
    check_serving(&place, "stream");
    assert_eq!(fs::read(&lock).unwrap(), b"precious");
    fs::remove_file(&lock).unwrap();

    // Opening it only for writing would wait for a reader forever.
    assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success());
    check_serving(&place, "stream");
    fs::remove_file(&lock).unwrap();

    fs::create_dir(&lock).unwrap();
    check(&place.run(SERVER, &[]), 3, &["cannot listen on", &place.path]);
}

#[test]
fn a_path_that_is_too_long_is_named_with_the_limit() {
    let place = Place::new();
    let longest = af_unix::LONGEST;
    // Rust's own library knows this system's limit too.
    let possible = |length| SocketAddr::from_pathname("x".repeat(length)).is_ok();
    assert!(possible(longest) && !possible(longest + 1));
    let path = |length: usize| {
        let directory = format!("{}/", place.scratch.path().display());
        format!("{directory}{}", "x".repeat(length - directory.len()))
    };
    let (fits, long) = (path(longest), path(longest + 1));
    let said = [
        &long,
        &*format!("has {} bytes", longest + 1),
        &format!("at most {longest}"),
        "a shorter path",
    ];
    for program in [SERVER, CLIENT] {
        check(&run(program, &["--path", &long]), 3, &said);
    }
    let server = start(SERVER, &["--path", &fits]);
    assert_eq!(server.address().unwrap(), fits);
    check(&run(CLIENT, &["--path", &fits]), 0, &[]);
    // The name is free when the server has ended, and it ends after its client.
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));

    // A datagram client has a name of its own, and it is longer.
    let server = start(SERVER, &["--path", &fits, "--kind", "datagram"]);
    server.address().unwrap();
    let client = run(CLIENT, &["--path", &fits, "--kind", "datagram"]);
    check(&client, 3, &["cannot listen on", &format!("at most {longest}"), "a shorter path"]);
}

#[test]
fn no_directory_for_the_file() {
    let place = Place::new();
    let path = format!("{}/missing/socket", place.scratch.path().display());
    check(&run(SERVER, &["--path", &path]), 3, &[&path, "there is no directory", "/missing/"]);
}

#[test]
fn killed_and_restarted() {
    for kind in ["stream", "datagram"] {
        let place = Place::new();
        let server = place.server(&["--kind", kind, "--forever"]);
        server.signal(Signal::KILL);
        assert_eq!(server.wait(LONG).unwrap().signal, Some(9));
        assert!(place.is_socket(), "kill -9 leaves the file");
        // Nobody owns the name until another server takes it.
        check(
            &place.run(CLIENT, &["--kind", kind]),
            3,
            &[&place.path, "refused", "Start it first"],
        );
        check_serving(&place, kind);
    }
}

#[test]
fn told_to_stop_and_restarted() {
    for kind in ["stream", "datagram"] {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
            let place = Place::new();
            let server = place.server(&["--kind", kind, "--forever"]);
            assert!(place.is_socket());
            server.signal(signal);
            let done = server.wait(LONG).unwrap();
            assert_eq!((done.code, done.signal), (Some(0), None), "{kind} {signal:?}");
            place.only("");
            check_serving(&place, kind);
        }
    }
}

#[test]
fn the_default_place_is_private() {
    // Where the session has a directory for this, and where it has none.
    let uid = rustix::process::getuid();
    for (variable, directory) in
        [("XDG_RUNTIME_DIR", "unstuck".into()), ("TMPDIR", format!("unstuck-{uid}"))]
    {
        let scratch = Scratch::new().unwrap();
        let directory = scratch.path().join(directory);
        let start = |program: &str| {
            let mut command = Command::new(program);
            command.env_remove("XDG_RUNTIME_DIR").env(variable, scratch.path());
            Program::start(program, &mut command).unwrap()
        };
        let server = start(SERVER);
        assert_eq!(Path::new(&server.address().unwrap()), directory.join("af-unix.sock"));
        assert_eq!(mode(&directory), 0o700);
        check(&start(CLIENT).wait(LONG).unwrap(), 0, &[]);
        assert_eq!(server.wait(LONG).unwrap().code, Some(0));

        // Others can look in, or it is a link to where they can.
        let said = ["closed to others", directory.to_str().unwrap(), "0700", "--path"];
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        for program in [SERVER, CLIENT] {
            check(&start(program).wait(LONG).unwrap(), 3, &said);
        }
        fs::remove_dir(&directory).unwrap();
        let elsewhere = Scratch::new().unwrap();
        symlink(elsewhere.path(), &directory).unwrap();
        check(&start(SERVER).wait(LONG).unwrap(), 3, &said);
    }
}

#[test]
fn the_socket_is_this_user_s_alone() {
    for kind in ["stream", "datagram"] {
        let place = Place::new();
        let _server = place.server(&["--kind", kind]);
        assert_eq!(mode(Path::new(&place.path)), 0o600, "{kind}");
        assert_eq!(mode(Path::new(&format!("{}.lock", place.path))), 0o600, "{kind}");
    }
}

/// A server takes the name, serves a client, and leaves no file that was not there before.
#[track_caller]
fn check_serving(place: &Place, kind: &str) {
    let server = place.server(&["--kind", kind]);
    check(&place.run(CLIENT, &["--kind", kind]), 0, &[]);
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
    assert!(!Path::new(&place.path).exists());
}

/// Its exit code, and what its one line on stderr contains: nothing there if nothing is expected.
#[track_caller]
fn check(done: &Finished, code: i32, said: &[&str]) {
    let complaint = str::from_utf8(&done.stderr).unwrap();
    assert_eq!(
        (done.code, complaint.lines().count()),
        (Some(code), said.len().min(1)),
        "{complaint}"
    );
    let missing = said.iter().find(|word| !complaint.contains(**word));
    assert_eq!(missing, None, "{complaint}");
}

/// A directory with nothing in it, and a name there.
struct Place {
    scratch: Scratch,
    path: String,
}

impl Place {
    fn new() -> Place {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket").to_str().unwrap().to_owned();
        Place { scratch, path }
    }

    /// A server that listens there.
    fn server(&self, args: &[&str]) -> Program {
        let server = self.start(SERVER, args);
        assert_eq!(server.address().unwrap(), self.path);
        server
    }

    fn run(&self, program: &str, args: &[&str]) -> Finished {
        self.start(program, args).wait(LONG).unwrap()
    }

    fn start(&self, program: &str, args: &[&str]) -> Program {
        start(program, &[&["--path", &self.path], args].concat())
    }

    fn is_socket(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|file| file.file_type().is_socket())
    }

    /// Nothing else stands in the directory.
    #[track_caller]
    fn only(&self, name: &str) {
        let files =
            fs::read_dir(self.scratch.path()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(files.map(|name| name.into_string().unwrap()).collect::<String>(), name);
    }
}

fn run(program: &str, args: &[&str]) -> Finished {
    start(program, args).wait(LONG).unwrap()
}

fn start(program: &str, args: &[&str]) -> Program {
    Program::start(program, Command::new(program).args(args)).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}
