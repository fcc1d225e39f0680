//! The threads that handle requests for the event loop: what takes time happens here.

use std::io::{PipeWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use observe::Socket;
use shell::{Caller, Output};

use crate::{Handler, Service};

/// Something to be done for a client.
pub(super) struct Job<V> {
    pub(super) id: u64,
    pub(super) conn: Arc<Socket>,
    pub(super) visit: V,
    pub(super) request: Vec<u8>,
}

/// What came of a client's job.
pub(super) struct Done<V> {
    pub(super) id: u64,
    pub(super) outcome: Outcome<V>,
}

pub(super) enum Outcome<V> {
    /// An answer; without a visit it is the last.
    Answer(Output, Option<V>),
    /// There is nobody to answer, or nobody who could.
    Over,
}

/// Does one job after another until no more can come.
pub(super) fn work<H: Handler>(
    jobs: &Mutex<Receiver<Job<H::Visit>>>,
    results: &Sender<Done<H::Visit>>,
    mut wake: &PipeWriter,
    service: &Service<H>,
) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { id, conn, visit, request }) = next else { return };
        let outcome =
            catch_unwind(AssertUnwindSafe(|| one(&conn, visit, &request, &service.handler)));
        let outcome = outcome.unwrap_or_else(|_| {
            tracing::error!("the handler panicked; closing its connection");
            Outcome::Over
        });
        // Before the loop hears of it: it may then be the last to hold the connection, and closes it.
        drop(conn);
        // Where the loop has ended already, nobody waits for either.
        let _ = results.send(Done { id, outcome });
        let _ = wake.write(&[0]);
    }
}

fn one<H: Handler>(
    conn: &Socket,
    mut visit: H::Visit,
    request: &[u8],
    handler: &H,
) -> Outcome<H::Visit> {
    match handler.handle(&mut visit, request, &Caller::of(conn)) {
        Ok(reply) => Outcome::Answer(reply.output, (!reply.last).then_some(visit)),
        Err(_) => Outcome::Over,
    }
}
