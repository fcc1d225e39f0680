//! echo: send back every byte until the peer's end of stream, then end.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: echo ADDRESS");
        return ExitCode::from(2);
    };
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let (mut conn, _peer) = listener.accept()?;

    // A read returns what has arrived: one byte, or many messages. Only 0 bytes mean that the peer has sent everything.
    let mut buffer = [0; 16 << 10];
    loop {
        let got = conn.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        conn.write_all(&buffer[..got])?;
    }
}
