//! What goes wrong with a TCP pair, and how each side says so.
//!
//! | fault | test |
//! |---|---|
//! | refused, unreachable, not our address, no IPv6 | `nobody_there_or_no_way_there` |
//! | two servers on one port | `the_second_server_on_a_port_is_refused_and_the_first_goes_on` |
//! | restart on the same port at once, with and without SO_REUSEADDR | `a_restart_at_once` |
//! | INT, TERM, HUP, QUIT, idle and busy | `a_server_that_is_told_to_stop_ends_well`, `an_interrupted_client` |
//! | a peer that is silent, leaves, resets, never stops | `a_server_that_does_not_answer`, `a_client_that_does_not_speak`, `one_client_s_trouble_is_not_the_others` |
//! | our own stdout closed | `nobody_reads_our_stdout`, `a_server_outlives_the_reader_of_its_stdout` |
//! | descriptors exhausted | `out_of_descriptors_and_back` |
//! | usage | `what_makes_no_sense` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use socket2::SockRef;
use stage::{Finished, Program, Signal, Stream};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-basic-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-basic-client");

#[test]
fn nobody_there_or_no_way_there() {
    // Bound, so that no other program takes the port, but not listening.
    let deaf = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    deaf.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let closed = deaf.local_addr().unwrap().as_socket().unwrap().to_string();
    check(&run(CLIENT, &["--connect", &closed]), 3, &[&closed, "refused", "Start it first"]);

    // Addresses for documentation (RFC 5737, RFC 3849): no machine has them. A machine without IPv6
    // says the same of every IPv6 address.
    for foreign in ["192.0.2.1:0", "[2001:db8::1]:0"] {
        let done = run(SERVER, &["--listen", foreign]);
        check(&done, 3, &["cannot listen on", foreign, "try 127.0.0.1"]);
    }
    // And where the system was built without IPv6:
    let error = rustix::io::Errno::AFNOSUPPORT.into();
    let said = observe::Failure::cannot_connect("[::1]:8888")(error).to_string();
    assert!(said.contains("try 127.0.0.1"), "{said}");

    // TCP has no broadcast: there is no route to the network's broadcast address.
    if cfg!(target_os = "linux") {
        let done = run(CLIENT, &["--connect", "127.255.255.255:8888"]);
        check(&done, 3, &["unreachable", "try 127.0.0.1"]);
    }
}

#[test]
fn the_second_server_on_a_port_is_refused_and_the_first_goes_on() {
    let (first, address) = server(&[]);
    let second = run(SERVER, &["--listen", &address]);
    check(&second, 3, &["cannot listen on", &address, "another program listens there", "port 0"]);
    assert_eq!(second.stdout, b"");
    check(&run(CLIENT, &["--connect", &address]), 0, &[]);
    assert_eq!(first.wait(LONG).unwrap().code, Some(0));
}

#[test]
fn a_restart_at_once() {
    // An address that no other test uses, so that none of them takes the port in between. Only Linux has
    // all of 127.0.0.0/8 on its loopback.
    let own = if cfg!(target_os = "linux") { "127.0.0.2:0" } else { "127.0.0.1:0" };
    let first = start(SERVER, &["--listen", own]);
    let address = first.address().unwrap();
    check(&run(CLIENT, &["--connect", &address]), 0, &[]);
    assert_eq!(first.wait(LONG).unwrap().code, Some(0));

    // The server closed first: its end of the connection is in TIME_WAIT.
    let without = run(SERVER, &["--listen", &address, "--no-reuse-address"]);
    check(&without, 3, &[&address, "SO_REUSEADDR"]);
    let again = start(SERVER, &["--listen", &address]);
    assert_eq!(again.address().unwrap(), address);
    check(&run(CLIENT, &["--connect", &address]), 0, &[]);
}

#[test]
fn a_server_that_is_told_to_stop_ends_well() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        for busy in [false, true] {
            let (server, address) = server(&["--forever", "-v"]);
            // A client that connects and says nothing: the server waits in recv.
            let silent = busy.then(|| TcpStream::connect(address).unwrap());
            if busy {
                server.wait_until("accept", LONG, |lines| call(lines, "accept")).unwrap();
            }
            server.signal(signal);
            let done = server.wait(LONG).unwrap();
            assert_eq!((done.code, done.signal), (Some(0), None), "{signal:?}, busy: {busy}");
            drop(silent);
        }
    }
}

#[test]
fn an_interrupted_client() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let (listener, address) = listener();
        let client = start(CLIENT, &["--connect", &address]);
        let _silent = listener.accept().unwrap();
        client.signal(signal);
        let done = client.wait(LONG).unwrap();
        assert_eq!((done.code, done.signal), (Some(130), None), "{signal:?}");
    }
}

#[test]
fn a_server_that_does_not_answer() {
    type Answer = fn(TcpStream);
    let cases: [(i32, Answer, &str); 4] = [
        (4, drop, "the server closed without an answer"),
        (4, reset, "reset"),
        (5, flood, "bytes arrived, and no end of stream"),
        (6, wait_for_hello_and_the_end, "--timeout"),
    ];
    for (code, answer, said) in cases {
        let (listener, address) = listener();
        // Only the silent one runs into this timeout; the others have all the time they need.
        let timeout = if code == 6 { "0.1" } else { "60" };
        let client = start(CLIENT, &["--connect", &address, "--timeout", timeout]);
        let (mut conn, _) = listener.accept().unwrap();
        if code != 6 {
            conn.read_exact(&mut [0; 5]).unwrap();
        }
        answer(conn);
        let done = client.wait(LONG).unwrap();
        check(&done, code, &[&address, "waiting for the answer", said]);
        assert_eq!(done.stdout, b"");
    }
}

#[test]
fn a_client_that_does_not_speak() {
    type Talk = fn(TcpStream);
    let cases: [(i32, Talk, &str); 3] = [
        (4, drop, "the client said nothing"),
        (4, hear_hi_and_reset, "reset"),
        (5, flood, "bytes arrived, and no end of stream"),
    ];
    for (code, talk, said) in cases {
        let (server, address) = server(&[]);
        let conn = TcpStream::connect(address).unwrap();
        let peer = conn.local_addr().unwrap().to_string();
        talk(conn);
        check(&server.wait(LONG).unwrap(), code, &[&peer, "the conversation", said]);
    }
}

#[test]
fn one_client_s_trouble_is_not_the_others() {
    let (server, address) = server(&["--forever"]);
    for talk in [drop, hear_hi_and_reset, flood] {
        talk(TcpStream::connect(&address).unwrap());
    }
    check(&run(CLIENT, &["--connect", &address]), 0, &[]);
    // The server prints after the client has closed, and a signal would not wait for that.
    server.wait_for_line(Stream::Stdout, "hello", LONG).unwrap();
    server.signal(Signal::TERM);
    let done = server.wait(LONG).unwrap();
    assert_eq!(done.code, Some(0));
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(said.lines().count(), 3, "one line for each: {said}");
}

#[test]
fn nobody_reads_our_stdout() {
    let (_server, address) = server(&["--forever"]);
    for (program, args) in
        [(SERVER, ["--listen", "127.0.0.1:0"]), (CLIENT, ["--connect", &address])]
    {
        // The reading end of the pipe is closed before the program on the left starts. The probe waits
        // until it is closed in the shell that made the pipe, too.
        let script = "{ read go; trap '' PIPE; while echo probe; do :; done 2>/dev/null; \"$@\"; echo exit code $? >&2; } | { exec <&-; echo closed >&2; }";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh", program]).args(args);
        let mut pipe = Program::start("pipe", &mut command).unwrap();
        pipe.wait_for_line(Stream::Stderr, "closed", LONG).unwrap();
        pipe.write(b"go\n").unwrap();
        let done = pipe.wait(LONG).unwrap();
        // 141, and no message: `program | head -1` is what the user wanted, not a mistake.
        assert_eq!(String::from_utf8(done.stderr).unwrap(), "closed\nexit code 141\n");
    }
}

/// A full disk is an error, unlike a reader that has left.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_as_itself() {
    let (_server, address) = server(&["--forever"]);
    for (program, args) in
        [(SERVER, ["--listen", "127.0.0.1:0"]), (CLIENT, ["--connect", &address])]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let done = Command::new(program).args(args).stdout(full).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot write to stdout: No space left on device"), "{said}");
    }
}

#[test]
fn a_server_outlives_the_reader_of_its_stdout() {
    let script = "\"$@\" | { read line; exec <&-; echo \"$line\" >&2; }";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh", SERVER, "--listen", "127.0.0.1:0", "--forever"]);
    let server = Program::start("pipe", &mut command).unwrap();
    let line = server.wait_for_line(Stream::Stderr, "listening on ", LONG).unwrap();
    let address = line.strip_prefix("listening on ").unwrap();
    for _ in 0..3 {
        check(&run(CLIENT, &["--connect", address]), 0, &[]);
    }
}

/// The shell leaves one descriptor less than a connection needs; then the limit is lifted.
#[test]
#[cfg(target_os = "linux")]
fn out_of_descriptors_and_back() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    // 0, 1, 2 and the listener.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -S -n 4; exec \"$@\"", "sh", SERVER]);
    command.args(["--listen", "127.0.0.1:0", "--forever"]);
    let server = Program::start("server", &mut command).unwrap();
    let address = server.address().unwrap();

    let client = start(CLIENT, &["--connect", &address, "--timeout", "60"]);
    let complaint = "accept failed: nobody new is served";
    let complaints = |lines: &[stage::Line]| {
        let said = lines.iter().map(|line| String::from_utf8_lossy(&line.text));
        said.filter(|line| line.contains(complaint)).count()
    };
    server.wait_until(complaint, LONG, |lines| (complaints(lines) > 0).then_some(())).unwrap();

    let pid = Pid::from_raw(server.pid().cast_signed());
    let lifted = Rlimit { current: Some(64), maximum: Some(64) };
    prlimit(pid, Resource::Nofile, lifted).unwrap();
    let done = client.wait(LONG).unwrap();
    check(&done, 0, &[]);
    // At most one line a second, however often it tried.
    let seconds = done.took.as_secs() as usize;
    assert!(complaints(&server.said()) <= 1 + seconds, "{:?}", server.said());
    server.signal(Signal::TERM);
    assert_eq!(server.wait(LONG).unwrap().code, Some(0));
}

#[test]
fn what_makes_no_sense() {
    for (program, args, said) in [
        (CLIENT, ["--connect", "localhost:8888"], "names are not looked up"),
        (CLIENT, ["--connect", "8888"], "IP:PORT"),
        (CLIENT, ["--timeout", "0"], "expected seconds above 0"),
        (CLIENT, ["--listen", "127.0.0.1:0"], "--listen"),
        (SERVER, ["--listen", "127.0.0.1:70000"], "IP:PORT"),
        (SERVER, ["--trace", "/no/such/directory/file"], "--trace /no/such/directory/file"),
    ] {
        let done = run(program, &args);
        assert_eq!(done.code, Some(2), "{args:?}");
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert!(complaint.contains(said), "{complaint}");
        assert_eq!(done.stdout, b"", "{args:?}");
    }
}

/// Checks the exit code, and that stderr is one line with all of these texts, or empty if there are none.
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

/// A server on a free port, and its address.
fn server(args: &[&str]) -> (Program, String) {
    let server = start(SERVER, &[&["--listen", "127.0.0.1:0"], args].concat());
    let address = server.address().unwrap();
    (server, address)
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn run(program: &str, args: &[&str]) -> Finished {
    start(program, args).wait(LONG).unwrap()
}

fn start(program: &str, args: &[&str]) -> Program {
    Program::start(program, Command::new(program).args(args)).unwrap()
}

/// Whether the log (-v) has this call.
fn call(lines: &[stage::Line], name: &str) -> Option<()> {
    let call = format!(" {name} conn=");
    lines.iter().find(|line| String::from_utf8_lossy(&line.text).contains(&call)).map(drop)
}

/// Resets the connection: the peer's next call fails with "connection reset".
fn reset(conn: TcpStream) {
    SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Reads to the end of the stream first: after that, the server can only be waiting in recv.
fn hear_hi_and_reset(mut conn: TcpStream) {
    conn.write_all(b"x").unwrap();
    conn.read_to_end(&mut Vec::new()).unwrap();
    reset(conn);
}

/// Sends for as long as the peer takes it.
fn flood(mut conn: TcpStream) {
    while conn.write_all(&[b'x'; 4096]).is_ok() {}
}

fn wait_for_hello_and_the_end(mut conn: TcpStream) {
    let mut said = Vec::new();
    conn.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"hello");
}
