//! byte-order: answer each frame with the same in capitals; lengths are in network byte order.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::convert::Infallible;
use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: byte-order ADDRESS");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&address);
    let _ = writeln!(io::stderr(), "byte-order: {error}");
    ExitCode::FAILURE
}

fn serve(address: &str) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, _peer) = listener.accept()?;
        serve_peer(conn)?;
    }
}

/// One peer, until its end of stream.
fn serve_peer(mut conn: TcpStream) -> io::Result<()> {
    // This sends back what each read returns. Put your code from the frames lab here. What has to change in it, and
    // where?
    let mut buffer = [0; 1024];
    loop {
        let got = conn.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        conn.write_all(&buffer[..got])?;
    }
}
