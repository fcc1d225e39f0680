//! Programs start a few at a time. To start an interpreter is work, and twenty that start at once keep each other, and the
//! cases that play already, from the processor; once they serve they mostly wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// After this time the next one starts, even if this one has not got ready: a program that never does must not keep twenty
/// cases waiting for each other.
const LONGEST: Duration = Duration::from_millis(250);

/// Until when the turns last that were given and not yet ended.
static GIVEN: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
static ENDED: Condvar = Condvar::new();

/// The turn of one program to start. It ends when this is dropped, or by itself after a moment.
pub(crate) struct Turn(Instant);

impl Turn {
    /// Waits for a turn: two programs may start at once for each processor.
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
        // The moment is the turn's name as well: no two are the same.
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
