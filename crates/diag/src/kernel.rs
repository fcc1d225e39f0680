//! One socket of this machine, as the kernel knows it: netlink's `sock_diag(7)`, as `ss -ti` does.
//!
//! A TCP socket is found by its two addresses: who holds it open, how many bytes have arrived there,
//! and how many of them wait for a `recv`. A Unix socket is found by its inode: how much of what it
//! sent still takes up memory because its peer hasn't read it.
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
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use crate::connection::{Connection, State};
use crate::table::Row;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const HEADER: usize = 16;
const IPPROTO_TCP: u8 = 6;
/// Where the two addresses begin in a reply, and how long they are.
const ID: usize = HEADER + 4;
const ID_LEN: usize = 48;
/// Ask for `struct tcp_info` too.
const INET_DIAG_INFO: u16 = 2;
/// Where `tcpi_last_data_recv` and `tcpi_last_ack_recv`, both in milliseconds, and `tcpi_bytes_received` are in it
/// (linux/tcp.h; the last one since Linux 4.1).
const LAST_DATA_RECV: usize = 52;
const LAST_ACK_RECV: usize = 56;
const BYTES_RECEIVED: usize = 128;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
const UNIX_DIAG_RQLEN: u16 = 4;

/// What a TCP socket has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes that arrived, in all.
    pub total: u64,
    /// Bytes of them that no `recv` has taken.
    pub unread: u32,
}

/// An open line to the kernel. Ask one question at a time: an answer doesn't say which question it belongs to.
#[derive(Debug)]
pub struct Kernel(OwnedFd);

impl Kernel {
    /// Opens one.
    ///
    /// # Errors
    /// The kernel has no such service, doesn't let this process use it, or there is no descriptor left.
    pub fn new() -> io::Result<Kernel> {
        let kind = SocketType::RAW;
        let protocol = Some(netlink::SOCK_DIAG);
        Ok(Kernel(socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, protocol)?))
    }

    /// What the TCP socket bound to `local` and connected to `remote` has received.
    ///
    /// # Errors
    /// The kernel knows no such socket (it is on another machine, in another network namespace, or
    /// closed), or has no such service.
    pub fn received(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Received> {
        let mut reply = [0; 4096];
        let reply = self.about(local, remote, &mut reply)?.ok_or(io::ErrorKind::NotFound)?;
        let attributes = ID + ID_LEN + 20;
        let received = || {
            let info = attribute(reply.get(attributes..)?, INET_DIAG_INFO)?;
            let total = u64::from_ne_bytes(*info.get(BYTES_RECEIVED..)?.first_chunk()?);
            Some(Received { total, unread: number(reply, ID + ID_LEN + 4)? })
        };
        received().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The state and the queues of the TCP socket bound to `local` and connected to `remote`.
    pub(crate) fn connection(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> io::Result<Option<Connection>> {
        let mut reply = [0; 4096];
        let Some(reply) = self.about(local, remote, &mut reply)? else { return Ok(None) };
        // A listening socket has no such numbers, nor one in TIME-WAIT.
        let info = attribute(&reply[(ID + ID_LEN + 20).min(reply.len())..], INET_DIAG_INFO);
        let since = |at| {
            let ago = info.and_then(|info| number(info, at)).unwrap_or(0);
            Duration::from_millis(ago.into())
        };
        let connection = || {
            Some(Connection {
                state: State::from_kernel(*reply.get(HEADER + 1)?)?,
                // idiag_timer: 4 is the timer of the zero window probes (inet_diag.c).
                probes_window: *reply.get(HEADER + 2)? == 4,
                recv_queue: number(reply, ID + ID_LEN + 4)?,
                send_queue: number(reply, ID + ID_LEN + 8)?,
                since_data: since(LAST_DATA_RECV),
                since_ack: since(LAST_ACK_RECV),
            })
        };
        connection().map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The row of the TCP socket bound to `local` and connected to `remote`; `None` if the kernel
    /// doesn't name one.
    pub(crate) fn row(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Row>> {
        let mut reply = [0; 4096];
        let Some(reply) = self.about(local, remote, &mut reply)? else { return Ok(None) };
        let [uid, inode] = [12, 16].map(|at| number(reply, ID + ID_LEN + at));
        Ok(uid.zip(inode).map(|(uid, inode)| Row { uid, inode: inode.into() }))
    }

    fn about<'a>(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        reply: &'a mut [u8],
    ) -> io::Result<Option<&'a [u8]>> {
        let [local_ip, remote_ip] = [local, remote].map(|end| end.ip().to_canonical());
        let family = if local_ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let mut body = vec![family.as_raw() as u8, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0];
        body.extend(u32::MAX.to_ne_bytes()); // in any state
        body.extend(local.port().to_be_bytes());
        body.extend(remote.port().to_be_bytes());
        for ip in [local_ip, remote_ip] {
            match ip {
                IpAddr::V4(ip) => body.extend([ip.octets(), [0; 4], [0; 4], [0; 4]].concat()),
                IpAddr::V6(ip) => body.extend(ip.octets()),
            }
        }
        // A link-local address is complete only with its interface; other addresses need none.
        let interface = match (local, remote) {
            (SocketAddr::V6(local), SocketAddr::V6(remote)) => {
                local.scope_id().max(remote.scope_id())
            }
            _ => 0,
        };
        body.extend(interface.to_ne_bytes());
        body.extend([0xff; 8]); // whatever its cookie
        let reply = self.ask(&body, reply)?;
        // If it doesn't know the connection, the kernel returns the listener on that port.
        let [local, remote] = [(local_ip, local.port()), (remote_ip, remote.port())];
        Ok(reply.filter(|reply| ends(reply) == Some([local, remote])))
    }

    /// How much kernel memory holds bytes that the Unix stream socket with this inode sent and its peer
    /// has not read. 0: the peer has read everything.
    ///
    /// # Errors
    /// The kernel knows no such socket, or has no such service.
    pub fn unread(&self, inode: u32) -> io::Result<u32> {
        let mut body = vec![AddressFamily::UNIX.as_raw() as u8, 0, 0, 0];
        body.extend(u32::MAX.to_ne_bytes());
        body.extend(inode.to_ne_bytes());
        body.extend(UDIAG_SHOW_RQLEN.to_ne_bytes());
        body.extend([0xff; 8]);
        let mut reply = [0; 4096];
        let reply = self.ask(&body, &mut reply)?.unwrap_or_default();
        let queues = reply.get(HEADER + 16..).and_then(|rest| attribute(rest, UNIX_DIAG_RQLEN));
        // The receive queue, then the send queue.
        queues.and_then(|queues| number(queues, 4)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The reply, or `None` for an error message: there is no such socket, or no such service.
    fn ask<'a>(&self, body: &[u8], reply: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        let mut message = Vec::from(((HEADER + body.len()) as u32).to_ne_bytes());
        message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend(NLM_F_REQUEST.to_ne_bytes());
        message.extend([0; 8]); // sequence number and port: there is only one request, and only one asker
        message.extend(body);
        send(&self.0, &message, SendFlags::empty())?;
        // The kernel answers during the send: the reply is already there.
        let (_, got) = recv(&self.0, &mut *reply, RecvFlags::DONTWAIT)?;
        let reply = reply.get(..got).unwrap_or_default();
        let kind = reply.get(4..).and_then(|kind| kind.first_chunk());
        let known = kind.map(|kind| u16::from_ne_bytes(*kind)) == Some(SOCK_DIAG_BY_FAMILY);
        Ok(known.then_some(reply))
    }
}

/// The local and the remote address of the socket in a reply.
fn ends(reply: &[u8]) -> Option<[(IpAddr, u16); 2]> {
    let port = |at: usize| Some(u16::from_be_bytes(*reply.get(ID + at..)?.first_chunk()?));
    let family = AddressFamily::from_raw((*reply.get(HEADER)?).into());
    let ip = |at: usize| {
        let bytes = reply.get(ID + at..)?;
        Some(match family {
            AddressFamily::INET => Ipv4Addr::from(*bytes.first_chunk::<4>()?).into(),
            _ => IpAddr::from(Ipv6Addr::from(*bytes.first_chunk::<16>()?)).to_canonical(),
        })
    };
    Some([(ip(4)?, port(0)?), (ip(20)?, port(2)?)])
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
            // Not yet accepted, but the kernel already has it.
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
        }
    }

    #[test]
    fn a_reply_counts_only_for_the_socket_asked_for() {
        let end = |text: &str| {
            let end: SocketAddr = text.parse().unwrap();
            (end.ip(), end.port())
        };
        let mut reply = vec![0; ID + ID_LEN + 20];
        reply[HEADER] = AddressFamily::INET.as_raw() as u8;
        reply[ID..ID + 4].copy_from_slice(&[0xd4, 0x31, 0x22, 0xb8]);
        reply[ID + 4..ID + 8].copy_from_slice(&[127, 0, 0, 1]);
        reply[ID + 20..ID + 24].copy_from_slice(&[127, 0, 0, 2]);
        assert_eq!(ends(&reply), Some([end("127.0.0.1:54321"), end("127.0.0.2:8888")]));
        assert_eq!(ends(&reply[..ID + 22]), None, "a reply cut short");
    }
}
