//! Wrong: it believes whatever length it is told.
//!
//! Four bytes from anybody make it ask for up to 2 GiB of memory, and wait for as many bytes; a server that has lost
//! its place in the stream sends such lengths without meaning harm. The fix is a limit, looked at before anything is
//! allocated.
//!
//! lab: read-exactly, case: too-long

#[path = "../labs/read-exactly/sha256.rs"]
mod sha256;

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use sha256::sha256_hex;

fn main() -> ExitCode {
    let address = env::args().next_back().unwrap_or_default();
    match TcpStream::connect(address).and_then(print_all) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zoo-read-exactly-believes-the-length: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_all(server: TcpStream) -> io::Result<()> {
    loop {
        let mut prefix = Vec::new();
        (&server).take(4).read_to_end(&mut prefix)?;
        let length = match prefix[..] {
            [] => return Ok(()),
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
            _ => return Err(ErrorKind::UnexpectedEof.into()),
        };
        let length = usize::try_from(length).map_err(|_| ErrorKind::InvalidData)?;
        let mut body = vec![0; length]; // here: is that a length that makes sense?
        (&server).read_exact(&mut body)?;
        writeln!(io::stdout(), "{}", sha256_hex(&body))?;
    }
}
