//! How the relay itself ends a connection: cleanly, or with a reset.

use std::io::PipeReader;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use observe::Socket;
use rustix::event::{PollFd, PollFlags};

use crate::poll::wait;

/// How long a lingering close waits for the peers to close, too.
const LINGER: Duration = Duration::from_secs(5);

/// Sends both sides the end of the stream, then reads until both have closed, too. Closing at once, with
/// unread bytes, would send a reset.
pub(crate) fn lingering_close(sides: [&Socket; 2], stop: &PipeReader) {
    for side in sides {
        let _ = side.shutdown(Shutdown::Write);
    }
    let deadline = Instant::now() + LINGER;
    let mut open = Vec::from(sides);
    let mut discarded = vec![0; 64 << 10];
    while !open.is_empty() && Instant::now() < deadline {
        let mut fds = vec![PollFd::new(stop, PollFlags::IN)];
        fds.extend(open.iter().map(|side| PollFd::new(*side, PollFlags::IN)));
        if wait(&mut fds, Some(deadline)).is_err() || !fds[0].revents().is_empty() {
            return;
        }
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        open.retain(|side| {
            ready.next() != Some(true) || matches!(side.recv(&mut discarded), Ok(n) if n > 0)
        });
    }
}

/// A real reset: with a linger time of zero, closing drops the connection and sends the peer a RST. Unix
/// sockets have no resets: there, the peer sees the end of the stream.
pub(crate) fn reset<const N: usize>(sides: [&Socket; N]) {
    for side in sides {
        let _ = side.set_linger(Some(Duration::ZERO));
    }
}
