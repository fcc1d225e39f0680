//! Who is asking, and whether they are still waiting for the answer.
//!
//! A peer that resets the connection is gone, and `poll(2)` says so. A peer that closes sends a FIN, and so does one that
//! only shuts down its sending half and reads on: on the wire they look the same. On Linux the kernel's socket table
//! tells them apart if the peer is on this machine: a closed socket no longer has an owner. So for a peer on another
//! machine, or on another system, a FIN alone doesn't mean that the peer is gone. Then the command's timeout is the limit.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use diag::{Whose, whose};
use observe::Socket;
use rustix::event::{PollFd, PollFlags};

use crate::deadline::{Deadline, poll};

/// How often to check that the peer is still there while working for it.
pub const RECHECK: Duration = Duration::from_millis(250);

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a>(&'a Socket);

impl<'a> From<&'a Socket> for Peer<'a> {
    fn from(conn: &'a Socket) -> Self {
        Peer(conn)
    }
}

impl<'a> Peer<'a> {
    /// The peer of a connected socket.
    pub fn of(conn: &'a Socket) -> Self {
        Peer(conn)
    }

    /// Who owns it: this user or another.
    pub(crate) fn whose(&self, us: u32) -> io::Result<Whose> {
        whose(self.0, us)
    }

    /// Whether its bytes are kept out of the log and the trace.
    pub(crate) fn mask(&self, masked: bool) {
        self.0.mask(masked);
    }

    /// Waits until `fd` can be read (true), or until the deadline (false).
    ///
    /// # Errors
    /// [`PeerGone`] soon after the peer has left: nobody is waiting for what would be read.
    pub fn wait_readable(&self, fd: impl AsFd, deadline: Deadline) -> Result<bool, PeerGone> {
        loop {
            self.is_here()?;
            let next_look = Deadline::after(RECHECK);
            let polled = poll(&mut [PollFd::new(&fd, PollFlags::IN)], deadline.or(next_look));
            if polled.map_err(|_| PeerGone)? {
                return Ok(true);
            }
            if deadline.has_passed() {
                return Ok(false);
            }
        }
    }

    /// Looks once, without waiting.
    ///
    /// # Errors
    /// [`PeerGone`], also if the socket can't even be polled.
    #[cfg(target_os = "linux")]
    pub fn is_here(&self) -> Result<(), PeerGone> {
        // Hang-up and error are reported without being asked for. RDHUP is a FIN.
        let mut fds = [PollFd::new(self.0, PollFlags::RDHUP)];
        poll(&mut fds, Deadline::now()).map_err(|_| PeerGone)?;
        let events = fds[0].revents();
        let reset = events.intersects(PollFlags::ERR | PollFlags::HUP);
        let ended = events.contains(PollFlags::RDHUP);
        match reset || ended && matches!(self.whose(0), Ok(Whose::Nobody)) {
            true => Err(PeerGone),
            false => Ok(()),
        }
    }

    /// Looks once, without waiting. This system reports a reset, but not a FIN.
    ///
    /// # Errors
    /// [`PeerGone`].
    #[cfg(not(target_os = "linux"))]
    pub fn is_here(&self) -> Result<(), PeerGone> {
        match self.0.take_error() {
            Ok(None) => Ok(()),
            _ => Err(PeerGone),
        }
    }
}

/// The peer who asked for a command is gone: there is nobody to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerGone;

impl fmt::Display for PeerGone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the peer was gone before its command ended; the command was killed")
    }
}

impl std::error::Error for PeerGone {}
