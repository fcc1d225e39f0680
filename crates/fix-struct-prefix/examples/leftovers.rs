//! Reads the station's reports from whatever recv returns, and shows what is left over each time. With nothing but
//! Rust's standard library.
//!
//! ```text
//! 1$ python3 crates/fix-struct-prefix/tests/peers/station.py 8888
//! 2$ cargo run -q --bin relay -- --to 127.0.0.1:8888 --cut 5,7,*
//! 3$ cargo run -q --example leftovers -- 7777
//! ```

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

/// Takes pieces of any size, and gives whole messages. What is left over waits for the next piece.
struct Leftovers {
    buffer: Vec<u8>,
}

// ANCHOR: methods
impl Leftovers {
    fn add(&mut self, piece: &[u8]) {
        self.buffer.extend(piece);
    }

    /// The next whole message, or `None` if part of it is still to come.
    fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(prefix) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = length(*prefix)?;
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        let message = self.buffer[4..4 + length].to_vec();
        self.buffer.drain(..4 + length);
        Ok(Some(message))
    }
}
// ANCHOR_END: methods

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
    let mut out = io::stdout();
    let mut reader = Leftovers { buffer: Vec::new() };
    let mut piece = [0; 1024];
    loop {
        let n = conn.read(&mut piece)?;
        if n == 0 {
            break;
        }
        writeln!(out, "recv        {}", hex(&piece[..n]))?;
        reader.add(&piece[..n]);
        writeln!(out, "buffer      {}", hex(&reader.buffer))?;
        while let Some(message) = reader.message()? {
            writeln!(out, "message     {}", String::from_utf8_lossy(&message))?;
        }
        writeln!(out, "left over   {}\n", hex(&reader.buffer))?;
    }
    match reader.buffer.len() {
        0 => Ok(()),
        n => {
            let said = format!("the stream ended inside a message: {n} bytes are left over");
            Err(io::Error::other(said))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
