//! The threads that handle requests for the event loop: what takes time happens here.

use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};

use mio::Waker;
use observe::Socket;
use shell::{Deadline, Output, Peer};

use crate::handler::refused;
use crate::{Handler, Service};

/// Which client: its place in the list, and a number that no other client ever has.
pub(super) type Id = (usize, u64);

/// Something to be done for a client.
pub(super) struct Job<S> {
    pub(super) id: Id,
    /// Closed, if its client has left before a worker takes the job.
    pub(super) conn: Weak<Socket>,
    pub(super) session: S,
    pub(super) request: Vec<u8>,
    /// How long it may wait for a worker.
    pub(super) until: Deadline,
}

/// The result of a client's job.
pub(super) struct Done<S> {
    pub(super) id: Id,
    pub(super) outcome: Outcome<S>,
}

pub(super) enum Outcome<S> {
    /// An answer; without a session it is the last.
    Answer(Output, Option<S>),
    /// There is nobody to answer, or the handler can't answer.
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
            let mut queue = self.queue();
            // While all workers are busy, other clients can come, ask and leave. If we kept their jobs, they would fill the
            // memory.
            queue.jobs.retain(|job| job.conn.strong_count() > 0);
            queue.jobs.extend(jobs);
            drop(queue);
            self.changed.notify_one();
        }
    }

    fn take(&self) -> Option<Job<S>> {
        let mut queue = self.queue();
        if queue.jobs.is_empty() {
            queue.idle += 1;
            queue = self
                .changed
                .wait_while(queue, |queue| queue.jobs.is_empty() && !queue.closed)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
            // A worker that has finished a job takes the next one by itself. Only a worker that was woken wakes another.
            if queue.idle > 0 && queue.jobs.len() > 1 {
                self.changed.notify_one();
            }
        }
        queue.jobs.pop_front()
    }

    /// Once this is dropped no more jobs come, and the workers end when none are left.
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

/// Does one job after another until no more will come.
pub(super) fn work<H: Handler>(
    jobs: &Jobs<H::Session>,
    results: &Results<H::Session>,
    service: &Service<H>,
) {
    while let Some(Job { id, conn, session, request, until }) = jobs.take() {
        let Some(conn) = conn.upgrade() else { continue };
        let outcome = match until.has_passed() {
            true => Outcome::Answer(refused("all workers are busy; try again later"), None),
            false => handle(&conn, session, &request, &service.handler),
        };
        // Drop ours before the loop gets the result: the loop may then be the last to hold the connection, and closes it.
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

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::Duration;

    use mio::{Poll, Token};
    use proto::request::RequestForm;
    use shell::{PeerGone, Shutdown};

    use super::*;
    use crate::Reply;

    struct Echo;

    impl Handler for Echo {
        type Session = ();

        fn setup(&self, _: &Peer<'_>) -> Result<(), Output> {
            Ok(())
        }

        fn handle(&self, (): &mut (), request: &[u8], _: &Peer<'_>) -> Result<Reply, PeerGone> {
            Ok(Reply { output: refused(&String::from_utf8_lossy(request)), last: false })
        }
    }

    #[test]
    fn a_job_of_nobody_and_one_that_waited_too_long_are_not_done() {
        let service = Service {
            handler: Echo,
            form: RequestForm::Framed,
            max_frame: 1024,
            length_key: "data_len".to_owned(),
            max_connections: 1,
            frame_timeout: Duration::from_secs(30),
            shutdown: Shutdown::on_signals().unwrap(),
        };
        let poll = Poll::new().unwrap();
        let results = Results::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let jobs = Jobs::default();
        let conn = || {
            let (ours, _theirs) = UnixStream::pair().unwrap();
            Arc::new(Socket::inherited(OwnedFd::from(ours)))
        };
        let (here, left, leaves) = (conn(), conn(), conn());
        let job = |number, conn: &Arc<Socket>, until| {
            let (id, conn, request) = ((0, number), Arc::downgrade(conn), b"done".to_vec());
            Job { id, conn, session: (), request, until }
        };
        jobs.add(vec![job(0, &left, Deadline::NEVER), job(1, &here, Deadline::NEVER)]);
        drop(left);
        jobs.add(vec![job(2, &leaves, Deadline::NEVER), job(3, &here, Deadline::now())]);
        assert_eq!(jobs.queue().jobs.len(), 3, "what nobody waits for is forgotten");
        drop(leaves);
        drop(jobs.close_when_dropped());
        work(&jobs, &results, &service);
        let done: Vec<_> = results
            .take()
            .into_iter()
            .map(|Done { id: (_, number), outcome }| match outcome {
                Outcome::Answer(output, session) => (number, output, session.is_some()),
                Outcome::Over => panic!("job {number} has no answer"),
            })
            .collect();
        let late = refused("all workers are busy; try again later");
        let expected = [(1, refused("done"), true), (3, late, false)];
        assert_eq!(done, expected);
    }
}
