//! Whether a server is ready, as the kernel sees it. To try a connection would disturb a server that serves one peer only.

use std::net::SocketAddr;
use std::path::Path;

use crate::port::Protocol;

/// Whether a socket listens there (TCP) or is bound there (UDP). Linux only: elsewhere a server has to say so.
#[cfg(target_os = "linux")]
pub(crate) fn is_bound(protocol: Protocol, address: SocketAddr) -> bool {
    // proc(5), /proc/net/tcp: the local address and port in hex, and the state, 0A for one that listens, 07 for UDP.
    let (tables, wanted) = match protocol {
        Protocol::Tcp => (["/proc/net/tcp", "/proc/net/tcp6"], "0A"),
        Protocol::Udp => (["/proc/net/udp", "/proc/net/udp6"], "07"),
    };
    let port = format!(":{:04X}", address.port());
    tables.iter().any(|table| {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        table.lines().skip(1).any(|line| {
            let mut words = line.split_whitespace().skip(1);
            let (local, state) = (words.next(), words.nth(1));
            local.is_some_and(|local| local.ends_with(&port)) && state == Some(wanted)
        })
    })
}

/// Whether a Unix socket listens at this path. Linux only: elsewhere a server has to say so.
#[cfg(target_os = "linux")]
pub(crate) fn listens_at(path: &Path) -> bool {
    // proc(5), /proc/net/unix: the flags are the fourth word, 00010000 for one that listens, and the path is the last.
    let Some(path) = path.to_str() else { return false };
    let table = std::fs::read("/proc/net/unix").unwrap_or_default();
    String::from_utf8_lossy(&table).lines().any(|line| {
        let mut words = line.split_whitespace();
        words.nth(3) == Some("00010000") && words.next_back() == Some(path)
    })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_bound(_: Protocol, _: SocketAddr) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn listens_at(_: &Path) -> bool {
    false
}
