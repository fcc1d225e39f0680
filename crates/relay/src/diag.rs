//! Asks the kernel what the reader has not read yet: netlink's `sock_diag(7)`, as `ss -ti` does.
//!
//! For TCP the question is about the peer's socket (it is on this machine, so the kernel knows it):
//! how many bytes have arrived there, and how many of them wait for a `recv`. For a Unix socket it
//! is about our own: how much of what it sent still occupies memory.
//!
//! ```text
//! request   nlmsghdr 16 | body
//!   TCP       family protocol ext pad 4 | states 4 | id 48
//!   Unix      family protocol pad 4 | states 4 | inode 4 | show 4 | cookie 8
//! reply     nlmsghdr 16 | body | attributes: length 2, type 2, value, padded to 4
//!   TCP       family state timer retrans 4 | id 48 | expires rqueue wqueue uid inode 4 each
//!   Unix      family type state pad 4 | inode 4 | cookie 8
//! id        ports 4 (big-endian) | addresses 16 + 16 | interface 4 | cookie 8; local before remote
//! ```

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};
use std::os::fd::OwnedFd;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const HEADER: usize = 16;
const IPPROTO_TCP: u8 = 6;
/// Ask for `struct tcp_info` too.
const INET_DIAG_INFO: u16 = 2;
/// Where `tcpi_bytes_received` stands in it (linux/tcp.h, since Linux 4.1).
const BYTES_RECEIVED: usize = 128;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UNIX_DIAG_RQLEN: u16 = 4;

/// What a TCP socket has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes that arrived, in all.
    pub(crate) total: u64,
    /// Bytes of them that no `recv` has taken.
    pub(crate) unread: u32,
}

/// An open line to the kernel.
#[derive(Debug)]
pub(crate) struct Kernel(OwnedFd);

impl Kernel {
    pub(crate) fn new() -> io::Result<Kernel> {
        let kind = SocketType::RAW;
        let protocol = Some(netlink::SOCK_DIAG);
        Ok(Kernel(socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, protocol)?))
    }

    /// What the TCP socket bound to `local` and connected to `remote` has received.
    ///
    /// # Errors
    /// The kernel knows no such socket (it is on another machine, in another network namespace, or
    /// closed), or has no such service.
    pub(crate) fn received(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Received> {
        let mut reply = [0; 4096];
        let reply = self.about(local, remote, &mut reply)?;
        let attributes = HEADER + 4 + 48 + 20;
        let received = || {
            let info = attribute(reply.get(attributes..)?, INET_DIAG_INFO)?;
            let total = u64::from_ne_bytes(*info.get(BYTES_RECEIVED..)?.first_chunk()?);
            Some(Received { total, unread: number(reply, HEADER + 4 + 48 + 4)? })
        };
        received().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The user whose process has the TCP socket bound to `local` and connected to `remote`.
    ///
    /// # Errors
    /// As [`received`](Kernel::received); and a socket that its process has closed is nobody's.
    pub(crate) fn owner(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<u32> {
        let mut reply = [0; 4096];
        let reply = self.about(local, remote, &mut reply)?;
        let [uid, inode] = [12, 16].map(|at| number(reply, HEADER + 4 + 48 + at));
        uid.filter(|_| inode.is_some_and(|inode| inode != 0))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn about<'a>(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        reply: &'a mut [u8],
    ) -> io::Result<&'a [u8]> {
        let [local, remote] =
            [local, remote].map(|end| SocketAddr::new(end.ip().to_canonical(), end.port()));
        let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let mut body = vec![family.as_raw() as u8, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0];
        body.extend(u32::MAX.to_ne_bytes()); // in any state
        body.extend(local.port().to_be_bytes());
        body.extend(remote.port().to_be_bytes());
        for end in [local, remote] {
            match end.ip() {
                IpAddr::V4(ip) => body.extend([ip.octets(), [0; 4], [0; 4], [0; 4]].concat()),
                IpAddr::V6(ip) => body.extend(ip.octets()),
            }
        }
        body.extend([0; 4]); // on any interface
        body.extend([0xff; 8]); // whatever its cookie
        let reply = self.ask(&body, reply)?;
        // Without a listener on the same port to be taken for the connection: the ports must fit.
        match reply.get(HEADER + 4..HEADER + 8) == body.get(8..12) {
            true => Ok(reply),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// How much memory of the kernel holds bytes that the Unix stream socket with this inode sent
    /// and its peer has not read. 0: the peer has read all.
    ///
    /// # Errors
    /// The kernel knows no such socket, or has no such service.
    pub(crate) fn unread(&self, inode: u32) -> io::Result<u32> {
        let mut body = vec![AddressFamily::UNIX.as_raw() as u8, 0, 0, 0];
        body.extend(u32::MAX.to_ne_bytes());
        body.extend(inode.to_ne_bytes());
        body.extend(UDIAG_SHOW_RQLEN.to_ne_bytes());
        body.extend([0xff; 8]);
        let mut reply = [0; 4096];
        let reply = self.ask(&body, &mut reply)?;
        let queues = reply.get(HEADER + 16..).and_then(|rest| attribute(rest, UNIX_DIAG_RQLEN));
        // The receive queue, then the send queue.
        queues.and_then(|queues| number(queues, 4)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn ask<'a>(&self, body: &[u8], reply: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let mut message = Vec::from(((HEADER + body.len()) as u32).to_ne_bytes());
        message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend(NLM_F_REQUEST.to_ne_bytes());
        message.extend([0; 8]); // sequence number and port: there is one request, and one who asks
        message.extend(body);
        send(&self.0, &message, SendFlags::empty())?;
        // The kernel answers within the send: there is nothing to wait for.
        let (_, got) = recv(&self.0, &mut *reply, RecvFlags::DONTWAIT)?;
        let reply = reply.get(..got).unwrap_or_default();
        let kind = reply.get(4..).and_then(|kind| kind.first_chunk());
        if kind.map(|kind| u16::from_ne_bytes(*kind)) != Some(SOCK_DIAG_BY_FAMILY) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(reply)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The value of the first attribute of this type.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(*attributes.first_chunk()?));
        let kind = u16::from_ne_bytes(*attributes.get(2..)?.first_chunk()?);
        let value = attributes.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_a_reader_has_not_read() {
        let kernel = Kernel::new().unwrap();
        for listen in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(listen) else {
                eprintln!("skipped: no {listen} here");
                continue;
            };
            let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (local, remote) = (ours.local_addr().unwrap(), ours.peer_addr().unwrap());
            ours.write_all(b"hello").unwrap();
            // Not yet accepted, and there all the same.
            let received = match kernel.received(remote, local) {
                Err(error) => return eprintln!("skipped: sock_diag says {error}"),
                Ok(received) => received,
            };
            assert_eq!(received, Received { total: 5, unread: 5 });
            let (mut theirs, _) = listener.accept().unwrap();
            theirs.read_exact(&mut [0; 3]).unwrap();
            assert_eq!(kernel.received(remote, local).unwrap(), Received { total: 5, unread: 2 });
            theirs.read_exact(&mut [0; 2]).unwrap();
            assert_eq!(kernel.received(remote, local).unwrap(), Received { total: 5, unread: 0 });
            assert!(kernel.received(remote, remote).is_err(), "no such connection");

            let us = rustix::process::geteuid().as_raw();
            assert_eq!(kernel.owner(remote, local).unwrap(), us);
            // Closed, it is still known to the kernel, and proves nothing any more.
            drop(theirs);
            assert!(kernel.owner(remote, local).is_err());
        }
    }
}
