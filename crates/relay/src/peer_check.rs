//! Whom a relay serves. A server behind it sees nothing but the relay, which is you: so it is the
//! relay that has to look who comes.

use diag::{Whose, whose};
use observe::Socket;
use tracing::warn;

/// Whom a relay serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerCheck {
    /// Clients of this machine only if they are provably this user's. One that has closed already is
    /// nobody's, and proves nothing.
    ThisUser,
    /// Every client but those that are provably another user's: for a program that has both ends in
    /// its own hands, and whose clients may send and close at once.
    NotAnothers,
}

impl PeerCheck {
    /// Whether a client may be relayed, and if not, why not.
    pub(crate) fn refuses(self, client: &Socket) -> Option<&'static str> {
        let us = rustix::process::geteuid().as_raw();
        let found = whose(client, us);
        match (self, found) {
            // The policies, a line each.
            (PeerCheck::ThisUser, Ok(Whose::ThisUser | Whose::Elsewhere | Whose::NotTold)) => None,
            (PeerCheck::NotAnothers, found) if !matches!(found, Ok(Whose::AnotherUser)) => None,

            (_, Ok(Whose::AnotherUser)) => Some("the client is another user's"),
            (_, Ok(Whose::Unmapped)) => Some("the client's user has no number in this container"),
            (_, Err(error)) => {
                warn!(%error, "cannot look up whose a connection is");
                Some("nobody can say whose the client is")
            }
            (_, Ok(_)) => Some("the client has closed already, and nobody can say whose it was"),
        }
    }

    /// For the start: what cannot be prevented here.
    pub(crate) fn warn(self) {
        if cfg!(not(target_os = "linux")) {
            warn!(
                "this system does not tell whose a connection is: every user of this machine is relayed"
            );
        }
    }
}
