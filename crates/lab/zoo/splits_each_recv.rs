//! Wrong: it splits what each recv brings at the line feeds, and takes every part for a line.
//!
//! A recv may end inside a line. Then the first part of the line is taken for a line, and so is the rest. The fix is a
//! buffer: a line is taken from its front when its line feed is there, and what is after it stays for the next recv.
//!
//! ```text
//! $ cargo run -q --bin zoo-splits-each-recv -- --listen 127.0.0.1:8888
//! $ cargo run -q --bin relay -- --to 127.0.0.1:8888 --cut '3,*'
//! $ cargo run -q --bin lines-client -- --connect 127.0.0.1:7777
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
        let _ = writeln!(io::stderr(), "usage: zoo-splits-each-recv --listen ADDR (loopback only)");
        return ExitCode::from(2);
    };
    let Err(error) = serve(address);
    let _ = writeln!(io::stderr(), "zoo-splits-each-recv: cannot listen on {address}: {error}");
    ExitCode::from(3)
}

fn serve(address: SocketAddr) -> io::Result<std::convert::Infallible> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, peer) = listener.accept()?;
        if let Err(error) = client(conn) {
            let _ = writeln!(io::stderr(), "zoo-splits-each-recv: {peer}: {error}");
        }
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let mut number = 0;
    loop {
        let got = conn.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        // here: what has no line feed yet should stay in the buffer
        for part in buffer[..got].split_inclusive(|byte| *byte == b'\n') {
            let line = part.strip_suffix(b"\n").unwrap_or(part);
            number += 1;
            writeln!(io::stdout(), "message {number}: {}", line.escape_ascii())?;
            conn.write_all(&[&line.to_ascii_uppercase()[..], b"\n"].concat())?;
        }
    }
}
