//! How many connections are open, and what becomes of one too many.
//!
//! A thread or a process costs something before its client has said a word. Without a bound, whoever connects often
//! enough decides how much: at some 16,300 threads a process is simply aborted. So there are seats, and who finds none
//! is told so, in the words of the protocol, instead of waiting for nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use observe::Socket;
use proto::json::Status;
use shell::Output;

use crate::connection::{LINGER, answer, goodbye};

/// How many refused connections may be waiting for their goodbye; beyond, they are closed without one.
const WAITING: usize = 64;

/// The seats of a server.
pub(crate) struct Seats {
    taken: Arc<AtomicUsize>,
    all: usize,
    refused: SyncSender<Socket>,
}

/// One connection's seat, free again when dropped.
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Seats {
    /// So many free seats.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn new(all: usize) -> io::Result<Seats> {
        // Closing in order takes up to a second: not in the accept loop's time. The thread ends with the server.
        let (refused, leaving) = mpsc::sync_channel::<Socket>(WAITING);
        thread::Builder::new().name("refusals".into()).spawn(move || {
            for conn in leaving {
                // It fails where nobody is left to hear it.
                let _ = answer(&conn, refusal(all), LINGER).and_then(|()| goodbye(&conn));
            }
        })?;
        Ok(Seats { taken: Arc::default(), all, refused })
    }

    /// A seat, if one is free. Only the accept loop takes seats: between the question and the taking nobody comes.
    pub(crate) fn take(&self) -> Option<Seat> {
        if self.taken.load(Ordering::Acquire) >= self.all {
            return None;
        }
        self.taken.fetch_add(1, Ordering::AcqRel);
        Some(Seat(self.taken.clone()))
    }

    /// Tells a client that there is no seat, and closes its connection; does not wait for it.
    pub(crate) fn refuse(&self, conn: Socket) {
        tracing::warn!(connections = self.all, "one connection too many: refused");
        // Full: then this one is closed without a word.
        let _ = self.refused.try_send(conn);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn refusal(all: usize) -> Output {
    let why = format!("refused: this server already serves {all} connections; try again later\n");
    Output { stderr: why.into_bytes(), status: Status::Exit(126), ..Output::default() }
}
