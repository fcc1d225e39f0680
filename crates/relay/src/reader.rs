//! Has the reader taken what was sent?
//!
//! A cut is only a cut if the reader sees it: two pieces that wait in the receiver's kernel are one
//! read. So the next piece is held until the reader has taken the previous one.
//!
//! - **Linux, and a peer on this machine:** the relay asks the kernel ([`diag::Kernel`]). As soon as the
//!   reader has taken a piece, the next one follows. If the reader doesn't read for [`BOUND`], the next
//!   piece is sent anyway, so that nothing deadlocks; a reader that sleeps longer between two reads may
//!   then get several pieces in one.
//! - **Everywhere else** there is nobody to ask: the next piece follows after [`PAUSE`]. On a busy machine,
//!   or over a slow line, a reader may then get several pieces in one: of 1500 pieces to a reader on
//!   a machine with both its processors busy, 1473 to 1499 were read apart.

use std::thread;
use std::time::{Duration, Instant};

use observe::Socket;

/// The longest wait for a reader.
const BOUND: Duration = Duration::from_millis(500);
/// The pause between two pieces where there is nobody to ask.
const PAUSE: Duration = Duration::from_millis(2);
/// A reader that is awake takes a piece within microseconds. So the relay asks a few times in a row, and
/// only lets other threads run in between; after that, it waits longer each time.
const EAGER: u32 = 4;
const SHORTEST: Duration = Duration::from_micros(20);
const LONGEST: Duration = Duration::from_millis(1);

/// The program that reads what one flow sends, as far as the relay can tell.
#[derive(Debug)]
pub(crate) struct Reader {
    probe: Probe,
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
    pub(crate) fn of(socket: &Socket) -> Reader {
        Reader { probe: Probe::to(socket), sent: 0, waiting: None }
    }

    /// `n` bytes were sent. With `hold`, the next ones must wait until the reader has taken these.
    pub(crate) fn sent(&mut self, n: usize, hold: bool, now: Instant) {
        self.sent += n as u64;
        self.waiting = hold.then_some(Waiting { since: now, next: now, asked: 0, arrived: false });
    }

    /// When to ask again whether the reader has taken everything; `None` once it has.
    pub(crate) fn look_again(&mut self, now: Instant) -> Option<Instant> {
        let waiting = self.waiting.as_mut()?;
        if now < waiting.next {
            return Some(waiting.next);
        }
        let (taken, bound) = match self.probe.ask(self.sent) {
            Some(answer) => {
                // It takes two answers. The kernel counts a byte as read before the `recv` that takes it
                // returns, and that `recv` could still take the next piece as well. To answer, the kernel
                // waits until no call is inside (tcp_get_info locks the socket), but it counts before it
                // waits. So the piece must have arrived by an earlier answer, and be gone by this one.
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
    /// Everything that was sent has arrived in the reader's kernel.
    arrived: bool,
    /// None of it is still waiting there.
    empty: bool,
}

/// How the kernel is asked about the reader's socket.
#[cfg(target_os = "linux")]
#[derive(Debug)]
enum Probe {
    /// The peer's socket, by its two addresses.
    Tcp(diag::Kernel, std::net::SocketAddr, std::net::SocketAddr),
    /// Our own socket, by its inode.
    Unix(diag::Kernel, u32),
    /// There is no way to ask.
    None,
}

#[cfg(target_os = "linux")]
impl Probe {
    fn to(socket: &Socket) -> Probe {
        use std::fs::File;
        use std::os::unix::fs::MetadataExt;

        let Ok(kernel) = diag::Kernel::new() else { return Probe::None };
        let ends = (socket.local_addr(), socket.peer_addr());
        let (Ok(local), Ok(peer)) = ends else { return Probe::None };
        match (local.as_socket(), peer.as_socket()) {
            (Some(local), Some(peer)) => match kernel.received(peer, local) {
                Ok(_) => Probe::Tcp(kernel, peer, local),
                Err(_) => Probe::None,
            },
            _ => {
                let copy = socket.try_clone().map(std::os::fd::OwnedFd::from).map(File::from);
                let inode = copy.and_then(|copy| copy.metadata()).map(|about| about.ino() as u32);
                match inode.and_then(|inode| kernel.unread(inode).map(|_| inode)) {
                    Ok(inode) => Probe::Unix(kernel, inode),
                    Err(_) => Probe::None,
                }
            }
        }
    }

    fn ask(&self, sent: u64) -> Option<Answer> {
        match self {
            // If the socket is gone, nobody will read, and there is nothing to wait for.
            Probe::Tcp(kernel, local, remote) => Some(match kernel.received(*local, *remote) {
                Ok(received) => {
                    Answer { arrived: received.total >= sent, empty: received.unread == 0 }
                }
                Err(_) => Answer { arrived: true, empty: true },
            }),
            Probe::Unix(kernel, inode) => Some(match kernel.unread(*inode) {
                Ok(unread) => Answer { arrived: true, empty: unread == 0 },
                Err(_) => Answer { arrived: true, empty: true },
            }),
            Probe::None => None,
        }
    }
}

/// Other systems have nothing that a program could ask without privileges and without `unsafe`.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
enum Probe {
    /// There is no way to ask.
    None,
}

#[cfg(not(target_os = "linux"))]
impl Probe {
    fn to(_: &Socket) -> Probe {
        Probe::None
    }

    fn ask(&self, _: u64) -> Option<Answer> {
        None
    }
}
