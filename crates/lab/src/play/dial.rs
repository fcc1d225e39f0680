//! Connects a peer's socket: to an address or a path, with the buffers and from the address that a case asks for.

use std::io;
use std::net::SocketAddr;

use relay::Endpoint;
use socket2::{Domain, SockAddr, Socket, Type};

use super::patience::PATIENCE;

/// How large the kernel's buffers for a peer are.
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
                // Segments of the size they have on an Ethernet: the size of the program's own buffers depends on it,
                // too.
                socket.set_tcp_mss(1448)?;
            }
            socket.connect_timeout(&SockAddr::from(*address), PATIENCE)?;
            Ok(socket)
        }
        Endpoint::Path(path) => {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            // If the accept queue is full, connect waits as long as a write may. A non-blocking socket, which
            // connect_timeout would use, fails at once with EAGAIN.
            socket.set_write_timeout(Some(PATIENCE))?;
            socket.connect(&SockAddr::unix(path)?)?;
            Ok(socket)
        }
    }
}

/// Like [`dial`], but from this address.
pub(crate) fn dial_from(from: SocketAddr, to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    // Another check may have a connection that uses this port.
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

    /// On other systems, a full queue refuses at once.
    #[test]
    fn a_peer_waits_where_the_queue_of_a_unix_socket_is_full() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        // Even with a backlog of 0, one connection may wait.
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
