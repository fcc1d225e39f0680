//! `poll(2)` with a deadline.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{self, PollFd, Timespec};
use rustix::io::Errno;

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
