//! Wrong: it allows 256 clients at once, but counts everyone who ever came.
//!
//! The number goes up at accept and never down, so after 256 visits the server sends everybody away. A limit is a good
//! idea, but what a client uses has to be released when it ends, however it ends.
//!
//! lab: many-clients, case: comings-and-goings

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

const LIMIT: i32 = 16 << 20;
const MOST: usize = 256;

fn main() -> ExitCode {
    let address = env::args().next_back().and_then(|last| last.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        return ExitCode::from(2);
    };
    if let Err(error) = serve(address) {
        let _ = writeln!(io::stderr(), "zoo-many-clients-counts-up-only: {error}");
    }
    ExitCode::FAILURE
}

fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let mut clients = 0;
    loop {
        let (conn, _peer) = listener.accept()?;
        if clients == MOST {
            continue;
        }
        clients += 1; // here: who counts down?
        thread::spawn(move || report(client(conn)));
    }
}

fn report(result: io::Result<()>) {
    if let Err(error) = result {
        let _ = writeln!(io::stderr(), "zoo-many-clients-counts-up-only: {error}");
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    while let Some(mut frame) = read_frame(&mut conn)? {
        frame.make_ascii_uppercase();
        let answer = [&(frame.len() as i32).to_le_bytes()[..], &frame].concat();
        conn.write_all(&answer)?;
    }
    Ok(())
}

fn read_frame(conn: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::new();
    conn.take(4).read_to_end(&mut prefix)?;
    let length = match prefix[..] {
        [] => return Ok(None),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
        _ => return Err(ErrorKind::UnexpectedEof.into()),
    };
    if !(0..=LIMIT).contains(&length) {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut body = Vec::new();
    conn.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(body))
}
