//! Where a relay of streams waits for its clients.

use std::io;

use af_unix::Claim;
use observe::Socket;
use socket2::Type;

use crate::Endpoint;

/// Listens.
pub(crate) fn listen_on(address: &Endpoint) -> io::Result<(Socket, Option<Claim>)> {
    let (listener, claim) = bind(address)?;
    listener.listen(1024)?;
    // A client may leave between poll and accept: accept must not wait for the next one.
    listener.set_nonblocking(true)?;
    Ok((listener, claim))
}

/// Binds. A path is claimed as in af-unix-server: the relay takes it over from a dead program, and only
/// this user can connect. The claim lasts as long as the relay.
fn bind(address: &Endpoint) -> io::Result<(Socket, Option<Claim>)> {
    let mut claim = match address {
        Endpoint::Path(path) => Some(Claim::new(path)?),
        Endpoint::Ip(_) => None,
    };
    let listener = address.socket(Type::STREAM)?;
    if address.is_ip() {
        listener.set_reuse_address(true)?;
    }
    listener.bind(&address.sock_addr()?)?;
    if let Some(claim) = &mut claim {
        claim.keep()?; // private before it listens
    }
    Ok((listener, claim))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_path_is_private_before_it_listens() {
        let scratch = stage::Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let (_socket, _claim) = bind(&path.clone().into()).unwrap();
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = UnixStream::connect(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "it listens already");
    }
}
