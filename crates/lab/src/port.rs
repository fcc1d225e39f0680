//! A port for a server that somebody else will bind.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

use socket2::{Domain, Socket, Type};

/// Below the range from which Linux (32768) and macOS (49152) take ports for outgoing connections: none of those can take
/// it before the server does.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Which protocol the server will bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// A free port of loopback, kept from other checkers while this lives.
///
/// Ports of TCP and of UDP do not disturb each other. So the one that the server will not bind is held meanwhile, and
/// checkers that run side by side never give two servers the same port.
pub(crate) struct Port {
    pub address: SocketAddr,
    _held: Held,
}

/// Held, and never used: it is there to be bound.
enum Held {
    Tcp(#[expect(dead_code, reason = "it holds the port")] TcpListener),
    Udp(#[expect(dead_code, reason = "it holds the port")] UdpSocket),
}

impl Port {
    pub(crate) fn free(protocol: Protocol) -> io::Result<Port> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Checkers that start together should not all try the same ports first.
        let start = (std::process::id() as u16).wrapping_mul(31);
        for _ in 0..COUNT {
            let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + number));
            let (Ok(tcp), Ok(udp)) = (listen_strictly(address), UdpSocket::bind(address)) else {
                continue;
            };
            let _held = match protocol {
                Protocol::Tcp => Held::Udp(udp),
                Protocol::Udp => Held::Tcp(tcp),
            };
            return Ok(Port { address, _held });
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port between 20000 and 31999"))
    }
}

/// Without SO_REUSEADDR, which `TcpListener::bind` sets: a port on which a connection waits in TIME_WAIT would be refused to
/// a server that does not set it either.
fn listen_strictly(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    socket.listen(1)?;
    Ok(socket.into())
}
