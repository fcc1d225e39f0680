//! Peers that go away, each at the worst moment for the program: what the labs of stream servers share.

use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

/// How a peer goes that is owed an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaving {
    /// It closes. The program's first write is taken by the kernel; the peer's answers with a reset, and the next write fails
    /// (EPIPE).
    Closes,
    /// It ends its side, and then resets the connection: already the first write fails with EPIPE.
    EndsAndResets,
    /// It resets the connection: reads and writes fail with ECONNRESET.
    Resets,
}

pub(super) const LEAVINGS: [Leaving; 3] =
    [Leaving::Closes, Leaving::EndsAndResets, Leaving::Resets];

/// A peer, which was served already, sends requests that the program cannot see yet (it is held), and is gone when it goes
/// on: so each of its writes meets a connection without a peer, and no chance is in it.
///
/// That it was served proves that the program has this connection: what follows meets it, not the queue of the listener.
pub(super) fn leave_owed(
    trial: &mut Trial,
    mut peer: Peer,
    requests: &[u8],
    leaving: Leaving,
) -> Result<(), CaseFailure> {
    trial.while_stopped(|_| {
        peer.send(requests)?;
        match leaving {
            Leaving::Closes => peer.close(),
            Leaving::EndsAndResets => {
                peer.end()?;
                peer.reset();
            }
            Leaving::Resets => peer.reset(),
        }
        Ok(())
    })
}

/// A peer fills the buffers of both directions with `requests`, reads nothing, and resets the connection: the program has
/// bytes that it has not read, and bytes that it could not send.
pub(super) fn leave_full(trial: &mut Trial, requests: &[u8]) -> Result<(), CaseFailure> {
    let mut peer = trial.connect_narrow()?;
    peer.fill(requests);
    peer.reset();
    Ok(())
}
