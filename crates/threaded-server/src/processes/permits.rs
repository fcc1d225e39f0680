//! How many requests several processes handle at once: each needs a permit, and the server's process gives them out.
//!
//! Within one process `shell` counts the running commands. Processes share no memory, so each asks over its line to the
//! server's process, and that one keeps the queue. What a process holds comes back when its line ends, however it ends.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::thread;
use std::time::Duration;

use shell::{Deadline, Output, Peer, PeerGone, Shutdown};

use crate::{Handler, Reply};

/// What a process says on its line: that it wants a permit, that it needs it no more. The answer is any byte.
pub(super) const WANT: u8 = b'+';
const DONE: u8 = b'-';

/// Which processes have a permit, and which wait for one. Each process has a number.
pub(super) struct Permits {
    free: usize,
    holding: HashSet<u64>,
    waiting: VecDeque<u64>,
}

impl Permits {
    pub(super) fn new(all: usize) -> Permits {
        Permits { free: all, holding: HashSet::new(), waiting: VecDeque::new() }
    }

    /// A process said this on its line.
    pub(super) fn said(&mut self, who: u64, what: u8) {
        match what {
            WANT if !self.holding.contains(&who) => self.waiting.push_back(who),
            WANT => {}
            _ => self.gone(who),
        }
    }

    /// A process needs no permit any more.
    pub(super) fn gone(&mut self, who: u64) {
        self.free += usize::from(self.holding.remove(&who));
        self.waiting.retain(|other| *other != who);
    }

    /// The process that gets a permit now, if one is free: the one that has waited longest.
    pub(super) fn next(&mut self) -> Option<u64> {
        let who = if self.free > 0 { self.waiting.pop_front() } else { None }?;
        self.free -= 1;
        self.holding.insert(who);
        Some(who)
    }
}

/// A handler that waits for a permit before each request.
pub struct WithPermit<H> {
    /// What handles a request once there is a permit.
    pub handler: H,
    /// The line to the server's process.
    line: File,
    granted: PipeReader,
}

/// Longer than any client waits. The queue moves on, and a client that leaves it is noticed.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

impl<H: Handler> WithPermit<H> {
    /// Asks for permits over `line`; when that ends, so does this process, with every command it runs.
    ///
    /// # Errors
    /// No thread or descriptor left.
    pub fn new(handler: H, line: File) -> io::Result<WithPermit<H>> {
        let (granted, grant) = io::pipe()?;
        let server = line.try_clone()?;
        thread::Builder::new().name("server".into()).spawn(move || {
            pass_on(server, grant);
            Shutdown::now()
        })?;
        Ok(WithPermit { handler, line, granted })
    }
}

/// Passes on what comes over the line until it ends.
fn pass_on(mut server: File, mut grant: PipeWriter) {
    let mut byte = [0];
    while server.read(&mut byte).is_ok_and(|n| n > 0) {
        let _ = grant.write(&byte);
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
        // A server's process that is gone takes this one with it: nothing to do about an error.
        let _ = (&self.line).write(&[WANT]);
        let granted = peer.wait_readable(&self.granted, Deadline::after(LONG));
        let reply = granted.and_then(|_| {
            let _ = (&self.granted).read(&mut [0]);
            self.handler.handle(session, request, peer)
        });
        let _ = (&self.line).write(&[DONE]);
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(permits: &mut Permits) -> Vec<u64> {
        std::iter::from_fn(|| permits.next()).collect()
    }

    #[test]
    fn who_waits_longest_is_next_and_who_leaves_is_not() {
        let mut permits = Permits::new(2);
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
