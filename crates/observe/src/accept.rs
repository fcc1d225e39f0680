//! What a server should do when `accept` fails: nearly always, go on.

use std::fmt::Display;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tracing::warn;

use crate::Failure;

/// Decides what to do after `accept` failed.
///
/// A connection that broke before it was accepted, or a fault in the network, concerns one peer:
/// accept(2) says to treat it like `EAGAIN` and try again. If descriptors or memory have run
/// out, trying again at once would keep a processor 100 % busy while the connection waits in the
/// queue, so the pause before each try gets longer: 5 ms, doubled up to 1 s.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    /// When we last wrote a line into the log.
    said: Option<Instant>,
}

const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);
/// The log gets at most one line in this time, not one for each try.
const QUIET: Duration = Duration::from_secs(1);

impl Backoff {
    /// What `accept` returned; `None` if it failed and is worth another try. Then this pauses first.
    ///
    /// # Errors
    /// When the listening socket is no longer usable.
    pub fn check<T>(&mut self, accepted: io::Result<T>) -> Result<Option<T>, Failure> {
        let accepted = self.check_part(accepted)?;
        if accepted.is_some() {
            self.reset();
        }
        Ok(accepted)
    }

    /// As [`check`](Self::check), for when more than `accept` has to succeed: call [`reset`](Self::reset) once
    /// everything has.
    ///
    /// # Errors
    /// The same.
    pub fn check_part<T>(&mut self, accepted: io::Result<T>) -> Result<Option<T>, Failure> {
        match accepted {
            Ok(accepted) => Ok(Some(accepted)),
            Err(error) => match self.after(&error) {
                Some(pause) => {
                    thread::sleep(pause);
                    Ok(None)
                }
                None => Err(Failure::system("accepting connections")(error)),
            },
        }
    }

    /// How long to pause before the next `accept`, zero included; `None` when there is no point in
    /// another.
    pub fn after(&mut self, error: &io::Error) -> Option<Duration> {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP | Errno::FAULT) => {
                None
            }
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                let pause = (FIRST * 2u32.saturating_pow(self.failures)).min(LONGEST);
                self.failures += 1;
                self.warn("accept failed: nobody new is served until some connection ends", error);
                Some(pause)
            }
            // EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM (a firewall) and the like.
            _ => Some(Duration::ZERO),
        }
    }

    /// Logs what failed, but at most once a second, since clients decide how often it fails.
    pub fn warn(&mut self, what: &str, error: impl Display) {
        if self.said.is_none_or(|said| said.elapsed() >= QUIET) {
            warn!(%error, "{what}");
            self.said = Some(Instant::now());
        }
    }

    /// An `accept` succeeded: the next failure is a first one again. `said` stays, because the next failure may follow at
    /// once and must not log a second line.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(backoff: &mut Backoff, errno: Errno) -> Option<Duration> {
        backoff.after(&io::Error::from(errno))
    }

    #[test]
    fn passing_trouble_is_retried_at_once() {
        let mut backoff = Backoff::default();
        for errno in [
            Errno::INTR,
            Errno::CONNABORTED,
            Errno::PROTO,
            Errno::NETDOWN,
            Errno::HOSTUNREACH,
            Errno::NETUNREACH,
            Errno::PERM,
            Errno::AGAIN,
        ] {
            assert_eq!(after(&mut backoff, errno), Some(Duration::ZERO), "{errno}");
        }
    }

    #[test]
    fn exhaustion_is_waited_out_longer_and_longer() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..40).filter_map(|_| after(&mut backoff, Errno::MFILE)).collect();
        assert_eq!(pauses[0], FIRST);
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&LONGEST));
        backoff.reset();
        assert_eq!(after(&mut backoff, Errno::NOMEM), Some(FIRST));
    }

    #[test]
    fn a_success_between_two_failures_brings_no_second_line() {
        let mut backoff = Backoff::default();
        after(&mut backoff, Errno::MFILE);
        let said = backoff.said;
        backoff.reset();
        after(&mut backoff, Errno::MFILE);
        // Unless this test was held up for so long that a second line is due.
        assert!(said.is_some_and(|said| backoff.said == Some(said) || said.elapsed() >= QUIET));
    }

    #[test]
    fn a_listener_that_is_none_is_the_end() {
        for errno in [Errno::BADF, Errno::INVAL, Errno::NOTSOCK] {
            assert_eq!(after(&mut Backoff::default(), errno), None, "{errno}");
        }
    }
}
