//! How many requests several processes handle at once: each needs a permit, and the server's process gives them out.
//!
//! Within one process `shell` counts the running commands. Processes share no memory, so each asks over its line to the
//! server's process, which keeps the queue and the time. A process gives its permit back when its line ends,
//! however it ends.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::thread;
use std::time::Duration;

use shell::{Deadline, Output, Peer, PeerGone, Shutdown};

use super::line::{BUSY, DONE, END, GRANTED, WANT};
use crate::{Handler, Reply};

/// Which processes have a permit, and which wait for one. Each process has a number.
pub(super) struct Permits {
    free: usize,
    /// How long a process waits for one.
    timeout: Duration,
    holding: HashSet<u64>,
    waiting: VecDeque<(u64, Deadline)>,
}

impl Permits {
    pub(super) fn new(all: usize, timeout: Duration) -> Permits {
        Permits { free: all, timeout, holding: HashSet::new(), waiting: VecDeque::new() }
    }

    /// A process said this on its line.
    pub(super) fn said(&mut self, who: u64, what: u8) {
        match what {
            WANT if !self.holding.contains(&who) => {
                self.waiting.push_back((who, Deadline::after(self.timeout)));
            }
            WANT => {}
            _ => self.gone(who),
        }
    }

    /// A process no longer needs a permit.
    pub(super) fn gone(&mut self, who: u64) {
        self.free += usize::from(self.holding.remove(&who));
        self.waiting.retain(|(other, _)| *other != who);
    }

    /// The process that has waited longest, and its answer, if there is one now.
    pub(super) fn next(&mut self) -> Option<(u64, u8)> {
        let (who, until) = *self.waiting.front()?;
        let answer = match self.free {
            0 if !until.has_passed() => return None,
            0 => BUSY,
            _ => {
                self.free -= 1;
                self.holding.insert(who);
                GRANTED
            }
        };
        self.waiting.pop_front();
        Some((who, answer))
    }

    /// When the next process gets its answer even if no permit becomes free: all wait for the same time, and the first in
    /// the queue has waited longest.
    pub(super) fn deadline(&self) -> Deadline {
        self.waiting.front().map_or(Deadline::NEVER, |(_, until)| *until)
    }
}

/// A handler that waits for a permit before each request.
pub struct WithPermit<H> {
    /// What handles a request once there is a permit.
    pub handler: H,
    /// The line to the server's process.
    line: File,
    answers: PipeReader,
}

impl<H: Handler> WithPermit<H> {
    /// Asks for permits over `line`; when that ends, so does this process, with every command it runs.
    ///
    /// # Errors
    /// No thread or descriptor left.
    pub(super) fn new(handler: H, line: File) -> io::Result<WithPermit<H>> {
        let (answers, answer) = io::pipe()?;
        let server = line.try_clone()?;
        thread::Builder::new().name("server".into()).spawn(move || {
            pass_on(server, answer);
            Shutdown::now()
        })?;
        Ok(WithPermit { handler, line, answers })
    }
}

/// Passes on what arrives over the line until it ends.
fn pass_on(mut server: File, mut answer: PipeWriter) {
    let mut byte = [0];
    while server.read(&mut byte).is_ok_and(|n| n > 0) {
        let _ = answer.write(&byte);
    }
}

impl<H: Handler> Handler for WithPermit<H> {
    type Session = H::Session;

    const WAITS: bool = true;

    fn setup(&self, peer: &Peer<'_>) -> Result<H::Session, Output> {
        self.handler.setup(peer)
    }

    fn deadline(&self, session: &H::Session) -> Deadline {
        self.handler.deadline(session)
    }

    fn longest_request(&self) -> usize {
        self.handler.longest_request()
    }

    fn handle(
        &self,
        session: &mut H::Session,
        request: &[u8],
        peer: &Peer<'_>,
    ) -> Result<Reply, PeerGone> {
        // If the server's process is gone, this one ends too: an error here doesn't matter.
        let _ = (&self.line).write(&[WANT]);
        let reply = self.answer(peer).and_then(|answer| match answer {
            GRANTED => self.handler.handle(session, request, peer),
            BUSY => Ok(Reply { output: Output::busy(), last: false }),
            // Once the server ends, nobody is answered.
            _ => Err(PeerGone),
        });
        let _ = (&self.line).write(&[DONE]);
        reply
    }
}

impl<H> WithPermit<H> {
    /// What the server's process answers. It always answers; but once the client has left, nobody waits for it.
    fn answer(&self, peer: &Peer<'_>) -> Result<u8, PeerGone> {
        peer.wait_readable(&self.answers, Deadline::NEVER)?;
        let mut answer = [END];
        let _ = (&self.answers).read(&mut answer);
        Ok(answer[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn granted(permits: &mut Permits) -> Vec<u64> {
        std::iter::from_fn(|| permits.next())
            .map(|(who, answer)| {
                assert_eq!(answer, GRANTED, "{who}");
                who
            })
            .collect()
    }

    #[test]
    fn who_has_waited_too_long_is_told_so_and_leaves_the_queue() {
        let mut permits = Permits::new(1, Duration::ZERO);
        for who in 1..=3 {
            permits.said(who, WANT);
        }
        assert!(permits.deadline().has_passed());
        assert_eq!(permits.next(), Some((1, GRANTED)), "a free permit comes first");
        assert_eq!(permits.next(), Some((2, BUSY)));
        permits.said(1, DONE);
        assert_eq!(permits.next(), Some((3, GRANTED)));
        permits.said(2, WANT);
        permits.said(3, DONE);
        assert_eq!(granted(&mut permits), [2], "it may ask again");
        assert_eq!(permits.deadline(), Deadline::NEVER);
    }

    #[test]
    fn who_waits_longest_is_next_and_who_leaves_is_not() {
        let mut permits = Permits::new(2, LONG);
        for who in 1..=5 {
            permits.said(who, WANT);
        }
        assert_eq!(granted(&mut permits), [1, 2]);
        permits.gone(3);
        permits.said(1, DONE);
        assert_eq!(granted(&mut permits), [4]);
        permits.said(4, WANT);
        permits.gone(2);
        permits.gone(4);
        assert_eq!(granted(&mut permits), [5], "asking twice gives no second one");
        permits.gone(1);
        permits.said(6, WANT);
        permits.said(7, WANT);
        assert_eq!(granted(&mut permits), [6], "what was not held does not come back");
    }
}
