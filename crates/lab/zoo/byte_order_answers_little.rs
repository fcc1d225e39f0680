//! Wrong: it reads big-endian and answers little-endian.
//!
//! The protocol's order counts in both directions, and a program has it in two places, one that reads a length and one
//! that writes it. Here one was changed and the other forgotten. The fix is `to_be_bytes` where `from_be_bytes` is.
//!
//! lab: byte-order, case: one-frame

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

const LIMIT: i32 = 16 << 20;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ =
            writeln!(io::stderr(), "usage: zoo-byte-order-answers-little ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-byte-order-answers-little: {error}");
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
        let prefix = receive(&mut conn, 4)?;
        if prefix.is_empty() {
            return Ok(());
        }
        let Some(prefix) = prefix.first_chunk::<4>() else {
            return Err(io::Error::other("the stream ended inside a length"));
        };
        let length = i32::from_be_bytes(*prefix);
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
        let length = body.len() as i32;
        // here: it should be to_be_bytes
        conn.write_all(&[&length.to_le_bytes()[..], &body].concat())?;
    }
}

fn receive(conn: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length as u64).read_to_end(&mut received)?;
    Ok(received)
}
