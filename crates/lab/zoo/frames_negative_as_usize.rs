//! Wrong: it casts a signed length to an unsigned one.
//!
//! The limit was looked at, and -1 is below it. As a usize -1 is 18,446,744,073,709,551,615: no machine has that much
//! memory, and the program panics, with every peer it has. The fix is to ask for a number from 0 to the limit, and to
//! cast then.
//!
//! lab: frames, case: negative

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
            writeln!(io::stderr(), "usage: zoo-frames-negative-as-usize ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-frames-negative-as-usize: {error}");
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
        if length > LIMIT {
            return Err(io::Error::other(format!(
                "expected a length of at most {LIMIT}, got {length}"
            )));
        }
        let mut body = vec![0; length as usize]; // here: it may be below 0
        conn.read_exact(&mut body)?;
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
