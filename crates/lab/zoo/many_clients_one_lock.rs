//! Wrong: it holds one lock around every send.
//!
//! The threads write to the log and to their clients under one lock, so that nothing comes out mixed. But a send to a
//! client that does not read waits for that client, lock in hand, and all the others wait for the lock. The fix is to
//! hold no lock while something can wait; connections that nobody shares need none.
//!
//! lab: many-clients, case: never-reads

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

const LIMIT: i32 = 16 << 20;
static SENDS: Mutex<()> = Mutex::new(());

fn main() -> ExitCode {
    let address = env::args().next_back().and_then(|last| last.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        return ExitCode::from(2);
    };
    if let Err(error) = serve(address) {
        let _ = writeln!(io::stderr(), "zoo-many-clients-one-lock: {error}");
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
        let _ = writeln!(io::stderr(), "zoo-many-clients-one-lock: {error}");
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    while let Some(mut frame) = read_frame(&mut conn)? {
        frame.make_ascii_uppercase();
        let answer = [&(frame.len() as i32).to_le_bytes()[..], &frame].concat();
        let _one = SENDS.lock().unwrap_or_else(PoisonError::into_inner);
        conn.write_all(&answer)?; // here: it can wait while the lock is held
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
