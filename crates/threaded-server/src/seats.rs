//! How many connections are open, and what becomes of one too many.
//!
//! A thread or a process costs something before its client has said a word. Without a bound, whoever connects often
//! enough decides how much: at some 16,300 threads a process is simply aborted. So there are seats, and who finds none
//! is told so, in the words of the protocol, instead of waiting for nothing. A peer that isn't admitted takes no seat.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use observe::{Socket, say, show};
use proto::json::Status;
use shell::{Caller, Output, Refusals};
use socket2::SockAddr;

use crate::connection::message;
use crate::{Handler, Service};

/// The seats of a server.
pub(crate) struct Seats {
    taken: Arc<AtomicUsize>,
    all: usize,
    refusals: Refusals,
}

/// One connection's seat, free again when dropped.
pub(crate) struct Seat(Arc<AtomicUsize>);

/// An admitted client: its connection, what the handler knows of it, and its seat.
pub(crate) type Admitted<H> = (Socket, <H as Handler>::Visit, Seat);

impl Seats {
    pub(crate) fn new(all: usize) -> Seats {
        Seats { taken: Arc::default(), all, refusals: Refusals::default() }
    }

    /// Right after accept: says who came, asks the handler, and gives out a seat. A refused client gets its answer
    /// from another thread, and nobody waits for that.
    pub(crate) fn admit<H: Handler>(
        &self,
        conn: Socket,
        peer: &SockAddr,
        service: &Service<H>,
    ) -> Option<Admitted<H>> {
        say(format_args!("from {}", show(peer)));
        let client = Caller::of(&conn);
        let Ok(admitted) = catch_unwind(AssertUnwindSafe(|| service.handler.setup(&client))) else {
            tracing::error!(peer = show(peer), "the handler panicked; closing its connection");
            return None;
        };
        let refusal = match admitted.map(|visit| (visit, self.take())) {
            Ok((visit, Some(seat))) => return Some((conn, visit, seat)),
            Ok((_, None)) => {
                let all = self.all;
                tracing::warn!(connections = all, "one connection too many: refused");
                not_served(&format!("this server already serves {all} connections"))
            }
            Err(refusal) => refusal,
        };
        self.answer(conn, refusal);
        None
    }

    /// Tells a client why it isn't served, and closes its connection.
    pub(crate) fn refuse(&self, conn: Socket, why: &str) {
        self.answer(conn, not_served(why));
    }

    fn answer(&self, conn: Socket, refusal: Output) {
        // This fails only for an answer of gigabytes.
        self.refusals.answer(conn, message(refusal).map(|pieces| pieces.concat()));
    }

    /// Only the accept loop takes seats: between the question and the taking nobody comes.
    fn take(&self) -> Option<Seat> {
        if self.taken.load(Ordering::Acquire) >= self.all {
            return None;
        }
        self.taken.fetch_add(1, Ordering::AcqRel);
        Some(Seat(self.taken.clone()))
    }
}

fn not_served(why: &str) -> Output {
    let stderr = format!("refused: {why}; try again later\n").into_bytes();
    Output { stderr, status: Some(Status::Exit(126)), ..Output::default() }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
