//! Where a relay listens, and where it connects to.

use std::fmt::{self, Display};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use observe::NotAnAddress;
use observe::Socket;
use socket2::{Domain, SockAddr, Type};

/// An address as you type it: `127.0.0.1:8888`, `[::1]:0`, or, if it has a `/`, the path of a Unix
/// socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A Unix socket.
    Path(PathBuf),
}

impl Endpoint {
    /// A socket that can be bound here, or connected to here.
    pub(crate) fn socket(&self, kind: Type) -> io::Result<Socket> {
        Socket::new(Domain::from(i32::from(self.sock_addr()?.family())), kind, None)
    }

    pub(crate) fn sock_addr(&self) -> io::Result<SockAddr> {
        match self {
            Endpoint::Ip(address) => Ok((*address).into()),
            Endpoint::Path(path) => SockAddr::unix(path),
        }
    }

    /// Whether only this machine can reach it: loopback, or a path.
    pub fn is_local(&self) -> bool {
        match self {
            Endpoint::Ip(address) => address.ip().to_canonical().is_loopback(),
            Endpoint::Path(_) => true,
        }
    }

    pub(crate) fn is_ip(&self) -> bool {
        matches!(self, Endpoint::Ip(_))
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Endpoint {
        Endpoint::Ip(address)
    }
}

impl From<PathBuf> for Endpoint {
    fn from(path: PathBuf) -> Endpoint {
        Endpoint::Path(path)
    }
}

impl Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Ip(address) => address.fmt(f),
            Endpoint::Path(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for Endpoint {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Endpoint, NotAnAddress> {
        match text.contains('/') {
            true => Ok(Endpoint::Path(text.into())),
            false => observe::parse_address(text).map(Endpoint::Ip),
        }
    }
}
