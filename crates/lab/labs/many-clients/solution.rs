//! many-clients: send frames back in capitals, to 200 clients at once, none of which waits for another.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const LIMIT: i32 = 16 << 20;

fn main() -> ExitCode {
    let Some(address) = env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: many-clients ADDRESS");
        return ExitCode::from(2);
    };
    match serve(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "many-clients: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> io::Result<()> {
    // bind asks for a backlog of at least 128: that many may wait until we get around to accepting them.
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        // A client that is gone already, or no descriptor left: that's not the end of the server.
        let started = listener.accept().and_then(|(conn, _peer)| {
            // A thread for each client: whatever it waits for, it waits alone. Nothing bounds their number but the
            // machine; a server for strangers counts them, and lets the next ones wait.
            thread::Builder::new().spawn(move || report(client(conn)))
        });
        if started.is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        report(started.map(drop));
    }
}

/// What goes wrong with one client ends that client, and nobody else.
fn report(result: io::Result<()>) {
    if let Err(error) = result {
        let _ = writeln!(io::stderr(), "many-clients: {error}");
    }
}

/// All that is known about a client is in here: nothing to share, nothing to lock. The connection closes when this
/// returns.
fn client(mut conn: TcpStream) -> io::Result<()> {
    while let Some(mut frame) = read_frame(&mut conn)? {
        frame.make_ascii_uppercase();
        let mut answer = (frame.len() as i32).to_le_bytes().to_vec();
        answer.append(&mut frame);
        conn.write_all(&answer)?;
    }
    Ok(())
}

/// The next frame; `None` when the peer has ended its side between two frames.
fn read_frame(conn: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = Vec::new();
    // `take` and `read_to_end` read that many bytes, and fewer only if the stream ends first. Memory grows with what
    // comes, not with what was promised.
    conn.take(4).read_to_end(&mut prefix)?;
    let length = match prefix[..] {
        [] => return Ok(None),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
        _ => return Err(ErrorKind::UnexpectedEof.into()),
    };
    if !(0..=LIMIT).contains(&length) {
        let what = format!("expected a length from 0 to {LIMIT}, got {length}");
        return Err(io::Error::new(ErrorKind::InvalidData, what));
    }
    let mut body = Vec::new();
    conn.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(body))
}
