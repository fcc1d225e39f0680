//! One connection from its first request to its end, served by a thread or a process that has nothing else to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use observe::{Failure, Socket, report};
use proto::request::RequestFraming;
use proto::{Decoder, Outgoing, ReadError};
use shell::{
    Connection, FrameDeadline, Peer, keep_secret, still_missing, wait_readable, write_within,
};

use crate::connections::Accepted;
use crate::{Handler, Service};

/// Serves an accepted connection and closes it. Whatever goes wrong ends this connection, not the server.
pub(crate) fn serve<H: Handler>(accepted: Accepted<H>, service: &Service<H>) {
    let Accepted { conn, peer, mut session, permit, lingering } = accepted;
    let Some(conn) = service.shutdown.watch(conn) else { return };
    let served = catch_unwind(AssertUnwindSafe(|| requests(&conn, &mut session, service)));
    drop(session);
    let told = service.shutdown.told();
    match served {
        // The client has ended the stream: nothing is unread.
        Ok(Ok(End::Theirs)) if !told => {}
        Ok(Ok(_)) => lingering.close(conn, []),
        Ok(Err(error)) => {
            let refusal = service.refusal(&error).map(|output| service.message(output));
            if !told {
                let error = keep_secret(error, &conn);
                report(Err(Failure::talking(peer, "serving")(error)));
            }
            lingering.close(conn, refusal.and_then(Result::ok).map(|pieces| pieces.concat()));
        }
        // The panic has already printed its message.
        Err(_) => {
            tracing::error!(%peer, "the handler panicked; closing its connection");
            lingering.close(conn, []);
        }
    }
    drop(permit);
}

/// Who ended the connection.
enum End {
    Ours,
    Theirs,
}

/// One request after another, until one side ends.
fn requests<H: Handler>(
    conn: &Connection,
    session: &mut H::Session,
    service: &Service<H>,
) -> Result<End, ReadError> {
    let mut requests = Decoder::new(RequestFraming::new(service.form, service.max_frame));
    let mut rest = FrameDeadline::new(service.frame_timeout);
    let answering = conn.answering();
    let conn: &Socket = conn;
    loop {
        // The read loop: ask the decoder; while no whole request is there, recv more.
        let request = loop {
            match requests.decode()? {
                Some(frame) => break frame.body,
                None => {
                    let unread = requests.unread().len();
                    service.check_length(unread)?;
                    requests.release(); // an idle client keeps no large buffer
                    // An idle client may think as long as it likes; one inside a frame has this long for the rest.
                    let deadline = rest.after(unread).or(service.handler.deadline(session));
                    wait_readable(conn, deadline).map_err(still_missing(
                        "its request",
                        requests.unread(),
                        conn,
                    ))?;
                    match conn.recv(requests.space())? {
                        0 => return Ok(requests.check_end().map(|()| End::Theirs)?),
                        n => requests.filled(n),
                    }
                }
            }
        };
        rest.start_anew();
        // From here to the end of the answer the connection is not shut down. If the thread that ends the server didn't
        // see this, we see here that it has been told; then nothing starts.
        answering.store(true, Ordering::SeqCst);
        if service.shutdown.told() {
            return Ok(End::Ours);
        }
        let Ok(reply) = service.handler.handle(session, request, &Peer::of(conn)) else {
            return Ok(End::Ours);
        };
        // Everything in one write: the second of two would wait 40 ms for an ACK (Nagle).
        let answer = service.message(reply.output).map_err(std::io::Error::other)?;
        write_within(service.frame_timeout, conn, Outgoing::new(answer))?;
        answering.store(false, Ordering::SeqCst);
        if reply.last || service.shutdown.told() {
            return Ok(End::Ours);
        }
    }
}
