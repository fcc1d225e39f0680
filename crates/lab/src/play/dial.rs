//! A peer's socket, connected: to an address or a path, with the buffers and from the address that a case asks for.

use std::io;
use std::net::SocketAddr;

use relay::Endpoint;
use socket2::{Domain, SockAddr, Socket, Type};

use super::patience::PATIENCE;

/// How much the kernel keeps for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffers {
    Usual,
    Small,
}

/// A connection, or an error after five seconds.
pub(crate) fn dial(address: &Endpoint, buffers: Buffers) -> io::Result<Socket> {
    match address {
        Endpoint::Ip(address) => {
            let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
            if buffers == Buffers::Small {
                socket.set_recv_buffer_size(4 << 10)?;
                socket.set_send_buffer_size(4 << 10)?;
                // Segments as on an Ethernet: how large the program's own buffers grow depends on it, too.
                socket.set_tcp_mss(1448)?;
            }
            socket.connect_timeout(&SockAddr::from(*address), PATIENCE)?;
            Ok(socket)
        }
        Endpoint::Path(path) => {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            // Where the queue of the listener is full, connect waits as long as a write may; but one that must not block,
            // as connect_timeout has it, fails at once with EAGAIN.
            socket.set_write_timeout(Some(PATIENCE))?;
            socket.connect(&SockAddr::unix(path)?)?;
            Ok(socket)
        }
    }
}

/// As [`dial`], from this address.
pub(crate) fn dial_from(from: SocketAddr, to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    // Another check may have a connection with this port.
    socket.set_reuse_address(true)?;
    socket.bind(&from.into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    Ok(socket)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use stage::Scratch;

    use super::*;

    /// Elsewhere a full queue refuses at once.
    #[test]
    fn a_peer_waits_where_the_queue_of_a_unix_socket_is_full() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        // One may wait all the same.
        listener.listen(0).unwrap();
        let address = Endpoint::Path(path);
        let _first = dial(&address, Buffers::Usual).unwrap();
        let (dials, dialling) = mpsc::channel();
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                dials.send(()).unwrap();
                dial(&address, Buffers::Usual)
            });
            dialling.recv().unwrap();
            thread::yield_now();
            listener.accept().unwrap();
            assert!(second.join().unwrap().is_ok());
        });
    }
}
