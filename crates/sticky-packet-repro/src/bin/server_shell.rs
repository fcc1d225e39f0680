//! Remote commands without frames: the answer is the command's output and nothing else.

use std::io;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use observe::{Backoff, Failure, Socket, report, say, show};
use proto::request::{RequestForm, RequestFraming};
use proto::{Decoder, MAX_FRAME, Outgoing, ReadError};
use shell::{Caller, Gate, Output, Stop, Visitor, Wake};

/// How long a client may leave its answer unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// One client after another, until the server is told to stop.
pub fn serve(listener: &Socket, gate: &Gate, stop: &Stop) -> io::Result<()> {
    let mut backoff = Backoff::default();
    while let Wake::Ready = stop.wait_readable(listener, None)? {
        match listener.accept() {
            Ok((conn, peer)) => {
                backoff.reset();
                say(format_args!("from {}", show(&peer)));
                // A refused peer gets its answer from another thread: the next client doesn't wait for that.
                let Some((conn, mut visitor)) = gate.admit(conn, frame) else { continue };
                // What goes wrong with one client is that client's end, not the server's.
                let served = client(&conn, &mut visitor, stop);
                report(served.map_err(Failure::talking(show(&peer), "serving")));
                let _ = goodbye(&conn); // it fails where nobody is left to hear it
            }
            Err(error) => stop.pause(backoff.after(&error).ok_or(error)?)?,
        }
    }
    Ok(())
}

/// One client's commands, one after the other, until the stream ends.
fn client(conn: &Socket, visitor: &mut Visitor, stop: &Stop) -> Result<(), ReadError> {
    conn.set_write_timeout(Some(PATIENCE))?;
    let caller = Caller::of(conn);
    let mut requests = Decoder::new(RequestFraming::new(RequestForm::Raw, MAX_FRAME));
    while let Some(command) = request(conn, &mut requests, visitor.deadline(), stop)? {
        let Ok(reply) = visitor.answer(&command, &caller) else { break };
        answer(conn, reply.output)?;
        if reply.last {
            break;
        }
    }
    Ok(())
}

/// WRONG: nothing says where this answer ends. Were it empty, nothing at all would be sent.
fn answer(mut conn: &Socket, output: Output) -> io::Result<()> {
    let mut answer = Outgoing::new(frame(output)?);
    shell::patiently(conn, PATIENCE, || answer.write_to(&mut conn))
}

fn frame(output: Output) -> io::Result<[Vec<u8>; 2]> {
    let output = output.with_remark();
    Ok([output.stdout, output.stderr])
}

/// The next request, or `None` at the end of the stream and when the server is to stop.
fn request(
    conn: &Socket,
    requests: &mut Decoder<RequestFraming>,
    deadline: Option<Instant>,
    stop: &Stop,
) -> Result<Option<Vec<u8>>, ReadError> {
    loop {
        // WRONG: a raw request is what one recv brings; two that were sent close together are one.
        if let Some(frame) = requests.decode()? {
            return Ok(Some(frame.body.to_vec()));
        }
        let patience = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if stop.wait_readable(conn, patience)? == Wake::Stopping {
            return Ok(None);
        }
        match conn.recv(requests.space())? {
            0 => return Ok(None),
            n => requests.filled(n),
        }
    }
}

/// Closing while input is unread would reset the connection, and the reset can overtake the answer.
/// So: say that we are done, read for a moment what still comes, then close.
fn goodbye(conn: &Socket) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    conn.set_read_timeout(Some(Duration::from_secs(1)))?;
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end && conn.recv(&mut [0; 1024])? > 0 {}
    Ok(())
}
