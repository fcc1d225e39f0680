//! Wrong: its buffer has 64 KiB, but the protocol's limit is 16 MiB.
//!
//! When people try it, all frames are short. The fix is room for the length that has come, after it was compared with
//! the limit.
//!
//! lab: byte-order, case: same-either-way

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

const LIMIT: i32 = 16 << 20;
const BUFFER: usize = 64 << 10;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ =
            writeln!(io::stderr(), "usage: zoo-byte-order-fixed-buffer ADDRESS (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-byte-order-fixed-buffer: {error}");
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
    let mut buffer = vec![0; BUFFER];
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
        // here: a frame of 65,537 bytes is within the limit, but doesn't fit
        let Some(body) = buffer.get_mut(..length) else {
            return Err(io::Error::other(format!("{length} bytes do not fit")));
        };
        conn.read_exact(body)?;
        body.make_ascii_uppercase();
        conn.write_all(&[&prefix[..], body].concat())?;
    }
}

fn receive(conn: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    conn.take(length as u64).read_to_end(&mut received)?;
    Ok(received)
}
