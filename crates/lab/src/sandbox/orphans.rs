//! Nothing that a submission started outlives its check, and no submission looks into a checker.
//!
//! Ending a process group is not enough: `setsid` leaves the group, and a double fork leaves the parent too. On Linux we
//! are made the parent of every descendant that has lost its own (prctl(2), PR_SET_CHILD_SUBREAPER), so each of them can
//! be found in /proc from us downwards. Elsewhere only the process groups are ended; what leaves its group stays.

#[cfg(target_os = "linux")]
use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, child_subreaper, getpid, kill_process,
    set_child_subreaper, set_dumpable_behavior, waitpid,
};

#[cfg(target_os = "linux")]
use super::processes::{State, children, descendants, state};

/// How long we try to end what was left. What withstands so long belongs to another user, or hangs in the kernel.
#[cfg(target_os = "linux")]
const LONGEST: Duration = Duration::from_secs(10);

/// Makes this process the parent of every descendant whose own parent ends. For a program's first lines.
///
/// On Linux only; elsewhere nothing happens.
pub fn become_subreaper() {
    #[cfg(target_os = "linux")]
    // Kernels know it since 3.4. Where it is refused, what daemonises escapes, and no verdict changes.
    let _ = set_child_subreaper(Some(getpid()));
}

/// Closes this process to other programs of the same user, root's aside: its memory, its environment, and the files and pipes
/// that it has open. For a program's first lines.
///
/// Without it a submission opens `/proc/PID/fd/1` of the check that judges it, and writes its own report there (proc(5),
/// and prctl(2), `PR_SET_DUMPABLE`). On Linux only; elsewhere nothing happens.
pub fn forbid_inspection() {
    #[cfg(target_os = "linux")]
    // Only ever refused where it makes no sense.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Kills every descendant of this process until there is none, for some seconds at most, and returns how many are left.
/// Our own watchdog ([`ending::watchdog`]) is not one of them.
///
/// For the end of a check, when nothing that this process started is wanted any more. On Linux only; elsewhere nothing
/// happens.
pub fn end_descendants() -> usize {
    #[cfg(target_os = "linux")]
    return end_descendants_but(&[], LONGEST);
    #[cfg(not(target_os = "linux"))]
    0
}

/// Kills what this process has adopted, and leaves alone the children with these numbers and what they started. Returns
/// how many are left.
///
/// One that does not adopt has nothing to look for: its other children are somebody else's business.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "nobody is adopted"))]
pub(crate) fn end_orphans(kept: &[u32]) -> usize {
    #[cfg(target_os = "linux")]
    if child_subreaper().is_ok_and(|adopts| adopts.is_some()) {
        return end_descendants_but(kept, LONGEST);
    }
    0
}

#[cfg(target_os = "linux")]
fn end_descendants_but(kept: &[u32], longest: Duration) -> usize {
    let kept: Vec<u32> = kept.iter().copied().chain(ending::watchdog()).collect();
    let deadline = Instant::now() + longest;
    // First nothing may run any more: what forks as fast as it can would always be ahead of the one who kills.
    stop(&kept, Instant::now() + longest / 2);
    loop {
        let found = descendants(getpid(), &kept);
        if found.is_empty() || Instant::now() > deadline {
            return found.len();
        }
        for process in &found {
            let _ = kill_process(process.pid, Signal::KILL);
            if process.state == State::Dead {
                // Not ours to reap while its parent lives; that has just been killed, and then it is.
                reap(process.pid);
            }
        }
        // What was killed needs a moment to be gone.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Stops (SIGSTOP) every descendant, until a look finds none that runs.
///
/// A process that stands still starts no other. But one that forks and ends at once, again and again, lives much shorter
/// than a look at all processes takes. It becomes a child of ours, or of one that was sent the signal already, and these
/// are found at once; see [`Chase`].
#[cfg(target_os = "linux")]
fn stop(kept: &[u32], deadline: Instant) {
    let mut chase = Chase { kept, sent: HashSet::new(), running: HashSet::new() };
    while Instant::now() < deadline {
        chase.stop_until_nobody_is_new(deadline);
        let mut runs = false;
        for process in descendants(getpid(), kept) {
            match process.state {
                State::Stopped | State::Dead => continue,
                // A parent waits like this until its vfork(2) is done: it may have to wait for one that is stopped.
                State::Busy if chase.sent.contains(&process.pid) => continue,
                State::Busy | State::Runs => runs |= chase.stop(process.pid),
            }
        }
        if !runs {
            return;
        }
    }
}

/// Stops processes that start others meanwhile.
#[cfg(target_os = "linux")]
struct Chase<'a> {
    kept: &'a [u32],
    /// Those that were sent SIGSTOP. What has ended is forgotten: its number may soon be another's.
    sent: HashSet<Pid>,
    /// Those of them that have not been seen standing still: one may be in the middle of a fork(2), and have a child that
    /// we haven't seen.
    running: HashSet<Pid>,
}

#[cfg(target_os = "linux")]
impl Chase<'_> {
    /// Goes through all that may have new children, until none has.
    fn stop_until_nobody_is_new(&mut self, deadline: Instant) {
        let us = getpid();
        let mut goes_on = true;
        while goes_on && Instant::now() < deadline {
            goes_on = self.stop_children(us);
            let running: Vec<Pid> = self.running.iter().copied().collect();
            for pid in running {
                if Instant::now() > deadline {
                    return;
                }
                goes_on |= self.settle(pid);
                // Ours again each time: a new one may have ended before we are through with the others.
                goes_on |= self.stop_children(us);
            }
        }
    }

    /// Looks whether a process stands still now, and then, since it starts no other any more, at its children for the last
    /// time. Whether anything is new.
    fn settle(&mut self, pid: Pid) -> bool {
        match state(pid) {
            Some(State::Runs | State::Busy) => self.stop_children(pid),
            Some(State::Stopped) => {
                self.running.remove(&pid);
                self.stop_children(pid);
                true
            }
            Some(State::Dead) | None => {
                reap(pid);
                self.running.remove(&pid);
                self.sent.remove(&pid);
                true
            }
        }
    }

    /// Stops the children of a process, as far as they were not sent the signal yet; whether there was one.
    fn stop_children(&mut self, of: Pid) -> bool {
        let mut new = false;
        for pid in children(of).unwrap_or_default() {
            let is_kept = self.kept.contains(&pid.as_raw_pid().cast_unsigned());
            new |= !is_kept && !self.sent.contains(&pid) && self.stop(pid);
        }
        new
    }

    /// Stops a process; `false` if it is not ours to stop.
    fn stop(&mut self, pid: Pid) -> bool {
        let may = kill_process(pid, Signal::STOP).is_ok();
        // The dead are reaped at once: they are thousands, if each process of a chain ends when it has started the next.
        if !reap(pid) {
            self.sent.insert(pid);
            if may {
                self.running.insert(pid);
            }
        }
        may
    }
}

/// Takes the status of a child that has ended; whether it was one.
#[cfg(target_os = "linux")]
fn reap(child: Pid) -> bool {
    waitpid(Some(child), WaitOptions::NOHANG).is_ok_and(|status| status.is_some())
}
