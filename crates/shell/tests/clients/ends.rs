//! However a conversation ends, the client ends with it: with the exit code that says why, and one line on stderr.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};
use stage::{Finished, Program, Signal};

use crate::peer::{Answer, COMMAND, Peer, Then, read_request};
use crate::rows::{LONG, Row, Wire, client_rows, for_each_row};

/// Exit codes.
const CONNECTION: i32 = 3;
const ENDED: i32 = 4;
const BROKEN: i32 = 5;
const SILENT: i32 = 6;

#[test]
fn a_peer_that_ends_or_is_silent() {
    for_each_row(client_rows(), |row| {
        const WHOLE: Answer = (3, b"hi\n");
        for answered in [&[][..], &[WHOLE], &[(3, b"")], &[(3, b"hi")], &[WHOLE, (3, b"h")]] {
            // If nothing says how long an answer is, it can't be cut short.
            let cut = answered.iter().find(|(announced, body)| *announced != body.len());
            if cut.is_some() && row.wire == Wire::Bare {
                continue;
            }
            for (then, code) in [(Then::Close, ENDED), (Then::Reset, ENDED), (Then::Hold, SILENT)] {
                let what = format!("{}, {answered:?}, {then:?}", row.name());
                let peer = Peer::start(row, answered, then);
                let mut client = row.client(&peer.address);
                client.args(["--timeout", "0.5", "-c", COMMAND, "-c", COMMAND]);
                let done = finish(&mut client);
                failed(&row, &done, code, &peer.address, &what);
                if let (Some((announced, body)), Then::Close) = (cut, then) {
                    let came = format!("{} of {announced}", body.len());
                    failed(&row, &done, code, &came, &what);
                }
                // A second answer that is cut doesn't take back the first one, and isn't printed.
                let whole = answered.iter().filter(|(announced, body)| *announced == body.len());
                let whole: Vec<u8> = whole.flat_map(|(_, body)| *body).copied().collect();
                assert_eq!(done.stdout, whole, "{what}");
                peer.join();
            }
        }
    });
}

/// With 256 MiB of address space, a client that allocates what was promised is killed.
#[test]
fn a_promise_costs_nothing() {
    for_each_row(client_rows().filter(|row| row.wire != Wire::Bare), |row| {
        let peer = Peer::start(row, &[(2_147_483_647, b"but only this")], Then::Close);
        let inside = row.client(&peer.address);
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", "ulimit -v 262144 && exec \"$@\"", "sh"]);
        limited.arg(inside.get_program()).args(inside.get_args());
        let done = finish(limited.args(["--max-frame", "2147483647", "-c", COMMAND]));
        failed(&row, &done, ENDED, "13 of 2147483647", &row.name());
        peer.join();
    });
}

#[test]
fn nobody_listens() {
    for_each_row(client_rows(), |row| {
        // Bound, so that nobody else gets the port, and not listening.
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        let address = bound.local_addr().unwrap().as_socket().unwrap().to_string();
        let done = finish(row.client(&address).args(["-c", COMMAND]));
        failed(&row, &done, CONNECTION, &address, &row.name());
    });
}

/// One connection more than the accept queue takes: the kernel doesn't answer it.
#[test]
fn nobody_accepts() {
    for_each_row(client_rows(), |row| {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let crowd = [(); 8].map(|()| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap());
        for waiting in &crowd {
            waiting.set_nonblocking(true).unwrap();
            let _ = waiting.connect(&address);
        }
        let address = address.as_socket().unwrap().to_string();
        let done = finish(row.client(&address).args(["--timeout", "0.5", "-c", COMMAND]));
        failed(&row, &done, SILENT, "no answer came in time", &row.name());
        failed(&row, &done, SILENT, &address, &row.name());
    });
}

/// They would be mistaken for the next answer, whether they arrive with the last one or while the user types.
#[test]
fn bytes_that_nobody_announced() {
    for_each_row(client_rows().filter(|row| row.wire != Wire::Bare), |row| {
        for comes_late in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let mut client = row
                .client(&address)
                .args(["--timeout", "5"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let (mut input, mut output) =
                (client.stdin.take().unwrap(), client.stdout.take().unwrap());
            let (mut conn, _) = listener.accept().unwrap();
            conn.set_nodelay(true).unwrap();
            input.write_all(format!("{COMMAND}\n").as_bytes()).unwrap();
            read_request(&mut conn, row).unwrap();
            let more = [&row.head(6)[..], b"stale\n"].concat();
            let with_it: &[u8] = if comes_late { b"" } else { &more };
            conn.write_all(&row.head(3)).unwrap();
            if row.wire == Wire::Ack {
                conn.read_exact(&mut [0; 2]).unwrap();
            }
            conn.write_all(&[b"hi\n", with_it].concat()).unwrap();
            let mut said = [0; 3];
            output.read_exact(&mut said).unwrap();
            if comes_late {
                conn.write_all(&more).unwrap();
                let _ = input.write_all(b"echo hi\n");
            }
            let mut rest = String::new();
            output.read_to_string(&mut rest).unwrap();
            let done = client.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&done.stderr);
            assert_eq!((&said, rest.as_str()), (b"hi\n", ""), "{}", row.name());
            assert_eq!(done.status.code(), Some(BROKEN), "{}: {stderr}", row.name());
            let says = format!("got {} more bytes", more.len());
            assert!(stderr.contains(&says), "{}: {stderr}", row.name());
        }
    });
}

/// A server that refuses a client doesn't wait for its command, and the user may still be typing.
#[test]
fn a_refusal_before_the_command() {
    for_each_row(client_rows().filter(|row| row.wire != Wire::Bare), |row| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut client = row.client(&address);
        let client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut client = client.spawn().unwrap();
        let (mut conn, _) = listener.accept().unwrap();
        conn.write_all(&[&row.head(14)[..], b"refused: full\n"].concat()).unwrap();
        client.stdin.take().unwrap().write_all(format!("{COMMAND}\n").as_bytes()).unwrap();
        let done = client.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(BROKEN), "{}: {stderr}", row.name());
        // The ack handshake would announce it first, and wait.
        let says = if row.wire == Wire::Ack { "got 16 more bytes" } else { "\"refused: full\"" };
        assert!(stderr.contains("before the command: "), "{}: {stderr}", row.name());
        assert!(stderr.contains(says) && stderr.lines().count() == 1, "{}: {stderr}", row.name());
        assert_eq!(conn.read(&mut [0]).unwrap_or(0), 0, "{}: the command was sent", row.name());
    });
}

#[test]
fn interrupted_while_it_waits() {
    for_each_row(client_rows(), |row| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut client = row.client(&address);
        let client = Program::start(&row.name(), client.args(["-c", COMMAND])).unwrap();
        let (mut conn, _) = listener.accept().unwrap();
        conn.read_exact(&mut [0; 4]).unwrap();
        client.signal(Signal::INT);
        assert_eq!(client.wait(LONG).unwrap().code, Some(130), "{}", row.name());
    });
}

/// As `| head -1` does, and more than a pipe holds even if only 4 KiB of each answer are printed.
#[test]
fn a_reader_who_has_seen_enough() {
    for_each_row(client_rows(), |row| {
        let server = row.start(&[]);
        let inside = row.client(&server.address().unwrap());
        let mut piped = Command::new("/bin/sh");
        let script = "{ \"$@\"; echo \"exit code $?\" >&2; } | head -1";
        piped.args(["-c", script, "sh"]).arg(inside.get_program()).args(inside.get_args());
        let done = finish(piped.args(["-c", "yes | head -c 100000"].repeat(40)));
        assert_eq!(String::from_utf8_lossy(&done.stdout), "y\n", "{}", row.name());
        assert_eq!(String::from_utf8_lossy(&done.stderr), "exit code 141\n", "{}", row.name());
    });
}

fn finish(command: &mut Command) -> Finished {
    Program::start("client", command).unwrap().wait(LONG).unwrap()
}

/// One line on stderr, from the client, that says this.
fn failed(row: &Row, done: &Finished, code: i32, says: &str, what: &str) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code, Some(code), "{what}: {stderr}");
    assert!(stderr.starts_with(&format!("{}: ", row.client_name())), "{what}: {stderr}");
    assert!(stderr.lines().count() == 1 && stderr.contains(says), "{what}: {stderr}");
}
