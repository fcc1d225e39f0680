//! The threads that handle requests for the event loop: what takes time happens here.

use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use mio::Waker;
use observe::Socket;
use shell::{Output, Peer};

use crate::{Handler, Service};

/// Which client: its place in the list, and a number that no other client ever has.
pub(super) type Id = (usize, u64);

/// Something to be done for a client.
pub(super) struct Job<S> {
    pub(super) id: Id,
    pub(super) conn: Arc<Socket>,
    pub(super) session: S,
    pub(super) request: Vec<u8>,
}

/// What came of a client's job.
pub(super) struct Done<S> {
    pub(super) id: Id,
    pub(super) outcome: Outcome<S>,
}

pub(super) enum Outcome<S> {
    /// An answer; without a session it is the last.
    Answer(Output, Option<S>),
    /// There is nobody to answer, or nobody who could.
    Over,
}

/// The jobs that wait for a worker.
pub(super) struct Jobs<S> {
    queue: Mutex<Queue<S>>,
    changed: Condvar,
}

struct Queue<S> {
    jobs: VecDeque<Job<S>>,
    idle: usize,
    closed: bool,
}

impl<S> Default for Jobs<S> {
    fn default() -> Self {
        let queue = Queue { jobs: VecDeque::new(), idle: 0, closed: false };
        Jobs { queue: Mutex::new(queue), changed: Condvar::new() }
    }
}

impl<S> Jobs<S> {
    fn queue(&self) -> MutexGuard<'_, Queue<S>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds jobs, and wakes one worker: that one wakes the next, if there is more to do.
    pub(super) fn add(&self, jobs: Vec<Job<S>>) {
        if !jobs.is_empty() {
            self.queue().jobs.extend(jobs);
            self.changed.notify_one();
        }
    }

    fn take(&self) -> Option<Job<S>> {
        let mut queue = self.queue();
        queue.idle += 1;
        queue = self
            .changed
            .wait_while(queue, |queue| queue.jobs.is_empty() && !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        queue.idle -= 1;
        if queue.idle > 0 && queue.jobs.len() > 1 {
            self.changed.notify_one();
        }
        queue.jobs.pop_front()
    }

    /// No more jobs come once this is dropped: the workers end when there are none left.
    pub(super) fn close_when_dropped(&self) -> impl Drop {
        struct Close<'a, S>(&'a Jobs<S>);
        impl<S> Drop for Close<'_, S> {
            fn drop(&mut self) {
                self.0.queue().closed = true;
                self.0.changed.notify_all();
            }
        }
        Close(self)
    }
}

/// The results that wait for the loop. Only the first of a batch wakes it.
pub(super) struct Results<S> {
    done: Mutex<Vec<Done<S>>>,
    waker: Waker,
}

impl<S> Results<S> {
    pub(super) fn new(waker: Waker) -> Self {
        Results { done: Mutex::default(), waker }
    }

    fn done(&self) -> MutexGuard<'_, Vec<Done<S>>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, done: Done<S>) {
        let mut all = self.done();
        all.push(done);
        let is_first = all.len() == 1;
        drop(all);
        if is_first && let Err(error) = self.waker.wake() {
            tracing::error!(%error, "cannot wake the event loop");
        }
    }

    pub(super) fn take(&self) -> Vec<Done<S>> {
        mem::take(&mut self.done())
    }
}

/// Does one job after another until no more can come.
pub(super) fn work<H: Handler>(
    jobs: &Jobs<H::Session>,
    results: &Results<H::Session>,
    service: &Service<H>,
) {
    while let Some(Job { id, conn, session, request }) = jobs.take() {
        let outcome = handle(&conn, session, &request, &service.handler);
        // Before the loop hears of it: it may then be the last to hold the connection, and closes it.
        drop(conn);
        results.add(Done { id, outcome });
    }
}

/// Has a request handled, by a worker or in the loop itself.
pub(super) fn handle<H: Handler>(
    conn: &Socket,
    mut session: H::Session,
    request: &[u8],
    handler: &H,
) -> Outcome<H::Session> {
    let handle = || match handler.handle(&mut session, request, &Peer::of(conn)) {
        Ok(reply) => Outcome::Answer(reply.output, (!reply.last).then_some(session)),
        Err(_) => Outcome::Over,
    };
    catch_unwind(AssertUnwindSafe(handle)).unwrap_or_else(|_| {
        tracing::error!("the handler panicked; closing its connection");
        Outcome::Over
    })
}
