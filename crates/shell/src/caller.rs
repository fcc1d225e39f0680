//! Who asks, and whether they still wait for the answer.
//!
//! A peer that resets the connection is gone, and `poll(2)` says so. A peer that closes sends a
//! FIN, and so does one that only shuts down its sending half and reads on: on the wire they look
//! the same. On Linux the kernel's socket table tells them apart as long as the peer is on this
//! machine: a closed socket belongs to nobody any more. For a peer elsewhere, or on another system,
//! a FIN alone is therefore not taken for a goodbye; the command's timeout bounds it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::net::{getpeername, getsockname};

use crate::poll::poll;

/// How often a caller who has sent a FIN is looked up again.
pub(crate) const RECHECK: Duration = Duration::from_millis(250);

/// What tells of a FIN without waking for every byte of the next request.
#[cfg(target_os = "linux")]
const FIN: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const FIN: PollFlags = PollFlags::empty();

/// The connection a command comes from: its socket and both its addresses.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    socket: BorrowedFd<'a>,
    local: SocketAddr,
    peer: SocketAddr,
}

impl<'a> Caller<'a> {
    /// The peer of a connected TCP socket.
    ///
    /// # Errors
    /// What getsockname(2) or getpeername(2) says: the peer may be gone already.
    pub fn of(socket: &'a impl AsFd) -> io::Result<Self> {
        let socket = socket.as_fd();
        let local = getsockname(socket)?.try_into()?;
        let peer = getpeername(socket)?.ok_or(io::ErrorKind::NotConnected)?.try_into()?;
        Ok(Caller { socket, local, peer })
    }

    /// Our own address on this connection.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The peer's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn watch(&self) -> Watch<'_> {
        // Only Linux tells of a FIN by itself: elsewhere the socket is looked at in turns from the
        // start.
        let next_look = if cfg!(target_os = "linux") { None } else { Some(Instant::now()) };
        Watch { caller: self, next_look }
    }

    /// The user id of who holds the other end; `None` for nobody, or nobody on this machine.
    #[cfg(target_os = "linux")]
    pub(crate) fn owner(&self) -> io::Result<Option<u32>> {
        crate::owner::owner(self.peer, self.local)
    }

    /// Other systems have no such table.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn owner(&self) -> io::Result<Option<u32>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn is_on_loopback(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }

    #[cfg(target_os = "linux")]
    fn has_left(&self) -> bool {
        self.is_on_loopback() && matches!(self.owner(), Ok(None))
    }

    #[cfg(not(target_os = "linux"))]
    fn has_left(&self) -> bool {
        !matches!(rustix::net::sockopt::socket_error(self.socket), Ok(Ok(())))
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
        PollFd::new(&self.caller.socket, events)
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

    /// Looks once, without waiting. A socket that cannot even be polled has no caller.
    pub(crate) fn look(&mut self) -> bool {
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
