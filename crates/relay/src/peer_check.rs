//! Whom a relay serves. The server sees only the relay, which runs as you. So the relay has to check who
//! connects.

use std::io;

use diag::{Whose, whose};
use observe::Socket;
use tracing::warn;

/// Whom a relay serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerCheck {
    /// Clients on this machine only if they are provably this user's. A client that has already closed has no owner,
    /// and is refused.
    ThisUser,
    /// Every client except those that are provably another user's: for a program that controls both ends,
    /// and whose clients may send and close at once.
    NotAnothers,
}

impl PeerCheck {
    /// Whether a client may be relayed, and if not, why not.
    pub(crate) fn refuses(self, client: &Socket) -> Option<&'static str> {
        self.why_not(whose(client, rustix::process::geteuid().as_raw()))
    }

    fn why_not(self, found: io::Result<Whose>) -> Option<&'static str> {
        match (self, found) {
            // The policies, one line each.
            (PeerCheck::ThisUser, Ok(Whose::ThisUser | Whose::Elsewhere | Whose::NotTold)) => None,
            (PeerCheck::NotAnothers, found) if !matches!(found, Ok(Whose::AnotherUser)) => None,

            (_, Ok(Whose::AnotherUser)) => Some("the client is another user's"),
            (_, Ok(Whose::Unmapped)) => Some("the client's user has no number in this container"),
            (_, Err(error)) => {
                warn!(%error, "cannot look up who owns a connection");
                Some("nobody can say whose the client is")
            }
            (_, Ok(_)) => Some("the client has closed already, and nobody can say whose it was"),
        }
    }

    /// A warning at the start: what can't be checked on this system.
    pub(crate) fn warn(self) {
        if cfg!(not(target_os = "linux")) {
            warn!(
                "this system does not say who owns a connection: every user of this machine is relayed"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_is_as_strict_as_it_says() {
        use Whose::{AnotherUser, Elsewhere, Nobody, NotTold, ThisUser, Unmapped};
        let relayed = |check: PeerCheck, found| check.why_not(Ok(found)).is_none();
        for (found, only_this_user, not_anothers) in [
            (ThisUser, true, true),
            (Elsewhere, true, true),
            (NotTold, true, true),
            (Nobody, false, true),
            (Unmapped, false, true),
            (AnotherUser, false, false),
        ] {
            assert_eq!(relayed(PeerCheck::ThisUser, found), only_this_user, "{found:?}");
            assert_eq!(relayed(PeerCheck::NotAnothers, found), not_anothers, "{found:?}");
        }
        let unknown = || Err(io::ErrorKind::Other.into());
        assert!(PeerCheck::ThisUser.why_not(unknown()).is_some());
        assert!(PeerCheck::NotAnothers.why_not(unknown()).is_none());
    }
}
