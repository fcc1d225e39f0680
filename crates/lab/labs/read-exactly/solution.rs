//! read-exactly: read frames until the end of the stream, and print the SHA-256 of each.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address of the server comes as the last argument, for example 127.0.0.1:9000.

mod sha256;

use std::env;
use std::error::Error;
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use sha256::sha256_hex;

/// The longest body that is accepted: 16 MiB.
const MAX: u32 = 16 << 20;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: read-exactly ADDRESS");
        return ExitCode::from(2);
    };
    match print_all(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "read-exactly: {error}");
            ExitCode::from(match error.downcast_ref() {
                Some(WrongFrame::Cut { .. }) => 4,
                Some(WrongFrame::Length(_)) => 5,
                None => 3,
            })
        }
    }
}

fn print_all(address: &str) -> Result<(), Box<dyn Error>> {
    // It reads ahead, and keeps what is left over for the next read.
    let mut server = BufReader::new(TcpStream::connect(address)?);
    while let Some(body) = read_frame(&mut server)? {
        writeln!(io::stdout(), "{}", sha256_hex(&body))?;
    }
    Ok(())
}

/// The body of the next frame; `None` when the stream ends before it begins.
fn read_frame(server: &mut impl Read) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let prefix = read_up_to(server, 4)?;
    if prefix.is_empty() {
        return Ok(None);
    }
    let Ok(prefix) = <[u8; 4]>::try_from(prefix.as_slice()) else {
        return Err(WrongFrame::Cut { part: "length", got: prefix.len(), of: 4 }.into());
    };
    let length = i32::from_le_bytes(prefix);
    // Before anything is allocated. A negative length isn't a u32.
    let size = match u32::try_from(length) {
        Ok(size) if size <= MAX => size as usize,
        _ => return Err(WrongFrame::Length(length).into()),
    };
    let body = read_up_to(server, size)?;
    if body.len() < size {
        return Err(WrongFrame::Cut { part: "body", got: body.len(), of: size }.into());
    }
    Ok(Some(body))
}

/// That many bytes, or as many as come before the stream ends. The vector grows with what comes, not with what was
/// promised.
fn read_up_to(server: &mut impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    server.take(size as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Debug)]
enum WrongFrame {
    Cut { part: &'static str, got: usize, of: usize },
    Length(i32),
}

impl fmt::Display for WrongFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WrongFrame::Cut { part, got, of } => {
                write!(f, "the stream ended inside a {part}, after {got} of {of} bytes")
            }
            WrongFrame::Length(length) => {
                write!(f, "expected a length from 0 to {MAX}, got {length}")
            }
        }
    }
}

impl Error for WrongFrame {}
