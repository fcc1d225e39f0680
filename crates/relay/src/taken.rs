//! Has the reader taken what was sent?
//!
//! A cut is only a cut if the reader sees it: two pieces that wait in the receiver's kernel are one
//! read. So the next piece is held until the reader has taken the one before.
//!
//! - **Linux, a peer on this machine:** the kernel is asked ([`diag::Kernel`]). As soon as the
//!   reader has taken the piece the next one follows. Who does not read is waited for, but not for
//!   ever: after [`BOUND`] the next piece goes anyway, so that nothing deadlocks; who sleeps longer
//!   between two reads may then find several pieces in one.
//! - **Elsewhere** nobody can be asked: the next piece follows after [`PAUSE`]. On a busy machine,
//!   or over a slow line, a reader may then find several pieces in one: of 1500 pieces to a reader on
//!   a machine with both its processors busy, 1473 to 1499 were read apart.

use std::thread;
use std::time::{Duration, Instant};

use observe::Socket;

/// How long a reader is waited for.
const BOUND: Duration = Duration::from_millis(500);
/// How long the pause between two pieces is where nobody can be asked.
const PAUSE: Duration = Duration::from_millis(2);
/// A reader that is awake takes a piece within microseconds. So the first questions follow each other
/// with nothing in between but the offer to let others run, the next ones at growing distance.
const EAGER: u32 = 4;
const SHORTEST: Duration = Duration::from_micros(20);
const LONGEST: Duration = Duration::from_millis(1);

/// Waits for one reader, piece after piece.
#[derive(Debug)]
pub(crate) struct Reader {
    door: Door,
    /// Bytes sent to it, in all.
    sent: u64,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    next: Instant,
    asked: u32,
    arrived: bool,
}

impl Reader {
    pub(crate) fn behind(socket: &Socket) -> Reader {
        Reader { door: Door::to(socket), sent: 0, waiting: None }
    }

    /// So many bytes were sent; `hold` says that the next must not follow before they are taken.
    pub(crate) fn sent(&mut self, n: usize, hold: bool, now: Instant) {
        self.sent += n as u64;
        self.waiting = hold.then_some(Waiting { since: now, next: now, asked: 0, arrived: false });
    }

    /// When to look again whether the reader has taken everything; `None`: it has, go on.
    pub(crate) fn look_again(&mut self, now: Instant) -> Option<Instant> {
        let waiting = self.waiting.as_mut()?;
        if now < waiting.next {
            return Some(waiting.next);
        }
        let (taken, bound) = match self.door.ask(self.sent) {
            Some(answer) => {
                // Two looks. The kernel counts a byte as read before the `recv` that takes it is over,
                // and that `recv` might still take the next piece along; to answer, it waits until
                // nobody is inside (tcp_get_info locks the socket), but it counts before it waits. So
                // the piece must have arrived at an earlier look, and be gone at this one.
                let taken = waiting.arrived && answer.empty;
                waiting.arrived |= answer.arrived;
                (taken, BOUND)
            }
            None => (false, PAUSE),
        };
        if taken || now >= waiting.since + bound {
            self.waiting = None;
            return None;
        }
        waiting.asked += 1;
        waiting.next = match waiting.asked {
            _ if bound == PAUSE => waiting.since + PAUSE,
            asked if asked <= EAGER => {
                thread::yield_now();
                now
            }
            asked => now + (SHORTEST * 2u32.saturating_pow(asked - EAGER)).min(LONGEST),
        };
        Some(waiting.next)
    }
}

struct Answer {
    /// All that was sent is in the reader's kernel, or was.
    arrived: bool,
    /// Nothing of it waits there.
    empty: bool,
}

#[cfg(target_os = "linux")]
#[derive(Debug)]
enum Door {
    /// The peer's socket, by its two addresses.
    Tcp(diag::Kernel, std::net::SocketAddr, std::net::SocketAddr),
    /// Our own socket, by its inode.
    Unix(diag::Kernel, u32),
    Closed,
}

#[cfg(target_os = "linux")]
impl Door {
    fn to(socket: &Socket) -> Door {
        use std::fs::File;
        use std::os::unix::fs::MetadataExt;

        let Ok(kernel) = diag::Kernel::new() else { return Door::Closed };
        let ends = (socket.local_addr(), socket.peer_addr());
        let (Ok(local), Ok(peer)) = ends else { return Door::Closed };
        match (local.as_socket(), peer.as_socket()) {
            (Some(local), Some(peer)) => match kernel.received(peer, local) {
                Ok(_) => Door::Tcp(kernel, peer, local),
                Err(_) => Door::Closed,
            },
            _ => {
                let copy = socket.try_clone().map(std::os::fd::OwnedFd::from).map(File::from);
                let inode = copy.and_then(|copy| copy.metadata()).map(|about| about.ino() as u32);
                match inode.and_then(|inode| kernel.unread(inode).map(|_| inode)) {
                    Ok(inode) => Door::Unix(kernel, inode),
                    Err(_) => Door::Closed,
                }
            }
        }
    }

    fn ask(&self, sent: u64) -> Option<Answer> {
        match self {
            // A socket that is no longer there reads nothing more: nothing to wait for.
            Door::Tcp(kernel, local, remote) => Some(match kernel.received(*local, *remote) {
                Ok(received) => {
                    Answer { arrived: received.total >= sent, empty: received.unread == 0 }
                }
                Err(_) => Answer { arrived: true, empty: true },
            }),
            Door::Unix(kernel, inode) => Some(match kernel.unread(*inode) {
                Ok(unread) => Answer { arrived: true, empty: unread == 0 },
                Err(_) => Answer { arrived: true, empty: true },
            }),
            Door::Closed => None,
        }
    }
}

/// Other systems have no such service that a program without privileges and without `unsafe` could
/// ask.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
enum Door {
    Closed,
}

#[cfg(not(target_os = "linux"))]
impl Door {
    fn to(_: &Socket) -> Door {
        Door::Closed
    }

    fn ask(&self, _: u64) -> Option<Answer> {
        None
    }
}
