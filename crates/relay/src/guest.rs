//! Whose connection it is. On loopback every user of the machine can connect, and a server behind the relay sees
//! nothing but the relay, which is you: so the relay has to look for it.

use observe::Socket;
use tracing::warn;

/// Knows whose a client is, where the system tells.
pub(crate) struct Guests {
    /// Opened before the first client comes: later there may be no descriptor left to ask with.
    #[cfg(target_os = "linux")]
    kernel: Option<crate::diag::Kernel>,
}

const UNTOLD: &str =
    "this system does not tell whose a connection is: every user of this machine is relayed";

#[cfg(target_os = "linux")]
impl Guests {
    pub(crate) fn new() -> Guests {
        let kernel = crate::diag::Kernel::new();
        if let Err(error) = &kernel {
            warn!(%error, "{UNTOLD}");
        }
        Guests { kernel: kernel.ok() }
    }

    /// Whether the client may be relayed: over loopback not if its socket is another user's.
    ///
    /// One that its program has closed already is nobody's, and is relayed: who sends and closes at once has done
    /// nothing wrong. So this keeps others from talking to the server, and not from calling out to it.
    ///
    /// Elsewhere than on loopback, and on systems that do not tell, it may.
    pub(crate) fn welcome(&self, client: &Socket) -> bool {
        let end = |address: std::io::Result<socket2::SockAddr>| address.ok()?.as_socket();
        match (&self.kernel, end(client.local_addr()), end(client.peer_addr())) {
            (Some(kernel), Some(here), Some(there)) if there.ip().to_canonical().is_loopback() => {
                let us = rustix::process::geteuid().as_raw();
                kernel.owner(there, here).map_or(true, |uid| uid == us)
            }
            // A path's own permissions have decided, or the network.
            _ => true,
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Guests {
    pub(crate) fn new() -> Guests {
        warn!("{UNTOLD}");
        Guests {}
    }

    pub(crate) fn welcome(&self, _: &Socket) -> bool {
        true
    }
}
