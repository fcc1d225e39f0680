//! frames: answer each frame (a length, and that many bytes) with the same in capitals.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

const LIMIT: i32 = 16 << 20;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: frames ADDRESS");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&address);
    let _ = writeln!(io::stderr(), "frames: {error}");
    ExitCode::FAILURE
}

fn serve(address: &str) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        // What goes wrong with one peer, a reset or nonsense, ends that peer and nothing else.
        if let Err(error) = serve_peer(conn) {
            let _ = writeln!(io::stderr(), "{peer}: {error}");
        }
    }
}

/// One peer, until its end of stream.
fn serve_peer(mut conn: TcpStream) -> io::Result<()> {
    loop {
        let mut frame = receive(&mut conn, 4)?;
        if frame.is_empty() {
            return Ok(());
        }
        let Some(prefix) = frame.first_chunk::<4>() else {
            return Err(io::Error::other("the stream ended inside a length"));
        };
        let length = i32::from_le_bytes(*prefix);
        // Before anything is read or allocated for it: a stream that has lost its place can't find it again.
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
        // a to z and nothing else. One write for both: two would stall (Nagle's algorithm).
        body.make_ascii_uppercase();
        frame.extend(body);
        conn.write_all(&frame)?;
    }
}

/// That many bytes. Fewer only if the stream ends first, and then all there are.
fn receive(conn: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length as u64).read_to_end(&mut received)?;
    Ok(received)
}
