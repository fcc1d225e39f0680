//! One connection from its first request to its end: what a thread or a process does that has nothing else to do.

use std::io::{self, Write};
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use observe::{Failure, Socket, report, show};
use proto::request::Request;
use proto::{Decoder, Outgoing, ReadError, Step, json};
use shell::{Caller, Output, Wake};
use socket2::SockAddr;

use crate::{Handler, Service};

/// Serves one connection and closes it, whatever happens to it: that is this client's end, not the server's.
pub fn run<H: Handler>(conn: &Socket, peer: &SockAddr, service: &Service<H>) {
    match catch_unwind(AssertUnwindSafe(|| serve(conn, service))) {
        Ok(served) => _ = report(served.map_err(Failure::talking(show(peer), "serving"))),
        // What it said has been printed by the panic itself.
        Err(_) => {
            tracing::error!(peer = show(peer), "the handler panicked; closing its connection")
        }
    }
    let _ = goodbye(conn); // it fails where nobody is left to hear it
}

/// Says where a connection comes from, as the tutorial's servers do; whether anybody reads it or not.
pub(crate) fn announce(peer: &SockAddr) {
    let _ = writeln!(io::stdout(), "from {}", show(peer));
}

fn serve<H: Handler>(conn: &Socket, service: &Service<H>) -> Result<(), ReadError> {
    let caller = Caller::of(conn)?;
    let mut visit = match service.handler.setup(&caller) {
        Ok(visit) => visit,
        Err(refusal) => return Ok(answer(conn, refusal, service.patience)?),
    };
    let mut requests = Decoder::new(Request::new(service.form, service.max_frame));
    while let Some(request) = request(conn, &mut requests, service)? {
        let Ok(reply) = service.handler.handle(&mut visit, &request, &caller) else { break };
        answer(conn, reply.output, service.patience)?;
        if reply.last {
            break;
        }
    }
    Ok(())
}

/// The read loop: the next request, or `None` at the end of the stream and when told to stop.
fn request<H>(
    conn: &Socket,
    requests: &mut Decoder<Request>,
    service: &Service<H>,
) -> Result<Option<Vec<u8>>, ReadError> {
    // An idle client may think as long as it likes; one inside a frame has so long for the rest.
    let mut deadline = None;
    loop {
        if let Step::Frame(frame) = requests.decode()? {
            return Ok(Some(frame.body.to_vec()));
        }
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
pub(crate) fn answer(mut conn: &Socket, output: Output, patience: Duration) -> io::Result<()> {
    let mut answer = outgoing(output)?;
    shell::patiently(conn, patience, || answer.write_to(&mut conn))
}

/// The answer as it goes out.
pub(crate) fn outgoing(output: Output) -> io::Result<Outgoing<Vec<u8>, 3>> {
    let head = json::encode_head(&output.header()).map_err(io::Error::other)?;
    Ok(Outgoing::new([head, output.stdout, output.stderr]))
}

/// Closing while input is unread would reset the connection, and the reset can overtake the answer.
/// So: say that we are done, read for a moment what still comes, then close.
pub(crate) fn goodbye(conn: &Socket) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    conn.set_read_timeout(Some(LINGER))?;
    let end = Instant::now() + LINGER;
    while Instant::now() < end && conn.recv(&mut [0; 1024])? > 0 {}
    Ok(())
}

/// How long a connection is read after its last answer.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
