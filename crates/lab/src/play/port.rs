//! A port for a server in another process to bind.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use socket2::{Domain, Socket, Type};

/// How many ports there are for each protocol. They are below the range from which Linux (32768) and macOS (49152) take
/// ports for outgoing connections, so no outgoing connection can take one before the server does.
const COUNT: u16 = 6_000;

/// Which protocol the server will bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// Each protocol has ports of its own: we hold the UDP port for a TCP server and the TCP port for a UDP server, so
    /// with shared numbers we would hold a port that another server has to bind.
    fn first(self) -> u16 {
        match self {
            Protocol::Tcp => 20_000,
            Protocol::Udp => 26_000,
        }
    }
}

/// A free port of loopback, which no other checker takes while this exists.
///
/// A TCP port and a UDP port with the same number don't get in each other's way. So we hold the one that the server
/// doesn't bind, and checkers that run at the same time never give two servers the same port. We take it first, because
/// we find out whether the server's own port is free by binding it, which would get in the way of a server that another
/// checker has just given it to.
pub(crate) struct Port {
    pub address: SocketAddr,
    _held: Held,
}

/// Bound, but never used.
enum Held {
    Tcp(#[expect(dead_code, reason = "it holds the port")] Socket),
    Udp(#[expect(dead_code, reason = "it holds the port")] UdpSocket),
}

impl Port {
    pub(crate) fn free(protocol: Protocol) -> io::Result<Port> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Checkers that start together shouldn't all try the same ports first.
        let start = (std::process::id() as u16).wrapping_mul(31);
        let _nobody_starts = lock_starts();
        for _ in 0..COUNT {
            let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, protocol.first() + number));
            let held = match protocol {
                Protocol::Tcp => UdpSocket::bind(address)
                    .and_then(|udp| bind_strictly(address).map(|_free| Held::Udp(udp))),
                Protocol::Udp => bind_strictly(address)
                    .and_then(|tcp| UdpSocket::bind(address).map(|_free| Held::Tcp(tcp))),
            };
            if let Ok(_held) = held {
                return Ok(Port { address, _held });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port between 20000 and 31999"))
    }
}

/// Binds without SO_REUSEADDR, which `TcpListener::bind` would set: a server that doesn't set it either couldn't bind a
/// port on which a connection is in TIME_WAIT.
fn bind_strictly(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Held while we start a program, and while we try a port.
///
/// A new process has a copy of all our sockets until it has become its program. For that moment it would keep the port
/// bound, and the kernel's table would say that the server is already there.
pub(crate) fn lock_starts() -> MutexGuard<'static, ()> {
    static STARTS: Mutex<()> = Mutex::new(());
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}
