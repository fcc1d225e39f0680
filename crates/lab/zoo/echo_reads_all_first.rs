//! Wrong: it reads to the end of the stream, and then writes all of it back.
//!
//! Each byte comes back, and a peer that sends all, ends, and reads gets what it should. One that waits for an answer
//! before it sends on waits forever, and so does the program. The fix is to write back what has come before the next
//! read.
//!
//! lab: echo, case: turn-by-turn

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
            let _ = writeln!(io::stderr(), "zoo-echo-reads-all-first: {error}");
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
    let mut all = Vec::new();
    conn.read_to_end(&mut all)?; // here: the peer may be waiting for an answer
    conn.write_all(&all)
}
