//! Wrong: it assumes that a read never fails, and panics when one does.
//!
//! A peer that crashes, a firewall or a cable can break the connection: read then returns ECONNRESET. With a server of
//! one thread that is the end for all its peers. The fix is to give up this connection, and to say why.
//!
//! lab: echo, case: reset

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
            let _ = writeln!(io::stderr(), "zoo-echo-panics-on-reset: {error}");
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

#[expect(clippy::unwrap_used, reason = "it is the mistake that this program shows")]
fn echo(mut conn: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let got = conn.read(&mut buffer).unwrap(); // here: it should be `?`
        if got == 0 {
            return Ok(());
        }
        conn.write_all(&buffer[..got])?;
    }
}
