//! The relay in twenty lines of Python, from chapter 13: whatever it cuts, it passes on every byte, and both ends of the stream.

use stage::{Program, Stream};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn every_byte_comes_through_both_ways() {
    let Some(python) = stage::python() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().port().to_string();
    let echo = thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        conn.read_to_end(&mut all).unwrap();
        conn.write_all(&all).unwrap();
    });

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/byte_by_byte.py");
    let mut command = Command::new(python);
    let relay = Program::start("relay", command.arg(script).args(["0", &to])).unwrap();
    let said = relay.wait_for_line(Stream::Stdout, "listening on ", LONG).unwrap();

    let mut conn = TcpStream::connect(said.trim_start_matches("listening on ")).unwrap();
    conn.set_read_timeout(Some(LONG)).unwrap();
    let sent: Vec<u8> = (0..=255).cycle().take(2000).collect();
    conn.write_all(&sent).unwrap();
    conn.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    conn.read_to_end(&mut back).unwrap();
    assert_eq!(back, sent);
    echo.join().unwrap();
}
