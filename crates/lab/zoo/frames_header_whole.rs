//! Wrong: it believes that the four bytes of a length come together, because they are so few.
//!
//! A read returns at least one byte. Four of them that were sent together come together nearly always, and the program
//! is right on every quiet day. If the stream is cut inside the length, the rest of the buffer is zeros, and the number
//! is wrong. The fix is to read until all four are there.
//!
//! lab: frames, case: cut-everywhere

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

const LIMIT: i32 = 16 << 20;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-frames-header-whole ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-frames-header-whole: {error}");
    ExitCode::FAILURE
}

fn serve(address: SocketAddr) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        if let Err(error) = serve_peer(conn) {
            let _ = writeln!(io::stderr(), "{peer}: {error}");
        }
    }
}

fn serve_peer(mut conn: TcpStream) -> io::Result<()> {
    loop {
        let mut prefix = [0; 4];
        if conn.read(&mut prefix)? == 0 {
            return Ok(()); // here: anything from 1 to 4 bytes may have come
        }
        let length = i32::from_le_bytes(prefix);
        if !(0..=LIMIT).contains(&length) {
            return Err(io::Error::other(format!(
                "expected a length of 0 to {LIMIT}, got {length}"
            )));
        }
        let length = length.unsigned_abs() as usize;
        let mut body = receive(&mut conn, length)?;
        if body.len() < length {
            let came = body.len();
            return Err(io::Error::other(format!(
                "the stream ended after {came} of {length} bytes"
            )));
        }
        body.make_ascii_uppercase();
        conn.write_all(&[&prefix[..], &body].concat())?;
    }
}

fn receive(conn: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length as u64).read_to_end(&mut received)?;
    Ok(received)
}
