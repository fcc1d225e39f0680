//! Peers that leave, each at the worst moment for the program: shared by the labs about stream servers.

use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

/// How a peer leaves while it is still owed an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaving {
    /// It closes. The kernel accepts the program's first write, the peer's kernel answers with a reset, and the next
    /// write fails (EPIPE).
    Closes,
    /// It ends its side, and then resets the connection: even the first write fails with EPIPE.
    EndsAndResets,
    /// It resets the connection: reads and writes fail with ECONNRESET.
    Resets,
}

pub(super) const LEAVINGS: [Leaving; 3] =
    [Leaving::Closes, Leaving::EndsAndResets, Leaving::Resets];

/// A peer that has been served sends requests while the program is stopped, and leaves before the program continues. So
/// every write of the program goes to a peer that is gone, and nothing depends on chance.
///
/// The peer has been served, so the program has accepted this connection: what follows reaches the program, not the
/// accept queue.
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

/// A peer fills the buffers of both directions with `requests`, reads nothing, and resets the connection. The program
/// then has bytes that it hasn't read, and bytes that it couldn't send.
pub(super) fn leave_full(trial: &mut Trial, requests: &[u8]) -> Result<(), CaseFailure> {
    let mut peer = trial.connect_narrow()?;
    peer.fill(requests);
    peer.reset();
    Ok(())
}
