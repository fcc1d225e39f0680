//! Asks the kernel for one TCP socket by its two addresses: netlink's `sock_diag(7)`, as `ss` does.
//!
//! ```text
//! request   nlmsghdr 16 | family protocol ext pad 4 | states 4 | id 48
//! reply     nlmsghdr 16 | family state timer retrans 4 | id 48 | queues 12 | uid 4 | inode 4 | …
//! id        ports 4 (big-endian) | addresses 16 + 16 | interface 4 | cookie 8; local before remote
//! ```
//!
//! Where the byte order is not named it is the machine's own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use crate::owner::Row;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const IPPROTO_TCP: u8 = 6;
const ID: usize = 48;

/// The row of the socket bound to `local` and connected to `remote`; `None` if the kernel does not
/// name one.
///
/// # Errors
/// The kernel has no such service, or does not let this process use it.
pub(crate) fn ask(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Row>> {
    // Only the kernel, or root, can send to this socket: what comes needs no other proof
    // (netlink(7)).
    let kernel = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    send(&kernel, &request(local, remote), SendFlags::empty())?;
    let mut reply = [0; 4096];
    // The kernel answers within the send: there is nothing to wait for.
    let (_, got) = recv(&kernel, &mut reply, RecvFlags::DONTWAIT)?;
    Ok(reply.get(..got).and_then(|reply| row(reply, local, remote)))
}

fn request(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let mut body = vec![family.as_raw() as u8, IPPROTO_TCP, 0, 0];
    body.extend(u32::MAX.to_ne_bytes()); // in any state
    body.extend(local.port().to_be_bytes());
    body.extend(remote.port().to_be_bytes());
    for end in [local, remote] {
        match end.ip() {
            IpAddr::V4(ip) => body.extend([ip.octets(), [0; 4], [0; 4], [0; 4]].concat()),
            IpAddr::V6(ip) => body.extend(ip.octets()),
        }
    }
    body.extend(0u32.to_ne_bytes()); // on any interface
    body.extend([0xff; 8]); // whatever its cookie

    let mut message = Vec::from((16 + body.len() as u32).to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend([0; 8]); // sequence number and port: there is one request, and one who asks
    message.extend(body);
    message
}

/// The row in a reply; `None` if it is an error ("no such socket"), or of a socket other than the
/// one asked for, such as a listener on the same port.
fn row(reply: &[u8], local: SocketAddr, remote: SocketAddr) -> Option<Row> {
    let number = |at: usize| Some(u32::from_ne_bytes(*reply.get(at..)?.first_chunk()?));
    let port = |at: usize| Some(u16::from_be_bytes(*reply.get(at..)?.first_chunk()?));
    let family = AddressFamily::from_raw((*reply.get(16)?).into());
    let ip = |at: usize| match family {
        AddressFamily::INET => {
            Some(IpAddr::from(Ipv4Addr::from(*reply.get(at..)?.first_chunk::<4>()?)))
        }
        _ => Some(
            IpAddr::from(Ipv6Addr::from(*reply.get(at..)?.first_chunk::<16>()?)).to_canonical(),
        ),
    };
    let kind = u16::from_ne_bytes(*reply.get(4..)?.first_chunk()?);
    let ends = [SocketAddr::new(ip(24)?, port(20)?), SocketAddr::new(ip(40)?, port(22)?)];
    let after_id = 16 + 4 + ID;
    (kind == SOCK_DIAG_BY_FAMILY && ends == [local, remote])
        .then_some(Row { uid: number(after_id + 12)?, inode: number(after_id + 16)?.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_only_for_the_socket_asked_for() {
        let [local, remote, other] =
            ["127.0.0.1:54321", "127.0.0.1:8888", "0.0.0.0:0"].map(|end| end.parse().unwrap());
        let reply = |to: SocketAddr| {
            let mut reply = request(local, to);
            reply[16..20].copy_from_slice(&[2, 1, 0, 0]);
            reply.drain(20..24); // what a request has before the id, and a reply does not
            reply.extend([0; 12]);
            reply.extend(1000u32.to_ne_bytes());
            reply.extend(77u32.to_ne_bytes());
            reply
        };
        assert_eq!(row(&reply(remote), local, remote), Some(Row { uid: 1000, inode: 77 }));
        assert_eq!(row(&reply(other), local, remote), None, "a listener on the same port");
        assert_eq!(row(&reply(remote)[..80], local, remote), None, "a reply cut short");
        let mut error = reply(remote);
        error[4..6].copy_from_slice(&2u16.to_ne_bytes());
        assert_eq!(row(&error, local, remote), None, "NLMSG_ERROR");
    }
}
