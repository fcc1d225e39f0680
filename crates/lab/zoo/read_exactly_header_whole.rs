//! Wrong: it asks once for the 4 bytes of the length, and assumes that all 4 come.
//!
//! They nearly always do. Where the stream is cut inside them, the missing bytes count as 0, the length is a wrong one,
//! and the rest of it is read as the body. The fix is `read_exact`, or a loop, for 4 bytes as for 4 million.
//!
//! lab: read-exactly, case: cut-in-length

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
            let _ = writeln!(io::stderr(), "zoo-read-exactly-header-whole: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_all(mut server: TcpStream) -> io::Result<()> {
    loop {
        let mut prefix = [0; 4];
        if server.read(&mut prefix)? == 0 {
            return Ok(()); // here: the line above may have returned 1, 2 or 3
        }
        let length = i32::from_le_bytes(prefix);
        if !(0..=16 << 20).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; length as usize];
        server.read_exact(&mut body)?;
        writeln!(io::stdout(), "{}", sha256_hex(&body))?;
    }
}
