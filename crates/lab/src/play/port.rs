//! A port for a server that somebody else will bind.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use socket2::{Domain, Socket, Type};

/// So many ports for each protocol. They lie below the range from which Linux (32768) and macOS (49152) take ports for
/// outgoing connections: none of those can take one before the server does.
const COUNT: u16 = 6_000;

/// Which protocol the server will bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// Each has ports of its own: what is held for the one is what the servers of the other bind.
    fn first(self) -> u16 {
        match self {
            Protocol::Tcp => 20_000,
            Protocol::Udp => 26_000,
        }
    }
}

/// A free port of loopback, kept from other checkers while this lives.
///
/// Ports of TCP and of UDP do not disturb each other. So the one that the server will not bind is held meanwhile, and
/// checkers that run side by side never give two servers the same port. It is taken first: whether the server's own is free
/// is tried by binding it, and that would be in the way of a server to which another checker has just given it.
pub(crate) struct Port {
    pub address: SocketAddr,
    _held: Held,
}

/// Held, and never used: it is there to be bound.
enum Held {
    Tcp(#[expect(dead_code, reason = "it holds the port")] Socket),
    Udp(#[expect(dead_code, reason = "it holds the port")] UdpSocket),
}

impl Port {
    pub(crate) fn free(protocol: Protocol) -> io::Result<Port> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Checkers that start together should not all try the same ports first.
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

/// Without SO_REUSEADDR, which `TcpListener::bind` sets: a port on which a connection waits in TIME_WAIT would be refused to
/// a server that does not set it either.
fn bind_strictly(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Whoever starts a program has this meanwhile, and whoever tries a port.
///
/// A process that is being started has a copy of all our sockets until it has become its program. It would keep the port
/// bound for a moment, and the kernel's table would say that the server is there already.
pub(crate) fn lock_starts() -> MutexGuard<'static, ()> {
    static STARTS: Mutex<()> = Mutex::new(());
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}
