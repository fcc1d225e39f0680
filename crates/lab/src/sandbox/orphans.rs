//! Nothing that a submission started outlives its check, and no submission looks into a checker.
//!
//! Ending a process group isn't enough: `setsid` leaves the group, and a double fork leaves the parent too. On Linux we
//! become the parent of every descendant that has lost its own (prctl(2), PR_SET_CHILD_SUBREAPER), so each of them can
//! be found in /proc, starting from us. On other systems only the process groups are ended, and a process that leaves
//! its group keeps running.

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

/// How long we try to end what is left. A process that survives this long belongs to another user, or hangs in the
/// kernel.
#[cfg(target_os = "linux")]
const LONGEST: Duration = Duration::from_secs(10);

/// Makes this process the parent of every descendant whose own parent ends. Call it at the start of a program.
///
/// On Linux only; elsewhere nothing happens.
pub fn become_subreaper() {
    #[cfg(target_os = "linux")]
    // Kernels have had it since 3.4. If it is refused, daemons escape, but no verdict changes.
    let _ = set_child_subreaper(Some(getpid()));
}

/// Protects this process from other programs of the same user, except root's: its memory, its environment, and the
/// files and pipes that it has open. Call it at the start of a program.
///
/// Without it, a submission could open `/proc/PID/fd/1` of the check that judges it, and write its own report there
/// (proc(5), and prctl(2), `PR_SET_DUMPABLE`). On Linux only; elsewhere nothing happens.
pub fn forbid_inspection() {
    #[cfg(target_os = "linux")]
    // The kernel has no reason to refuse this here.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Kills every descendant of this process until there are none, for some seconds at most, and returns how many are
/// left. Our own watchdog ([`ending::watchdog`]) is left alone.
///
/// For the end of a check, when nothing that this process started is needed any more. On Linux only; elsewhere nothing
/// happens.
pub fn end_descendants() -> usize {
    #[cfg(target_os = "linux")]
    return end_descendants_but(&[], LONGEST);
    #[cfg(not(target_os = "linux"))]
    0
}

/// Kills what this process has adopted, but not the children with these numbers or anything they started. Returns how
/// many are left.
///
/// A process that doesn't adopt has nothing to kill: its other children are not our business.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "nothing is adopted there"))]
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
    // First we stop everything: a program that forks as fast as it can would always be ahead of us.
    stop(&kept, Instant::now() + longest / 2);
    loop {
        let found = descendants(getpid(), &kept);
        if found.is_empty() || Instant::now() > deadline {
            return found.len();
        }
        for process in &found {
            let _ = kill_process(process.pid, Signal::KILL);
            if process.state == State::Dead {
                // It becomes our child to reap only when its parent is gone, and we have just killed that.
                reap(process.pid);
            }
        }
        // A killed process needs a moment to disappear.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Stops (SIGSTOP) every descendant, until we find none that is running.
///
/// A stopped process starts no other. But a program that forks and ends at once, again and again, lives for a much
/// shorter time than it takes to look at all processes. It becomes a child of ours, or of a process that we have
/// already sent the signal, and we can find those at once; see [`Chase`].
#[cfg(target_os = "linux")]
fn stop(kept: &[u32], deadline: Instant) {
    let mut chase = Chase { kept, sent: HashSet::new(), running: HashSet::new() };
    while Instant::now() < deadline {
        chase.stop_until_nobody_is_new(deadline);
        let mut runs = false;
        for process in descendants(getpid(), kept) {
            match process.state {
                State::Stopped | State::Dead => continue,
                // A parent in vfork(2) looks like this until its child is done, and the child may be stopped.
                State::Busy if chase.sent.contains(&process.pid) => continue,
                State::Busy | State::Runs => runs |= chase.stop(process.pid),
            }
        }
        if !runs {
            return;
        }
    }
}

/// Stops processes that start others in the meantime.
#[cfg(target_os = "linux")]
struct Chase<'a> {
    kept: &'a [u32],
    /// Those that we have sent SIGSTOP. We forget the ones that have ended: their numbers may soon be used again.
    sent: HashSet<Pid>,
    /// Those of them that we haven't seen stopped yet: one may be in the middle of a fork(2), and have a child that we
    /// haven't seen.
    running: HashSet<Pid>,
}

#[cfg(target_os = "linux")]
impl Chase<'_> {
    /// Goes through all processes that may have new children, until none has.
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
                // Our own children each time: a new one may have ended before we are through with the others.
                goes_on |= self.stop_children(us);
            }
        }
    }

    /// Checks whether a process has stopped. If it has, it starts no more processes, so we look at its children for the
    /// last time. Returns whether anything is new.
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

    /// Stops the children of a process that haven't been sent the signal yet. Returns whether there were any.
    fn stop_children(&mut self, of: Pid) -> bool {
        let mut new = false;
        for pid in children(of).unwrap_or_default() {
            let is_kept = self.kept.contains(&pid.as_raw_pid().cast_unsigned());
            new |= !is_kept && !self.sent.contains(&pid) && self.stop(pid);
        }
        new
    }

    /// Stops a process; `false` if we may not stop it.
    fn stop(&mut self, pid: Pid) -> bool {
        let may = kill_process(pid, Signal::STOP).is_ok();
        // The dead are reaped at once: there are thousands if each process of a chain starts the next one and ends.
        if !reap(pid) {
            self.sent.insert(pid);
            if may {
                self.running.insert(pid);
            }
        }
        may
    }
}

/// Reaps a child that has ended. Returns whether it had.
#[cfg(target_os = "linux")]
fn reap(child: Pid) -> bool {
    waitpid(Some(child), WaitOptions::NOHANG).is_ok_and(|status| status.is_some())
}
