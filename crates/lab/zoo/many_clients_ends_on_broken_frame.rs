//! Wrong: a client that breaks the framing ends the whole server.
//!
//! After a wrong length there is no way to go on with that connection, and so the program ends, as it would for an
//! error of its own. But it is one client's error. The fix is to close that connection.
//!
//! lab: many-clients, case: broken-framing

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::thread;

const LIMIT: i32 = 16 << 20;

fn main() -> ExitCode {
    let address = env::args().next_back().and_then(|last| last.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        return ExitCode::from(2);
    };
    if let Err(error) = serve(address) {
        let _ = writeln!(io::stderr(), "zoo-many-clients-ends-on-broken-frame: {error}");
    }
    ExitCode::FAILURE
}

fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (conn, _peer) = listener.accept()?;
        thread::spawn(move || report(client(conn)));
    }
}

fn report(result: io::Result<()>) {
    if let Err(error) = result {
        let _ = writeln!(io::stderr(), "zoo-many-clients-ends-on-broken-frame: {error}");
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
        process::exit(5); // here: all clients lose their server
    }
    let mut body = Vec::new();
    conn.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(body))
}
