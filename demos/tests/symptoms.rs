//! The messages that the symptoms page quotes are those that Python and Rust print today.

#![cfg(target_os = "linux")] // the numbers of the errors are Linux's
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

#[test]
fn python_says_what_the_page_quotes() {
    let Some(python) = stage::python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/symptoms/symptoms.py");
    let output = Command::new(python).arg(script).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.lines().count() > 30, "{said}");
    check(said.lines());
}

#[test]
fn rust_says_what_the_page_quotes() {
    let said = [
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[0; 65508], "127.0.0.1:9").err(),
        refused().err(),
        in_use().err(),
        with_peer(|mut peer| peer.write_all(b"abc"), |conn| conn.read_exact(&mut [0; 10])).err(),
        with_peer(|mut peer| peer.write_all(b"\xe4\xbd"), read_text).err(),
        with_peer(|_| Ok(()), send_twice).err(),
        would_block().err(),
    ];
    let said: Vec<String> = said.into_iter().map(|error| error.unwrap().to_string()).collect();
    check(said.iter().map(String::as_str));
}

/// Each of the messages is quoted on the page.
fn check<'a>(messages: impl Iterator<Item = &'a str>) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/symptoms.md");
    let page = fs::read_to_string(page).unwrap();
    let missing: Vec<&str> = messages.filter(|message| !page.contains(message)).collect();
    assert!(missing.is_empty(), "docs/src/symptoms.md does not quote:\n{}", missing.join("\n"));
}

/// What our end of a connection meets when its peer does this, and closes.
fn with_peer<T>(
    peer: impl FnOnce(TcpStream) -> io::Result<()>,
    ours: impl FnOnce(&mut TcpStream) -> io::Result<T>,
) -> io::Result<T> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut conn = TcpStream::connect(listener.local_addr()?)?;
    peer(listener.accept()?.0)?;
    ours(&mut conn)
}

fn read_text(conn: &mut TcpStream) -> io::Result<usize> {
    conn.read_to_string(&mut String::new())
}

/// The first write provokes the reset; the peer's end is in this kernel, so it is there at once.
fn send_twice(conn: &mut TcpStream) -> io::Result<usize> {
    conn.write_all(b"one")?;
    conn.write(b"two")
}

fn would_block() -> io::Result<usize> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut conn = TcpStream::connect(listener.local_addr()?)?;
    conn.set_read_timeout(Some(Duration::from_millis(10)))?;
    conn.read(&mut [0])
}

fn in_use() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    TcpListener::bind(listener.local_addr()?)
}

/// The port is ours, and nobody listens there.
fn refused() -> io::Result<TcpStream> {
    let silent = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    silent.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    TcpStream::connect(silent.local_addr()?.as_socket().unwrap())
}
