//! Who is at the other end of a Unix stream: the kernel knows.

use std::io;
use std::os::fd::AsFd;

/// The program that connected, as `pid 4242, uid 1000`. unix(7), SO_PEERCRED
///
/// # Errors
/// `PermissionDenied` when it is another user's. The file's mode has already kept out everybody but root.
#[cfg(target_os = "linux")]
pub fn peer_of_this_user(conn: impl AsFd) -> io::Result<String> {
    let peer = rustix::net::sockopt::socket_peercred(conn)?;
    let name = format!("pid {}, uid {}", peer.pid, peer.uid);
    // In a container, all users without a number of their own show up as the same one.
    let is_anybody = diag::is_overflow_uid(peer.uid.as_raw());
    match peer.uid == rustix::process::getuid() && !is_anybody {
        true => Ok(name),
        false => {
            let what = format!("expected a program of this user, {name} came");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
        }
    }
}

/// The program that connected: without SO_PEERCRED we only know that the file's mode let
/// it in.
///
/// # Errors
/// None here; on Linux, when it is another user's.
#[cfg(not(target_os = "linux"))]
pub fn peer_of_this_user(_: impl AsFd) -> io::Result<String> {
    Ok("a program of this user".into())
}
