//! What a server can do to our client, and how it ends: one line on stderr, and the exit code that says what it was.
//!
//! Garbage, a wrong length, a cut answer are not among it: without a frame, whatever comes is an answer.
//!
//! | fault | test |
//! |---|---|
//! | closed or reset at once; silence | `hostile_servers` |
//! | a refused connection | `nobody_listens` |
//! | Ctrl-C | `interrupted_while_it_waits` |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use stage::{Finished, Program, Signal};

/// Long enough for a loaded machine: a test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

/// What the hostile server does behind its bytes.
enum Then {
    Close,
    Reset,
    Hold,
}

#[test]
fn hostile_servers() {
    for (answer, then, code, says) in [
        ("", Then::Close, 4, "waiting for the answer: the server closed the connection"),
        ("hi\n", Then::Close, 4, "waiting for the answer: the server closed the connection"),
        ("", Then::Reset, 4, "Connection reset by peer"),
        ("", Then::Hold, 6, "a command that prints nothing has none"),
        ("hi\n", Then::Hold, 6, "a command that prints nothing has none"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut conn, _) = listener.accept().unwrap();
            // All is read before: closing with unread bytes would be a reset.
            conn.read_exact(&mut [0; b"echo hi".len()]).unwrap();
            if !answer.is_empty() {
                conn.write_all(answer.as_bytes()).unwrap();
                conn.read_exact(&mut [0; b"echo hi".len()]).unwrap();
            }
            match then {
                Then::Close => {}
                Then::Reset => SockRef::from(&conn).set_linger(Some(Duration::ZERO)).unwrap(),
                Then::Hold => {
                    assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "the client has left")
                }
            }
        });
        let done = client(&address, &["--timeout", "0.5", "-c", "echo hi", "-c", "echo hi"]);
        failed(&done, code, &[&address, says]);
        assert_eq!(done.stdout, answer.as_bytes());
        server.join().unwrap();
    }
}

#[test]
fn nobody_listens() {
    // Bound, so that nobody else gets the port, and not listening.
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    let address = bound.local_addr().unwrap().as_socket().unwrap().to_string();
    let done = client(&address, &["-c", "echo hi"]);
    failed(&done, 3, &[&format!("cannot connect to {address}"), "is the server running?"]);
}

#[test]
fn interrupted_while_it_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = start(&listener.local_addr().unwrap().to_string(), &["-c", "sleep 600"]);
    let (mut conn, _) = listener.accept().unwrap();
    conn.read_exact(&mut [0; 4]).unwrap();
    client.signal(Signal::INT);
    assert_eq!(client.wait(LONG).unwrap().code, Some(130));
}

#[test]
fn the_prompt_where_it_is_asked_for() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_sticky-packet-repro-server"));
    let server =
        Program::start("server", server.args(["shell", "--listen", "127.0.0.1:0"])).unwrap();
    let address = server.address().unwrap();
    for (prompt, expected) in [("always", ">>: hi\n>>: >>: "), ("auto", "hi\n")] {
        let mut client = start(&address, &["--prompt", prompt]);
        client.write(b"echo hi\n\nquit\necho never\n").unwrap();
        let done = client.wait(LONG).unwrap();
        let stdout = String::from_utf8_lossy(&done.stdout);
        assert_eq!((done.code, stdout.as_ref()), (Some(0), expected));
    }
}

fn client(address: &str, args: &[&str]) -> Finished {
    start(address, args).wait(LONG).unwrap()
}

fn start(address: &str, args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sticky-packet-repro-client"));
    command.args(["shell", "--connect", address]).args(args);
    Program::start("client", &mut command).unwrap()
}

/// One line on stderr, from the client, that says all of this.
fn failed(done: &Finished, code: i32, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code, Some(code), "{stderr}");
    let ours = stderr.starts_with("sticky-packet-repro-client: ") && stderr.lines().count() == 1;
    assert!(ours, "{stderr}");
    for part in says {
        assert!(stderr.contains(part), "{part:?} is not in {stderr}");
    }
}
