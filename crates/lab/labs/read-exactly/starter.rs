//! read-exactly: read frames until the end of the stream, and print the SHA-256 of each.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address of the server comes as the last argument, for example 127.0.0.1:9000.
//!
//! A frame is a length (an i32, little-endian: 4 bytes) and a body of that many bytes. The server sends any number of
//! frames and ends. For each, print one line: the SHA-256 of its body. Then exit with 0.
//! If the stream ends inside a length or a body: a line on stderr, exit code 4.
//! If the length is negative or over 16 MiB: a line on stderr, exit code 5.

mod sha256;

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use sha256::sha256_hex;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: read-exactly ADDRESS");
        return ExitCode::from(2);
    };
    match print_all(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "read-exactly: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_all(address: &str) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;

    // This believes that one read returns one whole frame. Does it?
    let mut buffer = [0; 4096];
    let got = server.read(&mut buffer)?;
    let body = &buffer[4.min(got)..got];
    writeln!(io::stdout(), "{}", sha256_hex(body))?;
    Ok(())
}
