//! Addresses as the system returns them, and as people write them.

use std::io;
use std::net::SocketAddr;

use rustix::net::{SocketAddrAny, SocketAddrUnix};
use socket2::SockAddr;

/// The address that came with a datagram.
pub(crate) fn sock_addr(address: Option<SocketAddrAny>) -> io::Result<SockAddr> {
    match address {
        None => SockAddr::unix(""),
        Some(address) => match SocketAddr::try_from(address.clone()) {
            Ok(address) => Ok(address.into()),
            Err(_) => {
                let address = SocketAddrUnix::try_from(address)?;
                let path = address.path().unwrap_or_default();
                SockAddr::unix(path.to_string_lossy().as_ref())
            }
        },
    }
}

/// An address as people write it: `127.0.0.1:8888`, `[::1]:8888`, a path, or `unnamed` for a Unix
/// socket that was never bound.
pub fn show(address: &SockAddr) -> String {
    match (address.as_socket(), address.as_pathname()) {
        (Some(address), _) => address.to_string(),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => "unnamed".into(),
    }
}
