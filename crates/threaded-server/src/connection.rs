//! One connection from its first request to its end: what a thread or a process does that has nothing else to do.

use std::io;
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use observe::{Failure, Socket, report, show};
use proto::request::RequestFraming;
use proto::{Decoder, Outgoing, ReadError, json};
use shell::{Caller, Output, Wake};
use socket2::SockAddr;

use crate::{Handler, Service};

/// Serves one connection and closes it, whatever happens to it: that is this client's end, not the server's.
pub fn run<H: Handler>(conn: &Socket, peer: &SockAddr, visit: H::Visit, service: &Service<H>) {
    match catch_unwind(AssertUnwindSafe(|| serve(conn, visit, service))) {
        Ok(served) => _ = report(served.map_err(Failure::talking(show(peer), "serving"))),
        // What it said has been printed by the panic itself.
        Err(_) => {
            tracing::error!(peer = show(peer), "the handler panicked; closing its connection")
        }
    }
    let _ = goodbye(conn); // it fails where nobody is left to hear it
}

fn serve<H: Handler>(
    conn: &Socket,
    mut visit: H::Visit,
    service: &Service<H>,
) -> Result<(), ReadError> {
    let caller = Caller::of(conn);
    let mut requests = Decoder::new(RequestFraming::new(service.form, service.max_frame));
    loop {
        let deadline = service.handler.deadline(&visit);
        let request = match request(conn, &mut requests, deadline, service) {
            Ok(Some(request)) => request,
            Ok(None) => break,
            Err(error) => {
                if let Some(refusal) = service.refusal(&error) {
                    answer(conn, refusal, service.patience)?;
                }
                return Err(error);
            }
        };
        let Ok(reply) = service.handler.handle(&mut visit, &request, &caller) else { break };
        answer(conn, reply.output, service.patience)?;
        if reply.last {
            break;
        }
    }
    Ok(())
}

/// The read loop: the next request, or `None` at the end of the stream and when told to stop.
fn request<H: Handler>(
    conn: &Socket,
    requests: &mut Decoder<RequestFraming>,
    mut deadline: Option<Instant>,
    service: &Service<H>,
) -> Result<Option<Vec<u8>>, ReadError> {
    // An idle client may think as long as it likes; one inside a frame has so long for the rest.
    loop {
        if let Some(frame) = requests.decode()? {
            return Ok(Some(frame.body.to_vec()));
        }
        service.check_length(requests.unread().len())?;
        if !requests.unread().is_empty() {
            deadline.get_or_insert(Instant::now() + service.patience);
        }
        let patience = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if service.stop.wait_readable(conn, patience)? == Wake::Stopping {
            return Ok(None);
        }
        match conn.recv(requests.space())? {
            0 => return Ok(requests.finish().map(|()| None)?),
            n => requests.filled(n),
        }
    }
}

/// Header, stdout and stderr leave in one write: in two, the second would wait 40 ms for an ACK.
fn answer(mut conn: &Socket, output: Output, patience: Duration) -> io::Result<()> {
    let mut answer = Outgoing::new(message(output)?);
    shell::patiently(conn, patience, || answer.write_to(&mut conn))
}

/// The answer as it goes out.
pub(crate) fn message(output: Output) -> io::Result<[Vec<u8>; 3]> {
    let head = json::encode_head(&output.header()).map_err(io::Error::other)?;
    Ok([head, output.stdout, output.stderr])
}

/// Closing while input is unread would reset the connection, and the reset can overtake the answer.
/// So: say that we are done, read for a moment what still comes, then close.
fn goodbye(conn: &Socket) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    conn.set_read_timeout(Some(LINGER))?;
    let end = Instant::now() + LINGER;
    while Instant::now() < end && conn.recv(&mut [0; 1024])? > 0 {}
    Ok(())
}

/// How long a connection is read after its last answer.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
