//! Wrong: it skips empty frames.
//!
//! There is nothing in it to put in capitals, so there seems to be nothing to answer. But the peer counts: three
//! frames, three answers. Without the one in the middle, it mistakes the third answer for the second. The fix is to
//! treat a length of 0 as any other.
//!
//! lab: frames, case: empty-between

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
            writeln!(io::stderr(), "usage: zoo-frames-empty-unanswered ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-frames-empty-unanswered: {error}");
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
        if length == 0 {
            continue; // here: these three lines should not be here
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
