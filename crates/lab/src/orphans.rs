//! Nothing that a submission started outlives its check.
//!
//! Ending a process group is not enough: `setsid` leaves the group, and a double fork leaves the parent too. On Linux we
//! are made the parent of every descendant that has lost its own (prctl(2), PR_SET_CHILD_SUBREAPER), so each of them can
//! be found in /proc from us downwards. Elsewhere only the process groups are ended; what leaves its group stays.

#[cfg(target_os = "linux")]
use std::{
    thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use rustix::process::{
    DumpableBehavior, Signal, WaitOptions, child_subreaper, getpid, kill_process,
    set_child_subreaper, set_dumpable_behavior, waitpid,
};

#[cfg(target_os = "linux")]
use crate::processes::descendants;

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

/// Kills every descendant of this process until there is none, for two seconds at most.
///
/// For the end of a check, when nothing that this process started is wanted any more. On Linux only; elsewhere nothing
/// happens.
pub fn end_descendants() {
    #[cfg(target_os = "linux")]
    end_descendants_but(&[]);
}

/// Kills what this process has adopted, and leaves alone the children with these numbers and what they started.
///
/// One that does not adopt has nothing to look for: its other children are somebody else's business.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "nobody is adopted"))]
pub(crate) fn end_orphans(kept: &[u32]) {
    #[cfg(target_os = "linux")]
    if child_subreaper().is_ok_and(|adopts| adopts.is_some()) {
        end_descendants_but(kept);
    }
}

#[cfg(target_os = "linux")]
fn end_descendants_but(kept: &[u32]) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let found = descendants(getpid(), kept);
        if found.is_empty() || Instant::now() > deadline {
            return;
        }
        for process in &found {
            let _ = kill_process(process.pid, Signal::KILL);
            if process.is_dead {
                // Not ours to reap while its parent lives; that has just been killed, and then it is.
                let _ = waitpid(Some(process.pid), WaitOptions::NOHANG);
            }
        }
        // What was killed needs a moment to be gone. What it had just started shows in the next look.
        thread::sleep(Duration::from_millis(2));
    }
}
