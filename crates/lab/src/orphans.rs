//! Nothing that a submission started outlives its check.
//!
//! Ending a process group is not enough: `setsid` leaves the group, and a double fork leaves the parent too. On Linux we
//! are made the parent of every descendant that has lost its own (prctl(2), PR_SET_CHILD_SUBREAPER), so each of them can
//! be found in /proc from us downwards. Elsewhere only the process groups are ended; what leaves its group stays.

#[cfg(target_os = "linux")]
use std::{
    collections::HashSet,
    fs, thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid,
};

/// Makes this process the parent of every descendant whose own parent ends. For a program's first lines.
///
/// On Linux only; elsewhere nothing happens.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // Kernels know it since 3.4. Where it is refused, what daemonises escapes, and no verdict changes.
    let _ = set_child_subreaper(Some(getpid()));
}

/// Kills every descendant of this process until there is none, for two seconds at most.
///
/// For the end of a check, when nothing that this process started is wanted any more. On Linux only; elsewhere nothing
/// happens.
pub fn end_descendants() {
    #[cfg(target_os = "linux")]
    {
        let deadline = Instant::now() + Duration::from_secs(2);
        loop {
            let found = descendants();
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
}

#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
struct Process {
    pid: Pid,
    parent: Pid,
    is_dead: bool,
}

#[cfg(target_os = "linux")]
fn descendants() -> Vec<Process> {
    let mut others = processes();
    let (mut family, mut found) = (HashSet::from([getpid()]), Vec::new());
    // A child may stand before its parent in the list: look until a look finds nobody.
    loop {
        let (new, rest): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|process| family.contains(&process.parent));
        if new.is_empty() {
            return found;
        }
        family.extend(new.iter().map(|process| process.pid));
        found.extend(new);
        others = rest;
    }
}

#[cfg(target_os = "linux")]
fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
            let stat = fs::read(entry.path().join("stat")).ok()?;
            let stat = String::from_utf8_lossy(&stat);
            // proc(5), /proc/PID/stat: number, (name), state, parent. The name may hold anything, brackets too.
            let mut words = stat.rsplit_once(')')?.1.split_whitespace();
            let is_dead = matches!(words.next(), Some("Z" | "X"));
            let parent = words.next()?.parse().ok().and_then(Pid::from_raw)?;
            Some(Process { pid, parent, is_dead })
        })
        .collect()
}
