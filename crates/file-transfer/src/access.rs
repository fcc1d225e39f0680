//! Who may send files.

use std::io;
use std::net::SocketAddr;

use diag::{Whose, whose};
use observe::{Failure, Socket};

use crate::refused;

/// Whether the server may listen there: beyond this machine only if it was told so.
///
/// # Errors
/// Why not.
pub fn may_listen(address: SocketAddr, allow_remote: bool) -> Result<(), Failure> {
    if allow_remote || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let what = "anybody who can connect can fill your disk: add --allow-remote if you mean it";
    Err(Failure::Usage(format!("{address}: {what}")))
}

/// Whether this client may send files: on this machine, only programs of the same user may.
///
/// Loopback is shared by everybody on the machine. On systems other than Linux nobody can tell whose a connection is.
///
/// # Errors
/// Why not.
pub fn may_send(client: &Socket) -> io::Result<()> {
    match whose(client, rustix::process::geteuid().as_raw()) {
        Ok(Whose::ThisUser | Whose::Elsewhere | Whose::NotTold) => Ok(()),
        Ok(Whose::AnotherUser) => Err(refused("the client is another user's")),
        Ok(Whose::Nobody | Whose::Unmapped) | Err(_) => {
            Err(refused("nobody can say whose the client is"))
        }
    }
}
