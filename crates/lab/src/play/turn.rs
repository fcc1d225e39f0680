//! Programs start a few at a time. Starting an interpreter takes processor time. If twenty start at once, they slow
//! each other down, and the cases that are already playing, too. Once they serve, they mostly wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// After this time the next one starts, even if this one isn't ready yet: one program that never gets ready must not
/// hold up twenty cases.
const LONGEST: Duration = Duration::from_millis(250);

/// For each turn that is still going on, when it will end.
static GIVEN: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
static ENDED: Condvar = Condvar::new();

/// The turn of one program to start. It ends when this is dropped, or by itself after [`LONGEST`].
pub(crate) struct Turn(Instant);

impl Turn {
    /// Waits for a turn: two programs per processor may be starting at the same time.
    pub(crate) fn wait() -> Turn {
        let most = 2 * thread::available_parallelism().map_or(1, usize::from);
        let mut given = lock();
        loop {
            let now = Instant::now();
            given.retain(|until| *until > now);
            let Some(next) = given.iter().min().filter(|_| given.len() >= most) else { break };
            let left = next.duration_since(now);
            given = ENDED.wait_timeout(given, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut until = Instant::now() + LONGEST;
        // A turn is identified by this moment, so no two may be the same.
        while given.contains(&until) {
            until += Duration::from_nanos(1);
        }
        given.push(until);
        Turn(until)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock().retain(|until| *until != self.0);
        ENDED.notify_one();
    }
}

fn lock() -> MutexGuard<'static, Vec<Instant>> {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_waits_until_a_turn_ends_or_has_lasted_long_enough() {
        let most = 2 * thread::available_parallelism().map_or(1, usize::from);
        let started = Instant::now();
        let mut turns: Vec<Turn> = (0..most).map(|_| Turn::wait()).collect();
        turns.pop();
        turns.push(Turn::wait());
        let one_more = Turn::wait();
        assert!(started.elapsed() >= LONGEST);
        drop(one_more);
    }
}
