//! How long the checker waits for a program: seconds, but not those in which the machine let it wait.
//!
//! Where a whole class is graded at once, a program may stand ready to run for longer than it runs. That is not its fault,
//! and the verdict must not depend on it. So a wait that is over is prolonged by the time that the program has stood in
//! the queue for a processor; one that hangs stands in no queue. What its children waited is not known once they have ended,
//! so where a crowd stands in the queue every wait is prolonged. Linux only; elsewhere the seconds are all there is.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long the checker waits for one thing the program should do: bytes, an end, its exit.
///
/// A right program answers within milliseconds; this is for machines on which a whole class is graded at once. All cases
/// run side by side, so a program that hangs in each costs little more than this once.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long the program may take until it listens or connects. `cargo run` builds first.
pub const START_TIMEOUT: Duration = Duration::from_secs(8);

/// How long one case may take in all once the program is ready, however slowly it drips; unless it is given more.
const CASE: Duration = Duration::from_secs(8);
/// How much longer than that the machine may make it.
const MOST: Duration = Duration::from_secs(40);
/// How much longer it waits, each time, where a crowd stands in the queue.
const CROWDED: Duration = Duration::from_secs(2);
/// What is less is no shortage.
const LEAST: Duration = Duration::from_millis(50);

/// The time of one case, shared by all who wait in it.
pub(crate) struct Patience {
    pid: Cell<Option<u32>>,
    /// For how much standing in the queue time was given already.
    seen: Cell<Duration>,
    given: Cell<Duration>,
    deadline: Cell<Instant>,
}

/// One wait: over at a moment, unless it was the machine.
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

    /// The program is this process from now on.
    pub fn with(&self, pid: u32) {
        self.pid.set(Some(pid));
        self.seen.set(Duration::ZERO);
    }

    /// The program is ready: the case begins.
    pub fn begin(&self) {
        self.allow(CASE);
    }

    /// From now on the case may take so long.
    pub fn allow(&self, time: Duration) {
        self.deadline.set(Instant::now() + time);
    }

    /// The case has its usual time from now on, or what is left of a longer one.
    pub fn extend(&self) {
        self.deadline.set(self.deadline.get().max(Instant::now() + CASE));
    }

    /// How long the program and what it started ran or wanted to run, so far.
    pub fn busy(&self) -> Duration {
        self.pid.get().map_or(Duration::ZERO, kernel::busy)
    }

    /// Whether the program was started and has ended. Only Linux tells.
    pub fn has_ended(&self) -> bool {
        self.pid.get().is_some_and(kernel::has_ended)
    }

    /// Whether a thread of the program, or of what it started, has not been stopped.
    pub fn runs(&self) -> bool {
        self.pid.get().is_some_and(kernel::runs)
    }

    /// Whether the time of the whole case is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline.get()
    }

    /// The program's process, once it was started.
    pub fn pid(&self) -> Option<u32> {
        self.pid.get()
    }

    /// How long the program and what it started have stood in the queue for a processor, so far.
    pub fn queued(&self) -> Duration {
        self.pid.get().map_or(Duration::ZERO, kernel::queued)
    }

    /// A wait of so long, or until the case is over.
    pub fn wait(&self, within: Duration) -> Wait<'_> {
        Wait { patience: self, until: (Instant::now() + within).min(self.deadline.get()) }
    }

    /// A wait for the program to be ready. It counts for no case.
    pub fn wait_ready(&self, within: Duration) -> Wait<'_> {
        Wait { patience: self, until: Instant::now() + within }
    }

    /// How much time the machine owes the program since it was last asked.
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

    /// Whether the program has had its time.
    pub fn is_over(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.until {
            self.until = now + self.patience.owed();
        }
        now >= self.until
    }
}

/// What the kernel knows of a program and of all that it started.
#[cfg(target_os = "linux")]
mod kernel {
    use std::time::Duration;

    use crate::sandbox::{family, is_alive, ran_and_waited};

    /// How long they have stood in the queue for a processor.
    pub fn queued(pid: u32) -> Duration {
        family(pid).into_iter().map(|pid| ran_and_waited(pid)[1]).sum()
    }

    /// How long they ran or could have run.
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

/// Elsewhere nobody tells.
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

/// Whether for each processor of the machine more than four threads could run, now and a moment later: our own, which all
/// wake when their time is over, are asleep again then.
#[cfg(target_os = "linux")]
fn is_crowded() -> bool {
    let most = 4 * std::thread::available_parallelism().map_or(1, usize::from);
    (0..4).all(|_| {
        std::thread::sleep(Duration::from_millis(10));
        // proc(5), /proc/loadavg: three averages, and the threads that can run out of all.
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
        // Only a crowd on this machine could give it any, and that has an end.
        let given: Duration =
            std::iter::repeat_with(|| patience.owed()).take_while(|new| !new.is_zero()).sum();
        assert!(given <= MOST && (given.is_zero() || given >= LEAST), "{given:?}");
        let patience = Patience::new();
        assert!(patience.wait(CASE * 2).until() <= Instant::now() + CASE);
    }

    /// This test is the program: it runs more threads than the machine has processors.
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
