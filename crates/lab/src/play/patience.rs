//! How long the checker waits for a program: a number of seconds, not counting those in which the machine made the
//! program wait.
//!
//! When a whole class is graded at once, a program may spend more time waiting for a processor than running. That isn't
//! its fault, and the verdict must not depend on it. So when a wait is over, it is extended by the time that the
//! program has been queued for a processor; a program that hangs isn't queued. How long its children were queued is no
//! longer known once they have ended, so on a crowded machine every wait is extended. Linux only; on other systems
//! there are just the seconds.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long the checker waits for one thing that the program should do: send bytes, end a stream, exit.
///
/// A correct program answers within milliseconds. The limit is this long for machines on which a whole class is graded
/// at once. All cases run at the same time, so a program that hangs in each costs little more than this once.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long the program may take to listen or connect. `cargo run` builds it first.
pub const START_TIMEOUT: Duration = Duration::from_secs(8);

/// How long one case may take in all once the program is ready, even if bytes keep arriving slowly, unless it is given
/// more.
const CASE: Duration = Duration::from_secs(8);
/// How much longer than that a case may take on a busy machine.
const MOST: Duration = Duration::from_secs(40);
/// How much a wait is extended, each time, on a crowded machine.
const CROWDED: Duration = Duration::from_secs(2);
/// Anything below this doesn't count as having been kept waiting.
const LEAST: Duration = Duration::from_millis(50);

/// The time of one case, shared by all its waits.
pub(crate) struct Patience {
    pid: Cell<Option<u32>>,
    /// How long the program had waited for a processor when we last looked.
    seen: Cell<Duration>,
    given: Cell<Duration>,
    deadline: Cell<Instant>,
}

/// One wait: it is over at some moment, unless the machine made the program wait.
pub(crate) struct Wait<'a> {
    patience: &'a Patience,
    until: Instant,
}

impl Patience {
    pub fn new() -> Patience {
        Patience {
            pid: Cell::new(None),
            seen: Cell::default(),
            given: Cell::default(),
            deadline: Cell::new(Instant::now() + CASE),
        }
    }

    /// From now on, the program is this process.
    pub fn with(&self, pid: u32) {
        self.pid.set(Some(pid));
        self.seen.set(Duration::ZERO);
    }

    /// The program is ready: the case begins.
    pub fn begin(&self) {
        self.allow(CASE);
    }

    /// From now on, the case may take this long.
    pub fn allow(&self, time: Duration) {
        self.deadline.set(Instant::now() + time);
    }

    /// From now on, the case has its usual time, or what is left of a longer one.
    pub fn extend(&self) {
        self.deadline.set(self.deadline.get().max(Instant::now() + CASE));
    }

    /// How long the program and everything it started have run or waited for a processor so far.
    pub fn busy(&self) -> Duration {
        self.pid.get().map_or(Duration::ZERO, kernel::busy)
    }

    /// Whether the program was started and has ended. Known only on Linux.
    pub fn has_ended(&self) -> bool {
        self.pid.get().is_some_and(kernel::has_ended)
    }

    /// Whether a thread of the program, or of anything it started, is not stopped yet.
    pub fn runs(&self) -> bool {
        self.pid.get().is_some_and(kernel::runs)
    }

    /// Whether the time of the whole case is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline.get()
    }

    /// The program's process, once it has been started.
    pub fn pid(&self) -> Option<u32> {
        self.pid.get()
    }

    /// How long the program and everything it started have waited for a processor so far.
    pub fn queued(&self) -> Duration {
        self.pid.get().map_or(Duration::ZERO, kernel::queued)
    }

    /// A wait of this long, or until the case is over.
    pub fn wait(&self, within: Duration) -> Wait<'_> {
        Wait { patience: self, until: (Instant::now() + within).min(self.deadline.get()) }
    }

    /// A wait for the program to be ready. It doesn't count towards the time of the case.
    pub fn wait_ready(&self, within: Duration) -> Wait<'_> {
        Wait { patience: self, until: Instant::now() + within }
    }

    /// How much time the machine owes the program since this was last asked.
    fn owed(&self) -> Duration {
        let queued = self.queued();
        let new = queued.saturating_sub(self.seen.get());
        self.seen.set(queued);
        let new = new.min(MOST.saturating_sub(self.given.get()));
        let left = MOST.saturating_sub(self.given.get());
        let new = if new < LEAST && is_crowded() { CROWDED.min(left) } else { new };
        if new < LEAST {
            return Duration::ZERO;
        }
        self.given.set(self.given.get() + new);
        self.deadline.set(self.deadline.get().max(Instant::now()) + new);
        new
    }
}

impl Wait<'_> {
    /// When to look again.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Whether the program has used up its time.
    pub fn is_over(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.until {
            self.until = now + self.patience.owed();
        }
        now >= self.until
    }
}

/// What the kernel knows about a program and everything it started.
#[cfg(target_os = "linux")]
mod kernel {
    use std::time::Duration;

    use crate::sandbox::{family, is_alive, ran_and_waited};

    /// How long they have waited for a processor.
    pub fn queued(pid: u32) -> Duration {
        family(pid).into_iter().map(|pid| ran_and_waited(pid)[1]).sum()
    }

    /// How long they have run or waited for a processor.
    pub fn busy(pid: u32) -> Duration {
        family(pid).into_iter().flat_map(ran_and_waited).sum()
    }

    pub fn runs(pid: u32) -> bool {
        family(pid).into_iter().any(crate::sandbox::runs)
    }

    pub fn has_ended(pid: u32) -> bool {
        !rustix::process::Pid::from_raw(pid.cast_signed()).is_some_and(is_alive)
    }
}

/// Other systems don't say.
#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::time::Duration;

    pub fn queued(_: u32) -> Duration {
        Duration::ZERO
    }

    pub fn busy(_: u32) -> Duration {
        Duration::ZERO
    }

    pub fn runs(_: u32) -> bool {
        false
    }

    pub fn has_ended(_: u32) -> bool {
        false
    }
}

/// Whether more than four threads per processor are ready to run, now and a moment later. Our own threads all wake up
/// when their time is over, but a moment later they are asleep again.
#[cfg(target_os = "linux")]
fn is_crowded() -> bool {
    let most = 4 * std::thread::available_parallelism().map_or(1, usize::from);
    (0..4).all(|_| {
        std::thread::sleep(Duration::from_millis(10));
        // proc(5), /proc/loadavg: three averages, then the number of runnable threads and of all threads.
        let line = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let running = line.split_whitespace().nth(3).and_then(|word| word.split_once('/'));
        running.and_then(|(running, _)| running.parse().ok()).unwrap_or(0) > most
    })
}

#[cfg(not(target_os = "linux"))]
fn is_crowded() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_given_no_more_time() {
        let patience = Patience::new();
        // Only other processes that crowd this machine could give it more time, and there is a limit to that.
        let given: Duration =
            std::iter::repeat_with(|| patience.owed()).take_while(|new| !new.is_zero()).sum();
        assert!(given <= MOST && (given.is_zero() || given >= LEAST), "{given:?}");
        let patience = Patience::new();
        assert!(patience.wait(CASE * 2).until() <= Instant::now() + CASE);
    }

    /// This test plays the program: it runs more threads than the machine has processors.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_stands_in_the_queue_is_given_that_time() {
        let patience = Patience::new();
        patience.with(std::process::id());
        let threads = 4 * std::thread::available_parallelism().map_or(1, usize::from);
        let busy = Instant::now() + Duration::from_millis(300);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| while Instant::now() < busy {});
            }
            while Instant::now() < busy {}
            assert!(!patience.wait(Duration::ZERO).is_over());
        });
    }
}
