//! Who holds the other end of a connection?

use std::io;
use std::os::fd::AsFd;

/// Who holds the other end of a connection, as far as this machine's kernel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A process of the user who asks.
    ThisUser,
    /// A process of another user.
    AnotherUser,
    /// Nobody: the connection comes from this machine, but its other end is closed by now. The
    /// kernel doesn't keep whose it was.
    Nobody,
    /// A user that the kernel can't name here. All such users have the same [overflow
    /// id](is_overflow_uid), in a container for example, so it proves nothing.
    Unmapped,
    /// The connection comes from another machine, or from another network namespace of this one.
    Elsewhere,
    /// This system doesn't tell.
    NotTold,
}

/// Whose the peer of a connected TCP or Unix socket is; `us` is the user id to compare with.
///
/// Whenever the kernel knows the peer's socket, that socket's owner decides, whatever addresses the
/// two ends have. If it knows no such socket, the connection still comes from this machine if our
/// end is a loopback address or the peer's address is one of this machine's.
///
/// # Errors
/// The connection comes from this machine, but the kernel can't be asked. Treat it as a stranger's.
pub fn whose(socket: impl AsFd, us: u32) -> io::Result<Whose> {
    system::whose(socket.as_fd(), us)
}

/// Whether a user id is the one that Linux shows for every user it can't name in this user
/// namespace (user_namespaces(7)). It is usually `nobody`'s, 65534.
pub fn is_overflow_uid(uid: u32) -> bool {
    system::overflow_uid() == Some(uid)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io;
    use std::net::{SocketAddr, UdpSocket};
    use std::os::fd::BorrowedFd;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use rustix::io::Errno;
    use rustix::net::sockopt::{socket_domain, socket_peercred};
    use rustix::net::{AddressFamily, getpeername, getsockname};

    use super::Whose;
    use crate::kernel::Kernel;
    use crate::table::{self, Row};

    pub(super) fn whose(socket: BorrowedFd<'_>, us: u32) -> io::Result<Whose> {
        if socket_domain(socket)? == AddressFamily::UNIX {
            return Ok(compare(socket_peercred(socket)?.uid.as_raw(), us));
        }
        let here: SocketAddr = getsockname(socket)?.try_into()?;
        let there: SocketAddr = match getpeername(socket) {
            Ok(Some(there)) => there.try_into()?,
            // The peer has already reset the connection.
            Ok(None) | Err(Errno::NOTCONN) => return Ok(Whose::Nobody),
            Err(error) => return Err(error.into()),
        };
        match look_up(there, here) {
            Ok(Some(Row { uid, inode })) if inode != 0 => Ok(compare(uid, us)),
            // A closed socket lingers in the table with inode 0 and **uid 0**: it isn't root's!
            Ok(Some(_)) => Ok(Whose::Nobody),
            unknown => match (is_ours(here, there)?, unknown) {
                (false, _) => Ok(Whose::Elsewhere),
                (true, Ok(_)) => Ok(Whose::Nobody),
                (true, Err(error)) => Err(error),
            },
        }
    }

    pub(super) fn compare(uid: u32, us: u32) -> Whose {
        match uid {
            _ if super::is_overflow_uid(uid) => Whose::Unmapped,
            _ if uid == us => Whose::ThisUser,
            _ => Whose::AnotherUser,
        }
    }

    /// Whether a connection between these two ends comes from this machine.
    pub(super) fn is_ours(here: SocketAddr, there: SocketAddr) -> io::Result<bool> {
        if here.ip().to_canonical().is_loopback() || there.ip().to_canonical().is_loopback() {
            return Ok(true);
        }
        // bind succeeds only for an address of this machine. Nothing is sent.
        let mut probe = there;
        probe.set_port(0);
        match UdpSocket::bind(probe) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The row of the socket bound to `local` and connected to `remote`.
    fn look_up(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Row>> {
        /// Opened once and kept, so that there is a descriptor to ask with even when they run out.
        static KERNEL: Mutex<Option<Kernel>> = Mutex::new(None);
        let mut line = KERNEL.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_none() {
            *line = Kernel::new().ok();
        }
        if let Some(kernel) = line.as_ref() {
            match kernel.row(local, remote) {
                Ok(Some(row)) => return Ok(Some(row)),
                // "No such socket" and "no such service" are the same answer. But our own end is
                // there: a kernel that shows it has the service, and the slow list isn't needed.
                Ok(None) if matches!(kernel.row(remote, local), Ok(Some(_))) => return Ok(None),
                Ok(None) => {}
                Err(_) => *line = None,
            }
        }
        drop(line);
        let [local, remote] =
            [local, remote].map(|end| SocketAddr::new(end.ip().to_canonical(), end.port()));
        table::list(local, remote)
    }

    pub(super) fn overflow_uid() -> Option<u32> {
        static UID: OnceLock<u32> = OnceLock::new();
        let read = || {
            let text = fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?;
            text.trim().parse().ok()
        };
        // Without /proc: Linux's default.
        Some(*UID.get_or_init(|| read().unwrap_or(65_534)))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::os::fd::BorrowedFd;

    use super::Whose;

    pub(super) fn whose(_: BorrowedFd<'_>, _: u32) -> io::Result<Whose> {
        Ok(Whose::NotTold)
    }

    pub(super) fn overflow_uid() -> Option<u32> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::kernel::Kernel;
    use crate::table;

    fn us() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// Every form a connection on this machine can have, through both doors to the kernel's table:
    /// open, then closed by the client.
    #[test]
    fn the_kernel_knows_whose_a_connection_is_whatever_its_addresses() {
        for (listen, connect) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "[::ffff:127.0.0.1]"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("127.9.8.7", "127.9.8.7"),
            ("[::1]", "[::1]"),
        ] {
            let Ok(listener) = TcpListener::bind(format!("{listen}:0")) else {
                eprintln!("skipped: no {listen} here");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let client = TcpStream::connect(format!("{connect}:{port}")).unwrap();
            let (server, peer) = listener.accept().unwrap();
            let local = server.local_addr().unwrap();
            let ends =
                [peer, local].map(|end| SocketAddr::new(end.ip().to_canonical(), end.port()));

            let listed = table::list(ends[0], ends[1]).unwrap().expect("listed");
            assert_eq!(listed.uid, us());
            assert_ne!(listed.inode, 0);
            match Kernel::new().and_then(|kernel| kernel.row(ends[0], ends[1])) {
                Ok(asked) => assert_eq!(asked, Some(listed), "{listen} {connect}"),
                Err(error) => eprintln!("skipped: sock_diag says {error}"),
            }
            assert_eq!(whose(&server, us()).unwrap(), Whose::ThisUser);
            assert_eq!(whose(&server, us() + 1).unwrap(), Whose::AnotherUser);

            drop(client);
            assert_eq!(table::list(ends[0], ends[1]).unwrap().map_or(0, |row| row.inode), 0);
            assert_eq!(whose(&server, us()).unwrap(), Whose::Nobody, "{listen} {connect}: closed");
        }
    }

    #[test]
    fn a_connection_is_this_machine_s_if_an_address_says_so() {
        for (here, there, ours) in [
            ("127.0.0.1:80", "192.0.2.77:5000", Some(true)),
            ("192.0.2.1:80", "127.0.0.2:5000", Some(true)),
            ("[::ffff:192.0.2.1]:80", "[::ffff:127.0.0.1]:5000", Some(true)),
            ("[::ffff:127.0.0.1]:80", "[::ffff:192.0.2.77]:5000", Some(true)),
            ("[::1]:80", "[2001:db8::1]:5000", Some(true)),
            // No machine has the documentation addresses (RFC 5737, RFC 3849).
            ("192.0.2.1:80", "192.0.2.77:5000", Some(false)),
            ("[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.77]:5000", Some(false)),
            // Link-local without an interface: we can't know, and that isn't a "no".
            ("[2001:db8::1]:80", "[fe80::1]:5000", None),
        ] {
            let [here, there] = [here, there].map(|end| end.parse().unwrap());
            assert_eq!(system::is_ours(here, there).ok(), ours, "{here} {there}");
        }
    }

    #[test]
    fn whom_a_number_names() {
        assert_eq!(system::compare(1000, 1000), Whose::ThisUser);
        assert_eq!(system::compare(0, 1000), Whose::AnotherUser);
        let overflow = system::overflow_uid().unwrap();
        assert_eq!(system::compare(overflow, overflow), Whose::Unmapped);
        assert_eq!(system::compare(overflow, 0), Whose::Unmapped);
    }

    /// A row only in the second list, a row in the first, and a row that two readings of the list don't find.
    #[test]
    fn the_list_has_what_the_kernel_has() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let ends = [client.local_addr().unwrap(), client.peer_addr().unwrap()];
        let row = table::list(ends[0], ends[1]).unwrap().unwrap();
        assert_eq!(row.uid, us());
        let other_end = table::list(ends[1], ends[0]).unwrap().unwrap();
        assert_ne!(row.inode, other_end.inode);
        let nowhere = "192.0.2.77:9".parse().unwrap();
        assert_eq!(table::list(ends[0], nowhere).unwrap(), None);
        assert_eq!(table::list(nowhere, ends[1]).unwrap(), None);
    }

    #[test]
    fn the_overflow_id_is_nobody_in_particular() {
        let overflow = (0..100_000).find(|uid| is_overflow_uid(*uid));
        let text = std::fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap();
        assert_eq!(overflow.unwrap().to_string(), text.trim());
        assert!(!is_overflow_uid(0));
    }

    #[test]
    fn a_unix_peer_tells_its_user() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert_eq!(whose(&ours, us()).unwrap(), Whose::ThisUser);
        assert_eq!(whose(&ours, us() + 1).unwrap(), Whose::AnotherUser);
    }
}
