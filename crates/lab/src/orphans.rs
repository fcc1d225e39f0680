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
use crate::processes::{State, children, descendants};

/// How long we try to end what was left. What withstands so long belongs to another user, or hangs in the kernel.
#[cfg(target_os = "linux")]
const LONGEST: Duration = Duration::from_secs(10);

/// Makes this process the parent of every descendant whose own parent ends. For a program's first lines.
///
/// On Linux only; elsewhere nothing happens.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // Kernels know it since 3.4. Where it is refused, what daemonises escapes, and no verdict changes.
    let _ = set_child_subreaper(Some(getpid()));
}

/// Closes this process to other programs of the same user, root's aside: its memory, its environment, and the files and pipes
/// that it has open. For a program's first lines.
///
/// Without it a submission opens `/proc/PID/fd/1` of the check that judges it, and writes its own report there (proc(5),
/// and prctl(2), `PR_SET_DUMPABLE`). On Linux only; elsewhere nothing happens.
pub fn keep_out() {
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
                let _ = waitpid(Some(process.pid), WaitOptions::NOHANG);
            }
        }
        // What was killed needs a moment to be gone.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Stops (SIGSTOP) every descendant, until a look finds none that runs.
///
/// A process that has been sent the signal starts no other: fork(2) begins anew while a signal waits, and then it is
/// stopped. So only one that we have not seen can start others. One that forks and ends at once, again and again, lives
/// much shorter than a look at all processes takes; but it becomes a child of ours, or of one that is stopped already,
/// and these are found at once.
#[cfg(target_os = "linux")]
fn stop(kept: &[u32], deadline: Instant) {
    let us = getpid();
    let mut told = HashSet::new();
    while Instant::now() < deadline {
        while stop_children(us, kept, &mut told) && Instant::now() < deadline {}
        let mut runs = false;
        for process in descendants(us, kept) {
            let new = told.insert(process.pid);
            match process.state {
                State::Stopped | State::Dead => continue,
                // A parent waits like this until its vfork(2) is done: it may have to wait for one that is stopped.
                State::Busy if !new => continue,
                State::Busy | State::Runs => {}
            }
            let _ = kill_process(process.pid, Signal::STOP);
            runs = true;
        }
        if !runs {
            return;
        }
    }
}

/// Stops the children of this process and of all that were told to stop; whether one was new. What has ended is forgotten:
/// its number may soon be another's.
#[cfg(target_os = "linux")]
fn stop_children(us: Pid, kept: &[u32], told: &mut HashSet<Pid>) -> bool {
    let mut found = children(us).unwrap_or_default();
    // The dead are reaped at once: they are thousands, if each process of a chain ends when it has started the next.
    found.retain(|pid| is_none_of(kept, *pid) && !reaped(*pid));
    told.retain(|pid| match children(*pid) {
        Some(theirs) => {
            found.extend(theirs);
            true
        }
        None => false,
    });
    let mut new = false;
    for pid in found {
        if is_none_of(kept, pid) && told.insert(pid) {
            let _ = kill_process(pid, Signal::STOP);
            new = true;
        }
    }
    new
}

#[cfg(target_os = "linux")]
fn is_none_of(kept: &[u32], pid: Pid) -> bool {
    !kept.contains(&pid.as_raw_pid().cast_unsigned())
}

#[cfg(target_os = "linux")]
fn reaped(child: Pid) -> bool {
    waitpid(Some(child), WaitOptions::NOHANG).is_ok_and(|status| status.is_some())
}
