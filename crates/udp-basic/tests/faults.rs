//! What UDP does not promise, and what strangers can send.
//!
//! | fault | test |
//! |---|---|
//! | a 0-byte datagram is not the end | `an_empty_datagram_is_a_datagram` |
//! | larger than the buffer: cut, with a warning | `what_the_buffer_cannot_hold_is_lost`, `an_answer_that_is_too_long` |
//! | 65,508 bytes: "message too long" | `a_datagram_has_a_longest` |
//! | nobody answers: exit 6 | `nobody_answers` |
//! | datagrams of any bytes leave the server alive | `any_bytes_leave_the_server_alive` |
//! | somebody else answers | `only_the_server_can_answer` |
//! | two servers on one port; restart at once | `one_port_one_server`, `a_restart_at_once` |
//! | not our address; no way to send | `no_such_address` |
//! | INT, TERM, HUP, QUIT | `a_server_that_is_told_to_stop_ends_well`, `an_interrupted_client` |
//! | our own stdout closed | `nobody_reads_our_stdout`, `a_server_outlives_the_reader_of_its_stdout` |
//! | usage | `what_makes_no_sense` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Finished, Program, Signal, Stream};
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

/// Long enough for a loaded machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

const SERVER: &str = env!("CARGO_BIN_EXE_udp-basic-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_udp-basic-client");

#[test]
fn an_empty_datagram_is_a_datagram() {
    let (server, address) = server(&["--forever"]);
    check(&client(&address, &["--message", ""]), 0, &[]);
    check(&client(&address, &["--message", "after it"]), 0, &[]);
    assert_eq!(stop(server).stdout, format!("listening on {address}\n\nafter it\n").as_bytes());
}

#[test]
fn what_the_buffer_cannot_hold_is_lost() {
    let (server, address) = server(&["--forever"]);
    let fits = "a".repeat(1024);
    let long = "b".repeat(1025);
    for message in [&*fits, &*long, "c"] {
        check(&client(&address, &["--message", message]), 0, &[]);
    }
    let done = stop(server);
    // The rest of the long one is gone: the next recvfrom returns the next datagram.
    let expected = format!("listening on {address}\n{fits}\n{}\nc\n", "b".repeat(1024));
    assert_eq!(String::from_utf8(done.stdout).unwrap(), expected);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("longer than the buffer: the rest is lost"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn an_answer_that_is_too_long() {
    let (client, server, peer) = asked();
    server.send_to(&[b'x'; 1025], peer).unwrap();
    let done = client.wait(LONG).unwrap();
    check(&done, 0, &["longer than the buffer: the rest is lost"]);
    assert_eq!(done.stdout, format!("{}\n", "x".repeat(1024)).as_bytes());
}

#[test]
fn a_datagram_has_a_longest() {
    let mut rows = vec![("127.0.0.1:0", 65_507)];
    if UdpSocket::bind("[::1]:0").is_ok() {
        rows.push(("[::1]:0", 65_527));
    }
    for (listen, longest) in rows {
        let server = start(SERVER, &["--listen", listen]);
        let address = server.address().unwrap();
        let done = client(&address, &["--message", &"x".repeat(longest + 1)]);
        check(&done, 2, &["message too long", &(longest + 1).to_string(), &longest.to_string()]);
        assert_eq!(done.stdout, b"");

        // Not everywhere: macOS takes 9216 bytes unless told otherwise.
        if cfg!(target_os = "linux") {
            check(&client(&address, &["--message", &"x".repeat(longest)]), 0, &[]);
            assert_eq!(server.wait(LONG).unwrap().code, Some(0));
        }
    }
}

#[test]
fn nobody_answers() {
    let silent = UdpSocket::bind(own_address(2)).unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let said = [&address, "waiting for the answer", "whether a server is there", "--timeout"];
    check(&run(CLIENT, &["--connect", &address, "--timeout", "0.1"]), 6, &said);
    // There isn't even a socket there: without connect, a UDP client isn't told that either.
    drop(silent);
    check(&run(CLIENT, &["--connect", &address, "--timeout", "0.1"]), 6, &said);
}

#[test]
fn any_bytes_leave_the_server_alive() {
    let (server, address) = server(&["--forever"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();

    let mut datagrams: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    // All 256 bytes at once, half a character, an escape that clears the screen, a new title, two lines.
    datagrams.push((0..=255).collect());
    datagrams.push("你好".as_bytes()[..4].to_vec());
    datagrams.push(b"\x1b[2J\x1b]0;mine\x07\r\n\0".to_vec());
    for datagram in &datagrams {
        socket.send_to(datagram, &address).unwrap();
        let mut answer = [0; 1024];
        let (n, from) = observe::uninterrupted(|| socket.recv_from(&mut answer)).unwrap();
        assert_eq!((&answer[..n], from.to_string()), ("你好".as_bytes(), address.clone()));
    }
    let done = stop(server);
    assert_eq!(done.stderr, b"");
    let said = String::from_utf8(done.stdout).unwrap();
    let lines: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(lines.len(), datagrams.len(), "each datagram is one line");
    assert!(lines.iter().all(|line| !line.contains(char::is_control)), "a terminal obeys those");
    assert_eq!(lines[usize::from(b'a')], "a");
    assert_eq!(lines[257..], ["你\\xe5", r"\u{1b}[2J\u{1b}]0;mine\u{7}\r\n\u{0}"]);
}

#[test]
fn only_the_server_can_answer() {
    let (client, server, peer) = asked();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"wrong", peer).unwrap();
    let name = stranger.local_addr().unwrap().to_string();
    let ignored = |line: &stage::Line| {
        let line = String::from_utf8_lossy(&line.text);
        line.contains("came from somebody else") && line.contains(&name)
    };
    let seen = |lines: &[stage::Line]| lines.iter().any(ignored).then_some(());
    client.wait_until("a warning about the stranger", LONG, seen).unwrap();
    server.send_to(b"right", peer).unwrap();
    assert_eq!(client.wait(LONG).unwrap().stdout, b"right\n");
}

#[test]
fn one_port_one_server() {
    let (first, address) = server(&["--forever"]);
    let second = run(SERVER, &["--listen", &address]);
    check(&second, 3, &["cannot listen on", &address, "another program listens there", "port 0"]);
    assert_eq!(second.stdout, b"");
    check(&client(&address, &[]), 0, &[]);
    assert_eq!(stop(first).code, Some(0));
}

#[test]
fn a_restart_at_once() {
    let first = start(SERVER, &["--listen", &own_address(3)]);
    let address = first.address().unwrap();
    check(&client(&address, &[]), 0, &[]);
    assert_eq!(first.wait(LONG).unwrap().code, Some(0));
    let again = start(SERVER, &["--listen", &address]);
    assert_eq!(again.address().unwrap(), address);
    check(&client(&address, &[]), 0, &[]);
}

#[test]
fn no_such_address() {
    // Addresses for documentation (RFC 5737, RFC 3849): no machine has them.
    for foreign in ["192.0.2.1:0", "[2001:db8::1]:0"] {
        let done = run(SERVER, &["--listen", foreign]);
        check(&done, 3, &["cannot listen on", foreign, "try 127.0.0.1"]);
    }
    // There is no port 0 to send to.
    check(&run(CLIENT, &["--connect", "127.0.0.1:0"]), 3, &["cannot send to", "127.0.0.1:0"]);
}

#[test]
fn a_server_that_is_told_to_stop_ends_well() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let (server, _) = server(&["--forever"]);
        server.signal(signal);
        let done = server.wait(LONG).unwrap();
        assert_eq!((done.code, done.signal), (Some(0), None), "{signal:?}");
    }
}

#[test]
fn an_interrupted_client() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let (client, _server, _) = asked();
        client.signal(signal);
        let done = client.wait(LONG).unwrap();
        assert_eq!((done.code, done.signal), (Some(130), None), "{signal:?}");
    }
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

#[test]
fn a_server_outlives_the_reader_of_its_stdout() {
    let script = "\"$@\" | { read line; exec <&-; echo \"$line\" >&2; }";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh", SERVER, "--listen", "127.0.0.1:0", "--forever"]);
    let server = Program::start("pipe", &mut command).unwrap();
    let line = server.wait_for_line(Stream::Stderr, "listening on ", LONG).unwrap();
    let address = line.strip_prefix("listening on ").unwrap();
    for _ in 0..3 {
        check(&client(address, &[]), 0, &[]);
    }
}

#[test]
fn what_makes_no_sense() {
    for (program, args, said) in [
        (CLIENT, ["--connect", "localhost:8888"], "names are not looked up"),
        (CLIENT, ["--timeout", "0"], "expected seconds above 0"),
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

/// An address that no other test uses: when we give up the port, none of them can take it. Only Linux
/// has all of 127.0.0.0/8 on its loopback.
fn own_address(number: u8) -> String {
    let last = if cfg!(target_os = "linux") { number } else { 1 };
    format!("127.0.0.{last}:0")
}

/// A server on a free port, and its address.
fn server(args: &[&str]) -> (Program, String) {
    let server = start(SERVER, &[&["--listen", "127.0.0.1:0"], args].concat());
    let address = server.address().unwrap();
    (server, address)
}

fn stop(server: Program) -> Finished {
    server.signal(Signal::TERM);
    server.wait(LONG).unwrap()
}

fn client(address: &str, args: &[&str]) -> Finished {
    run(CLIENT, &[&["--connect", address, "--timeout", "60"], args].concat())
}

/// A client that has asked, the socket it asked, and where it waits for the answer.
fn asked() -> (Program, UdpSocket, SocketAddr) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(LONG)).unwrap();
    let address = server.local_addr().unwrap().to_string();
    let client = start(CLIENT, &["--connect", &address, "--timeout", "60"]);
    let mut question = [0; 1024];
    let (n, peer) = observe::uninterrupted(|| server.recv_from(&mut question)).unwrap();
    assert_eq!(&question[..n], b"from udp client");
    (client, server, peer)
}

fn run(program: &str, args: &[&str]) -> Finished {
    start(program, args).wait(LONG).unwrap()
}

fn start(program: &str, args: &[&str]) -> Program {
    Program::start(program, Command::new(program).args(args)).unwrap()
}
