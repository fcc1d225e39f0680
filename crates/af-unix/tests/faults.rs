//! What goes wrong between a client and a server on a Unix socket, and how each side says so.
//!
//! Whose name it is: see `names.rs`.
//!
//! | fault | test |
//! |---|---|
//! | nobody there; a server of another kind | `nobody_there_or_another_kind` |
//! | a 0-byte datagram, one larger than the buffer | `a_datagram_of_any_length` |
//! | a datagram from nobody, who cannot be answered | `one_client_s_trouble_is_not_the_others` |
//! | a peer that is silent, leaves, resets | `a_server_that_does_not_answer`, `a_client_that_says_nothing` |
//! | SIGTERM while busy; INT, TERM, HUP, QUIT for clients | `told_to_stop_while_busy`, `an_interrupted_client` |
//! | our own stdout closed | `nobody_reads_our_stdout`, `a_server_outlives_the_reader_of_its_stdout` |
//! | descriptors exhausted | `out_of_descriptors_and_back` |
//! | usage | `what_makes_no_sense` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Finished, Program, Scratch, Signal, Stream};
use std::fs;
use std::io::Read;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Command;
use std::time::Duration;

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_af-unix-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_af-unix-client");

#[test]
fn nobody_there_or_another_kind() {
    for (kind, other) in [("stream", "datagram"), ("datagram", "stream")] {
        let place = Place::new();
        let nobody = place.run(CLIENT, &["--kind", kind]);
        check(&nobody, 3, &["cannot connect to", &place.path, "Start it first"]);

        let _server = place.server(&["--kind", other]);
        let done = place.run(CLIENT, &["--kind", kind]);
        check(&done, 3, &["cannot connect to", &place.path, "the same --kind on both sides"]);
    }
}

#[test]
fn a_datagram_of_any_length() {
    let place = Place::new();
    let server = place.server(&["--kind", "datagram", "--forever"]);
    let client = UnixDatagram::bind(format!("{}.client", place.path)).unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    let fits = [b'a'; 1024];
    let long = [b'b'; 1025];
    for message in [&b""[..], &fits, &long, b"c"] {
        client.send_to(message, &place.path).unwrap();
        let mut answer = [0; 1024];
        let n = observe::uninterrupted(|| client.recv(&mut answer)).unwrap();
        assert_eq!(&answer[..n], b"hi");
    }
    // It answers first, and then prints.
    server.wait_for_line(Stream::Stdout, "c", LONG).unwrap();
    let done = stop(server);
    let said: Vec<&[u8]> = done.stdout.split(|byte| *byte == b'\n').skip(2).step_by(2).collect();
    // The rest of the long one is lost: the next recv returns the next datagram.
    assert_eq!(said, [&b""[..], &fits, &long[..1024], b"c"]);
    check(&done, 0, &["longer than the buffer: the rest is lost"]);
}

#[test]
fn a_server_that_does_not_answer() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.path).unwrap();
    let leaves = place.start(CLIENT, &[]);
    let (mut conn, _) = listener.accept().unwrap();
    conn.read_exact(&mut [0; 5]).unwrap();
    drop(conn);
    let said = "the server closed without an answer";
    check(&leaves.wait(LONG).unwrap(), 4, &[&place.path, said]);

    let resets = place.start(CLIENT, &[]);
    let (mut conn, _) = listener.accept().unwrap();
    conn.read_exact(&mut [0; 1]).unwrap();
    // Closed with input unread.
    drop(conn);
    check(&resets.wait(LONG).unwrap(), 4, &[&place.path, "waiting for the answer"]);

    check(&place.run(CLIENT, &["--timeout", "0.1"]), 6, &[&place.path, "--timeout"]);
    fs::remove_file(&place.path).unwrap();

    let _silent = UnixDatagram::bind(&place.path).unwrap();
    let done = place.run(CLIENT, &["--timeout", "0.1", "--kind", "datagram"]);
    check(&done, 6, &[&place.path, "--timeout"]);
    // Its own file is gone with it.
    assert_eq!(fs::read_dir(place.scratch.path()).unwrap().count(), 1);
}

#[test]
fn a_client_that_says_nothing() {
    let place = Place::new();
    let server = place.server(&[]);
    drop(UnixStream::connect(&place.path).unwrap());
    check(&server.wait(LONG).unwrap(), 4, &["the conversation", "the client said nothing"]);
}

#[test]
fn one_client_s_trouble_is_not_the_others() {
    let place = Place::new();
    let server = place.server(&["--forever"]);
    drop(UnixStream::connect(&place.path).unwrap());
    check(&place.run(CLIENT, &[]), 0, &[]);
    check(&stop(server), 0, &["the client said nothing"]);

    let server = place.server(&["--forever", "--kind", "datagram"]);
    // Not bound: there is no name to send the answer to.
    UnixDatagram::unbound().unwrap().send_to(b"who am I?", &place.path).unwrap();
    check(&place.run(CLIENT, &["--kind", "datagram"]), 0, &[]);
    check(&stop(server), 0, &["unnamed", "did the client bind a name of its own?"]);
}

#[test]
fn told_to_stop_while_busy() {
    let place = Place::new();
    let server = place.server(&["--forever", "-v"]);
    let _silent = UnixStream::connect(&place.path).unwrap();
    let accepted = |line: &stage::Line| line.text.windows(13).any(|text| text == b" accept conn=");
    let seen = |lines: &[stage::Line]| lines.iter().any(accepted).then_some(());
    server.wait_until("accept", LONG, seen).unwrap();
    let done = stop(server);
    assert_eq!((done.code, done.signal), (Some(0), None));
    assert_eq!(fs::read_dir(place.scratch.path()).unwrap().count(), 0);
}

#[test]
fn an_interrupted_client() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        interrupted_by(signal);
    }
}

fn interrupted_by(signal: Signal) {
    let place = Place::new();
    let listener = UnixListener::bind(&place.path).unwrap();
    let client = place.start(CLIENT, &[]);
    let _silent = listener.accept().unwrap();
    client.signal(signal);
    let done = client.wait(LONG).unwrap();
    assert_eq!((done.code, done.signal), (Some(130), None));
    fs::remove_file(&place.path).unwrap();

    let silent = UnixDatagram::bind(&place.path).unwrap();
    let client = place.start(CLIENT, &["--kind", "datagram"]);
    silent.recv(&mut [0; 1024]).unwrap();
    client.signal(signal);
    let done = client.wait(LONG).unwrap();
    assert_eq!((done.code, done.signal), (Some(130), None));
    assert_eq!(fs::read_dir(place.scratch.path()).unwrap().count(), 1, "its own name is gone");
}

#[test]
fn nobody_reads_our_stdout() {
    let place = Place::new();
    let other = format!("{}.other", place.path);
    let _server = place.server(&["--forever"]);
    for (program, path) in [(SERVER, &other), (CLIENT, &place.path)] {
        // The right side of the pipe is closed before the left side starts its program: also in the
        // shell that made the pipe, which may come to it later.
        let script = "{ read go; trap '' PIPE; while echo probe; do :; done 2>/dev/null; \"$@\"; echo exit code $? >&2; } | { exec <&-; echo closed >&2; }";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh", program, "--path", path]);
        let mut pipe = Program::start("pipe", &mut command).unwrap();
        pipe.wait_for_line(Stream::Stderr, "closed", LONG).unwrap();
        pipe.write(b"go\n").unwrap();
        let done = pipe.wait(LONG).unwrap();
        // 141, and not a word: `program | head -1` is a wish, not a mistake.
        assert_eq!(String::from_utf8(done.stderr).unwrap(), "closed\nexit code 141\n");
    }
    assert!(!fs::exists(other).unwrap());
}

#[test]
fn a_server_outlives_the_reader_of_its_stdout() {
    for kind in ["stream", "datagram"] {
        let place = Place::new();
        let script = "\"$@\" | { read line; exec <&-; echo \"$line\" >&2; }";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh", SERVER, "--path", &place.path, "--forever"]);
        let server = Program::start("pipe", command.args(["--kind", kind])).unwrap();
        server.wait_for_line(Stream::Stderr, "listening on ", LONG).unwrap();
        for _ in 0..3 {
            check(&place.run(CLIENT, &["--kind", kind]), 0, &[]);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn out_of_descriptors_and_back() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let place = Place::new();
    let server = place.server(&["--forever"]);
    // Now that it listens it opens nothing until it accepts. The first number that is free is the first
    // one that it may not have.
    let held = |fd: &u64| fs::exists(format!("/proc/{}/fd/{fd}", server.pid())).unwrap();
    let free = (0..).find(|fd| !held(fd)).unwrap();
    let pid = Pid::from_raw(server.pid().cast_signed());
    let limit = |current| Rlimit { current: Some(current), maximum: Some(64) };
    prlimit(pid, Resource::Nofile, limit(free)).unwrap();

    let client = place.start(CLIENT, &["--timeout", "60"]);
    let complaint = "accept failed: nobody new is served";
    let complaints = |lines: &[stage::Line]| {
        let said = lines.iter().map(|line| String::from_utf8_lossy(&line.text));
        said.filter(|line| line.contains(complaint)).count()
    };
    server.wait_until(complaint, LONG, |lines| (complaints(lines) > 0).then_some(())).unwrap();

    prlimit(pid, Resource::Nofile, limit(64)).unwrap();
    check(&client.wait(LONG).unwrap(), 0, &[]);
    assert_eq!(stop(server).code, Some(0));
}

#[test]
fn what_makes_no_sense() {
    for (program, args, said) in [
        (CLIENT, ["--kind", "tcp"], "[possible values: stream, datagram, seqpacket]"),
        (CLIENT, ["--timeout", "0"], "expected seconds above 0"),
        (SERVER, ["--path", ""], "--path"),
        (SERVER, ["--listen", "127.0.0.1:0"], "--listen"),
        (SERVER, ["--trace", "/no/such/directory/file"], "--trace /no/such/directory/file"),
    ] {
        let done = Program::start(program, Command::new(program).args(args)).unwrap();
        let done = done.wait(LONG).unwrap();
        assert_eq!(done.code, Some(2), "{args:?}");
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert!(complaint.contains(said), "{complaint}");
        assert_eq!(done.stdout, b"", "{args:?}");
    }
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

fn stop(server: Program) -> Finished {
    server.signal(Signal::TERM);
    server.wait(LONG).unwrap()
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
        Program::start(program, Command::new(program).args(["--path", &self.path]).args(args))
            .unwrap()
    }
}
