//! Wrong: the error of one peer ends the server.
//!
//! The length is refused, as it should be. But the error goes up with `?` through the loop that accepts, to the end of
//! main: one peer with four bad bytes stops the service for all. The fix is to end the connection, to say why, and to
//! accept the next one.
//!
//! lab: frames, case: oversize

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
            writeln!(io::stderr(), "usage: zoo-frames-dies-on-nonsense ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-frames-dies-on-nonsense: {error}");
    ExitCode::FAILURE
}

fn serve(address: SocketAddr) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, _peer) = listener.accept()?;
        serve_peer(conn)?; // here: it should be handled, not passed up
    }
}

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
        frame.extend(body);
        conn.write_all(&frame)?;
    }
}

fn receive(conn: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length as u64).read_to_end(&mut received)?;
    Ok(received)
}
