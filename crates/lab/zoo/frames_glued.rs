//! Wrong: it believes that everything that has come is one frame.
//!
//! It waits until at least as many bytes are there as the length says, and that is right. But it answers all that came:
//! if the piece brought the next frames, too, they go into this answer, and get none of their own. The fix is to take
//! as many bytes as the length says, and to keep the rest.
//!
//! lab: frames, case: pipelined

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

const LIMIT: i32 = 16 << 20;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-frames-glued ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-frames-glued: {error}");
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
    let mut received = Vec::new();
    while more(&mut conn, &mut received, 4)? {
        let length = received.first_chunk().map_or(-1, |prefix| i32::from_le_bytes(*prefix));
        if !(0..=LIMIT).contains(&length) {
            return Err(io::Error::other(format!(
                "expected a length of 0 to {LIMIT}, got {length}"
            )));
        }
        more(&mut conn, &mut received, 4 + length.unsigned_abs() as usize)?;
        let mut body = received.split_off(4); // here: it may be longer than length
        body.make_ascii_uppercase();
        let length = body.len() as i32;
        conn.write_all(&[&length.to_le_bytes()[..], &body].concat())?;
        received.clear();
    }
    Ok(())
}

/// Collects this many bytes; false if the stream ends before a frame.
fn more(conn: &mut TcpStream, received: &mut Vec<u8>, length: usize) -> io::Result<bool> {
    while received.len() < length {
        let mut buffer = [0; 16 << 10];
        match conn.read(&mut buffer)? {
            0 if received.is_empty() => return Ok(false),
            0 => return Err(io::Error::other("the stream ended inside a frame")),
            got => received.extend(&buffer[..got]),
        }
    }
    Ok(true)
}
