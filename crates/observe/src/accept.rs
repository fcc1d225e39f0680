//! What a failed `accept` asks of a server: nearly always to go on.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use tracing::warn;

use crate::Failure;

/// Decides what to do after `accept` failed.
///
/// A connection that broke before it was taken, or trouble on the network, concerns one peer:
/// accept(2) says to treat it like `EAGAIN` and try again. Where descriptors or memory have run
/// out, trying again at once would spin at 100 % of a processor while the connection waits in the
/// queue, so each try comes later than the last: 5 ms, doubled up to 1 s.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    /// How much pausing has passed since the log last said so.
    unsaid: Option<Duration>,
}

const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

impl Backoff {
    /// What `accept` brought; `None` if it failed and is worth another try, after the pause that this takes.
    ///
    /// # Errors
    /// When the listening socket is no longer usable.
    pub fn check<T>(&mut self, accepted: io::Result<T>) -> Result<Option<T>, Failure> {
        match accepted {
            Ok(accepted) => {
                self.reset();
                Ok(Some(accepted))
            }
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
                // One line a second, not one a try.
                if self.unsaid.is_none_or(|unsaid| unsaid >= LONGEST) {
                    warn!(%error, "accept failed: nobody new is served until some connection ends");
                    self.unsaid = Some(Duration::ZERO);
                }
                self.unsaid = self.unsaid.map(|unsaid| unsaid + pause);
                Some(pause)
            }
            // EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM (a firewall) and their kin.
            _ => Some(Duration::ZERO),
        }
    }

    /// An `accept` succeeded: the next failure is a first one again.
    pub fn reset(&mut self) {
        *self = Backoff::default();
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
    fn a_listener_that_is_none_is_the_end() {
        for errno in [Errno::BADF, Errno::INVAL, Errno::NOTSOCK] {
            assert_eq!(after(&mut Backoff::default(), errno), None, "{errno}");
        }
    }
}
