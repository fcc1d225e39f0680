//! Whose connection it is. On loopback every user of the machine can connect, and a server behind the relay sees
//! nothing but the relay, which is you: so the relay has to look for it.

use observe::Socket;

/// Whether the client may be relayed: over loopback only a socket of this user.
///
/// Elsewhere than on loopback, and on systems that do not tell, it may; the program says so at its start.
#[cfg(target_os = "linux")]
pub(crate) fn is_welcome(client: &Socket) -> bool {
    let end = |address: std::io::Result<socket2::SockAddr>| address.ok()?.as_socket();
    match (end(client.local_addr()), end(client.peer_addr())) {
        (Some(here), Some(there)) if there.ip().to_canonical().is_loopback() => {
            let owner = crate::diag::Kernel::new().and_then(|kernel| kernel.owner(there, here));
            owner.is_ok_and(|uid| uid == rustix::process::geteuid().as_raw())
        }
        // A path's own permissions have decided, or the network.
        _ => true,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_welcome(_: &Socket) -> bool {
    true
}
