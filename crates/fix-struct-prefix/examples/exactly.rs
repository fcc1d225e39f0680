//! Reads the station's reports, however the stream is cut. With nothing but Rust's standard library.
//!
//! ```text
//! 1$ python3 crates/fix-struct-prefix/tests/peers/station.py 8888
//! 2$ cargo run -q --example exactly -- 8888
//! ```

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

/// Fills the buffer, in however many pieces the bytes come.
fn exactly(conn: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match conn.read(&mut buffer[filled..])? {
            0 => {
                let said = format!("the stream ended after {filled} of {} bytes", buffer.len());
                return Err(io::Error::new(ErrorKind::UnexpectedEof, said));
            }
            n => filled += n,
        }
    }
    Ok(())
}

/// The next report, or `None` at the end of the stream.
fn report(conn: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    if conn.read(&mut prefix[..1])? == 0 {
        return Ok(None);
    }
    exactly(conn, &mut prefix[1..])?;
    let mut body = vec![0; length(prefix)?];
    exactly(conn, &mut body)?;
    Ok(Some(body))
}

/// What the four bytes say. A negative number is no length.
fn length(prefix: [u8; 4]) -> io::Result<usize> {
    let number = i32::from_le_bytes(prefix);
    usize::try_from(number)
        .map_err(|_| io::Error::other(format!("expected a length, got {number}")))
}

fn main() -> ExitCode {
    match read_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn read_all() -> io::Result<()> {
    let port = env::args().nth(1).unwrap_or("8888".to_owned());
    let mut conn = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    while let Some(text) = report(&mut conn)? {
        writeln!(io::stdout(), "{}", String::from_utf8_lossy(&text))?;
    }
    Ok(())
}
