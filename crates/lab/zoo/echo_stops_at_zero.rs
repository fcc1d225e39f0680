//! Wrong: it looks for a 0 byte, as C does, to find out how many bytes came.
//!
//! What comes after a 0 is never sent back. The return value of read says how many bytes came; a byte in the buffer
//! says nothing, whether it is 0 or not.
//!
//! lab: echo, case: every-byte

use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let address = env::args().next_back().and_then(|last| last.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        return ExitCode::from(2);
    };
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zoo-echo-stops-at-zero: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let (conn, _peer) = listener.accept()?;
    echo(conn)
}

fn echo(mut conn: TcpStream) -> io::Result<()> {
    loop {
        let mut buffer = [0; 16 << 10];
        if conn.read(&mut buffer)? == 0 {
            return Ok(());
        }
        // here: it should be what read returned
        let length = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
        conn.write_all(&buffer[..length])?;
    }
}
