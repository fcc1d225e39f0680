//! Whether a server is ready, according to the kernel. Connecting to find out would disturb a server that serves only
//! one peer.

#[cfg(target_os = "linux")]
use std::fs::File;
#[cfg(target_os = "linux")]
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::thread;
#[cfg(target_os = "linux")]
use std::time::Duration;

use super::port::Protocol;

/// Whether a socket listens there (TCP) or is bound there (UDP, connected to a peer or not). Linux only: on other
/// systems a server has to say so.
#[cfg(target_os = "linux")]
pub(crate) fn is_bound(protocol: Protocol, address: SocketAddr) -> bool {
    // proc(5), /proc/net/tcp: the local address and port in hex, and the state, which is 0A for a listening socket.
    let (tables, wanted) = match protocol {
        Protocol::Tcp => (["/proc/net/tcp", "/proc/net/tcp6"], Some("0A")),
        Protocol::Udp => (["/proc/net/udp", "/proc/net/udp6"], None),
    };
    let port = format!(":{:04X}", address.port());
    tables.iter().any(|table| {
        let Ok(table) = File::open(table) else { return false };
        let rows = BufReader::new(table).lines().skip(1).map_while(Result::ok);
        // The kernel lists the listening sockets first. After them there may be thousands of old connections, and
        // reading those again and again, for many cases at once, would take processor time away from the programs that
        // are starting.
        rows.map(|row| local_and_state(&row))
            .take_while(|(_, state)| wanted.is_none_or(|wanted| state == wanted))
            .any(|(local, _)| local.ends_with(&port))
    })
}

/// Whether no socket is bound there any longer.
///
/// One look isn't enough. The kernel hands out its table in pieces, and a row can be missing if other sockets come and go
/// between two of them. With a program that did nothing but open and close sockets, 9% of the looks missed ours.
#[cfg(target_os = "linux")]
pub(crate) fn is_gone(protocol: Protocol, address: SocketAddr) -> bool {
    (0..10).all(|look| {
        if look > 0 {
            thread::sleep(Duration::from_millis(5));
        }
        !is_bound(protocol, address)
    })
}

#[cfg(target_os = "linux")]
fn local_and_state(row: &str) -> (String, String) {
    let mut words = row.split_whitespace().skip(1).map(str::to_owned);
    (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default())
}

/// Whether a Unix socket listens at this path. Linux only: on other systems a server has to say so.
#[cfg(target_os = "linux")]
pub(crate) fn listens_at(path: &Path) -> bool {
    // proc(5), /proc/net/unix: the flags are the fourth word, 00010000 for a listening socket, and the path is at the
    // end. It may contain spaces.
    let Some(path) = path.to_str() else { return false };
    let path = format!(" {path}");
    let table = std::fs::read("/proc/net/unix").unwrap_or_default();
    String::from_utf8_lossy(&table)
        .lines()
        .any(|line| line.ends_with(&path) && line.split_whitespace().nth(3) == Some("00010000"))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_bound(_: Protocol, _: SocketAddr) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_gone(_: Protocol, _: SocketAddr) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn listens_at(_: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::UdpSocket;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_socket_is_not_gone_because_others_come_and_go() {
        let one = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let sockets = |count| (0..count).map(|_| one()).collect::<Vec<_>>();
        let ours = one();
        let address = ours.local_addr().unwrap();
        let _others = sockets(300);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(sockets(50));
                }
            });
            let missed = (0..1000).filter(|_| is_gone(Protocol::Udp, address)).count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(missed, 0);
        });
        drop(ours);
        // Another test may be starting a program. Until the new process has become that program, it holds a copy of our
        // socket.
        let soon = Instant::now() + Duration::from_secs(10);
        while !is_gone(Protocol::Udp, address) {
            assert!(Instant::now() < soon, "it still counts as bound");
        }
    }
}
