//! Wrong: one thread, three clients, and a `recv` that waits for each of them in turn.
//!
//! While the first client says nothing, the second and the third wait, though what they said has long been there. Right is
//! to ask the kernel first who is ready (`poll`, `epoll`), or a thread for each.
//!
//! ```text
//! $ cargo run -q --bin zoo-waits-in-turn -- --listen 127.0.0.1:8888
//! $ cargo run -q --bin readiness-client          (in three terminals: now say something in the third)
//! ```

use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let address = match &words[..] {
        [option, address] if option == "--listen" => address.parse::<SocketAddr>().ok(),
        _ => None,
    };
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: zoo-waits-in-turn --listen ADDR (loopback only)");
        return ExitCode::from(2);
    };
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zoo-waits-in-turn: {address}: {error}");
            ExitCode::from(3)
        }
    }
}

fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let mut clients: Vec<TcpStream> =
        (0..3).map(|_| Ok(listener.accept()?.0)).collect::<io::Result<_>>()?;
    while !clients.is_empty() {
        // A client that is gone is removed.
        clients.retain_mut(|conn| turn(conn).unwrap_or(false));
    }
    Ok(())
}

/// Answers what the client says next, in capitals; false at the end of its stream.
fn turn(conn: &mut TcpStream) -> io::Result<bool> {
    let mut buffer = [0; 1024];
    let n = conn.read(&mut buffer)?; // here: nobody else is served until this client says something
    conn.write_all(&buffer[..n].to_ascii_uppercase())?;
    Ok(n > 0)
}
