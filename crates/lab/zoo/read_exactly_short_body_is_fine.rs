//! Wrong: it treats a body that ends too early as complete.
//!
//! `take(length)` and `read_to_end` stop at the length or at the end of the stream, whichever comes first, and neither
//! is an error for them. A file that was cut off by a crash of the server then looks like a short file. The fix is to
//! compare how much came with how much was promised.
//!
//! lab: read-exactly, case: end-in-body

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
            let _ = writeln!(io::stderr(), "zoo-read-exactly-short-body-is-fine: {error}");
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
        if !(0..=16 << 20).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut body = Vec::new();
        (&server).take(length as u64).read_to_end(&mut body)?;
        writeln!(io::stdout(), "{}", sha256_hex(&body))?; // here: did all of it come?
    }
}
