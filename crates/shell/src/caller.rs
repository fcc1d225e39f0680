//! Who asks, and whether they still wait for the answer.
//!
//! A peer that resets the connection is gone, and `poll(2)` says so. A peer that closes sends a
//! FIN, and so does one that only shuts down its sending half and reads on: on the wire they look
//! the same. On Linux the kernel's socket table tells them apart as long as the peer is on this
//! machine: a closed socket belongs to nobody any more. For a peer elsewhere, or on another system,
//! a FIN alone is therefore not taken for a goodbye; the command's timeout bounds it.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use diag::{Whose, whose};
use observe::Socket;
use rustix::event::{PollFd, PollFlags};

use crate::poll::poll;

/// How often a caller who has sent a FIN is looked up again.
pub(crate) const RECHECK: Duration = Duration::from_millis(250);

/// What tells of a FIN without waking for every byte of the next request.
#[cfg(target_os = "linux")]
const FIN: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const FIN: PollFlags = PollFlags::empty();

/// The connection a command comes from.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a>(&'a Socket);

impl<'a> Caller<'a> {
    /// The peer of a connected socket.
    pub fn of(conn: &'a Socket) -> Self {
        Caller(conn)
    }

    /// Whose it is, compared with this user.
    pub(crate) fn whose(&self, us: u32) -> io::Result<Whose> {
        whose(self.0, us)
    }

    /// Whether its bytes are kept out of the log and the trace.
    pub(crate) fn mask(&self, masked: bool) {
        self.0.mask(masked);
    }

    /// Waits until `fd` can be read (true), or until `deadline` (false).
    ///
    /// # Errors
    /// [`CallerGone`] as soon as the peer has left: nobody waits for what would be read.
    pub fn wait_readable(&self, fd: impl AsFd, deadline: Instant) -> Result<bool, CallerGone> {
        let mut watch = self.watch();
        loop {
            let mut fds = [watch.poll_fd(), PollFd::new(&fd, PollFlags::IN)];
            let wake_at = watch.wake_at().map_or(deadline, |at| at.min(deadline));
            let polled = poll(&mut fds, Some(wake_at));
            let [caller, other] = fds.map(|fd| fd.revents());
            if polled.is_err() || watch.gone(caller) {
                return Err(CallerGone);
            }
            if !other.is_empty() || deadline <= Instant::now() {
                return Ok(!other.is_empty());
            }
        }
    }

    pub(crate) fn watch(&self) -> Watch<'_> {
        // Only Linux tells of a FIN by itself: elsewhere the socket is looked at in turns from the
        // start.
        let next_look = if cfg!(target_os = "linux") { None } else { Some(Instant::now()) };
        Watch { caller: self, next_look }
    }

    #[cfg(target_os = "linux")]
    fn has_left(&self) -> bool {
        matches!(self.whose(0), Ok(Whose::Nobody))
    }

    #[cfg(not(target_os = "linux"))]
    fn has_left(&self) -> bool {
        !matches!(self.0.take_error(), Ok(None))
    }
}

/// Watches for the caller's end while something else is waited for.
pub(crate) struct Watch<'a> {
    caller: &'a Caller<'a>,
    /// Set once a FIN has come. It stays readable for ever: polled for again, it would make the
    /// loop spin.
    next_look: Option<Instant>,
}

impl Watch<'_> {
    pub(crate) fn poll_fd(&self) -> PollFd<'_> {
        // Hang-up and error are reported without being asked for.
        let events = if self.next_look.is_none() { FIN } else { PollFlags::empty() };
        PollFd::new(self.caller.0, events)
    }

    /// When [`gone`](Self::gone) wants to be called at the latest, if nothing happens.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.next_look
    }

    /// Is the caller gone, after poll reported these `events`?
    pub(crate) fn gone(&mut self, events: PollFlags) -> bool {
        if events.intersects(PollFlags::ERR | PollFlags::HUP) {
            return true;
        }
        let now = Instant::now();
        if events.intersects(FIN) {
            self.next_look = Some(now);
        }
        if self.next_look.is_none_or(|at| now < at) {
            return false;
        }
        self.next_look = Some(now + RECHECK);
        self.caller.has_left()
    }

    /// Looks once, now, without waiting. A socket that cannot even be polled has no caller.
    pub(crate) fn look(&mut self) -> bool {
        self.next_look = self.next_look.map(|_| Instant::now());
        let mut fds = [self.poll_fd()];
        let polled = poll(&mut fds, Some(Instant::now()));
        let events = fds[0].revents();
        polled.is_err() || self.gone(events)
    }
}

/// The peer who asked for a command is gone: there is nobody to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerGone;

impl fmt::Display for CallerGone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the peer was gone before its command ended; the command was killed")
    }
}

impl std::error::Error for CallerGone {}
