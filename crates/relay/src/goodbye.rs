//! The two ways to end a connection that the relay itself ends.

use std::io::PipeReader;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use observe::Socket;
use rustix::event::{PollFd, PollFlags};

use crate::poll::wait;

/// How long an orderly close waits for the peers to close too.
const GOODBYE: Duration = Duration::from_secs(5);

/// The end of the stream for both, then silence until both have closed too. Closing at once, with
/// bytes unread, would be a reset.
pub(crate) fn close_in_order(sides: [&Socket; 2], stop: &PipeReader) {
    for side in sides {
        let _ = side.shutdown(Shutdown::Write);
    }
    let deadline = Instant::now() + GOODBYE;
    let mut open = Vec::from(sides);
    let mut unwanted = vec![0; 64 << 10];
    while !open.is_empty() && Instant::now() < deadline {
        let mut fds = vec![PollFd::new(stop, PollFlags::IN)];
        fds.extend(open.iter().map(|side| PollFd::new(*side, PollFlags::IN)));
        if wait(&mut fds, Some(deadline)).is_err() || !fds[0].revents().is_empty() {
            return;
        }
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        open.retain(|side| {
            ready.next() != Some(true) || matches!(side.recv(&mut unwanted), Ok(n) if n > 0)
        });
    }
}

/// A real reset: with a linger time of zero, closing throws the connection away and says so to the
/// peer (RST). Unix sockets know no such thing: there the peer sees the end.
pub(crate) fn reset<const N: usize>(sides: [&Socket; N]) {
    for side in sides {
        let _ = side.set_linger(Some(Duration::ZERO));
    }
}
