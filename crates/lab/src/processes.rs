//! The processes of this machine, as /proc shows them. Linux only.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::process::Pid;

#[derive(Clone, Copy)]
pub(crate) struct Process {
    pub pid: Pid,
    pub is_dead: bool,
    parent: Pid,
}

/// All that this one started, and what these started; not the one itself, and neither those in `but` nor what they started.
pub(crate) fn descendants(of: Pid, but: &[u32]) -> Vec<Process> {
    let mut others = all();
    others.retain(|process| !but.contains(&process.pid.as_raw_pid().cast_unsigned()));
    let (mut family, mut found) = (HashSet::from([of]), Vec::new());
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

/// How long the threads of a process could have run and had to wait for a processor, so far and all together.
pub(crate) fn waited(pid: Pid) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let nanoseconds = threads.into_iter().flatten().flatten().filter_map(|thread| {
        // The kernel's Documentation/scheduler/sched-stats: time on a processor, time waiting for one, time slices.
        let line = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

fn all() -> Vec<Process> {
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
