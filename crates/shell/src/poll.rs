//! `poll(2)` with a deadline.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::io::{Errno, ioctl_fionbio};

/// The longest single wait: some systems refuse more than 24 days of milliseconds.
const LONGEST: Duration = Duration::from_secs(3600);

/// Waits until one of `fds` is ready (true) or `deadline` has passed (false). A signal does not end
/// the wait.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn poll(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline
            .map_or(LONGEST, |at| at.saturating_duration_since(Instant::now()).min(LONGEST));
        match event::poll(fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) if deadline.is_some_and(|at| at <= Instant::now()) => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Calls `write` until it is done, with `fd` in non-blocking mode meanwhile. Where it would block, it
/// is called again as soon as `fd` takes bytes; a peer who takes none for `patience` does not read.
///
/// A write timeout of the socket (SO_SNDTIMEO) does not say that: a send that took some bytes before
/// its time was up is a success, and the next one may wait as long again. With 30 s, a peer who
/// never read held a server for 94 s.
///
/// # Errors
/// [`TimedOut`](io::ErrorKind::TimedOut) when the patience is over; and what `write` says.
pub fn patiently(
    fd: impl AsFd,
    patience: Duration,
    mut write: impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    ioctl_fionbio(&fd, true)?;
    let done = loop {
        match write() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let until = Instant::now().checked_add(patience);
                match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], until) {
                    Ok(true) => {}
                    Ok(false) => break Err(io::ErrorKind::TimedOut.into()),
                    Err(error) => break Err(error),
                }
            }
            done => break done,
        }
    };
    ioctl_fionbio(&fd, false)?;
    done
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    #[test]
    fn a_peer_who_does_not_read_is_given_up() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let written = patiently(&ours, Duration::from_millis(50), || {
            loop {
                (&ours).write_all(&[0; 4096])?;
            }
        });
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_peer_who_reads_gets_everything() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let reader = thread::spawn(move || theirs.read_to_end(&mut Vec::new()).unwrap());
        let mut message = proto::Outgoing::new([vec![0; 3 << 20], vec![0; 7]]);
        patiently(&ours, Duration::from_secs(60), || message.write_to(&mut &ours)).unwrap();
        drop(ours);
        assert_eq!(reader.join().unwrap(), (3 << 20) + 7);
    }
}
