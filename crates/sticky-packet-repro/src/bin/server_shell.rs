//! Remote commands without frames: the answer is the command's output and nothing else.

use observe::{Backoff, Failure, Socket};
use proto::{EncodeError, Outgoing};
use shell::{Gate, MAX_RAW_REQUEST, Output, Session, SessionEnd};

/// One client after another, until a signal ends the server.
pub fn serve(listener: &Socket, gate: &Gate) -> Result<(), Failure> {
    let mut backoff = Backoff::default();
    loop {
        // If accept fails for a reason that passes (a client that has left, too many open files), try again.
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        gate.serve(conn, &peer, frame, client);
    }
}

/// One client: read a request, run it, answer; and again, until the stream ends.
fn client(conn: &Socket, session: &mut Session) -> Result<(), SessionEnd> {
    let mut buffer = [0; MAX_RAW_REQUEST + 1];
    loop {
        session.await_rest(conn, &[])?;
        // WRONG: treats what one recv returns as one request. Two requests sent close together arrive as one.
        let command = match conn.recv(&mut buffer)? {
            0 => return Ok(()),
            n => &buffer[..n],
        };
        let output = session.run(command, conn)?;
        // WRONG: nothing says where this answer ends. If it is empty, nothing at all is sent.
        shell::write_with_timeout(conn, Outgoing::new(frame(output)?))?;
    }
}

/// The answer: the command's stdout, then its stderr.
fn frame(output: Output) -> Result<[Vec<u8>; 2], EncodeError> {
    let output = output.with_remark();
    Ok([output.stdout, output.stderr])
}
