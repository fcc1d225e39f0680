//! The processes of this machine, as /proc shows them. Linux only.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::process::Pid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub pid: Pid,
    pub state: State,
    parent: Pid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is running, or would be if it had something to do.
    Runs,
    /// It is waiting in the kernel, and only SIGKILL wakes it.
    Busy,
    /// It has been stopped.
    Stopped,
    /// It has ended, and its parent hasn't reaped it yet.
    Dead,
}

/// Everything that this process started, and what those started in turn; not the process itself, and neither those in
/// `but` nor what they started.
pub(crate) fn descendants(of: Pid, but: &[u32]) -> Vec<Process> {
    among(all(), of, but)
}

fn among(mut others: Vec<Process>, of: Pid, but: &[u32]) -> Vec<Process> {
    others.retain(|process| !but.contains(&process.pid.as_raw_pid().cast_unsigned()));
    let (mut family, mut found) = (HashSet::from([of]), Vec::new());
    // A child may come before its parent in the list, so we go through it until we find no more.
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

/// The children of a process, and only these: much faster than looking at all processes. `None`: it has ended, or the
/// kernel doesn't say.
pub(crate) fn children(of: Pid) -> Option<Vec<Pid>> {
    // proc(5), /proc/PID/task/TID/children. Orphans that a process adopts become children of its first thread.
    let listed = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).ok()?;
    Some(listed.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)).collect())
}

/// A process and everything it started.
pub(crate) fn family(pid: u32) -> Vec<Pid> {
    let Some(pid) = Pid::from_raw(pid.cast_signed()) else { return Vec::new() };
    let children = descendants(pid, &[]).into_iter().map(|process| process.pid);
    children.chain([pid]).collect()
}

/// How long the threads of a process have run, and how long they have had to wait for a processor: so far, all threads
/// together.
pub(crate) fn ran_and_waited(pid: Pid) -> [Duration; 2] {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let mut sums = [Duration::ZERO; 2];
    for thread in threads.into_iter().flatten().flatten() {
        // The kernel's Documentation/scheduler/sched-stats: time on a processor, time waiting for one, time slices.
        let line = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        for (sum, word) in sums.iter_mut().zip(line.split_whitespace()) {
            *sum += Duration::from_nanos(word.parse().unwrap_or(0));
        }
    }
    sums
}

/// What a process is doing; `None` if it doesn't exist.
pub(crate) fn state(of: Pid) -> Option<State> {
    Some(process(of, &fs::read(format!("/proc/{of}/stat")).ok()?)?.state)
}

/// Whether the process exists and hasn't ended.
pub(crate) fn is_alive(pid: Pid) -> bool {
    state(pid).is_some_and(|state| state != State::Dead)
}

/// Whether one of its threads is running, or would be if it had something to do.
pub(crate) fn runs(pid: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| process(pid, &fs::read(thread.path().join("stat")).ok()?))
        .any(|thread| thread.state == State::Runs)
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
            process(pid, &fs::read(entry.path().join("stat")).ok()?)
        })
        .collect()
}

/// proc(5), /proc/PID/stat: number, (name), state, parent. The name may contain anything, even brackets.
fn process(pid: Pid, stat: &[u8]) -> Option<Process> {
    let stat = String::from_utf8_lossy(stat);
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let state = match words.next()? {
        "Z" | "X" => State::Dead,
        "T" | "t" => State::Stopped,
        "D" => State::Busy,
        _ => State::Runs,
    };
    let parent = words.next()?.parse().ok().and_then(Pid::from_raw)?;
    Some(Process { pid, state, parent })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    fn stat(line: &str) -> Option<Process> {
        process(pid(7), line.as_bytes())
    }

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let read = |state, parent| Some(Process { pid: pid(7), state, parent: pid(parent) });
        assert_eq!(stat("7 (sh) S 3 7 7 0"), read(State::Runs, 3));
        assert_eq!(stat("7 (a) Z 1 b) R 4 7"), read(State::Runs, 4));
        assert_eq!(stat("7 (x\n) T 5 7"), read(State::Stopped, 5));
        assert_eq!(stat("7 (x) t 5 7"), read(State::Stopped, 5));
        assert_eq!(stat("7 (x) Z 5 7"), read(State::Dead, 5));
        assert_eq!(stat("7 (x) X 5 7"), read(State::Dead, 5));
        assert_eq!(stat("7 (x) D 5 7"), read(State::Busy, 5));
        // The first process has no parent, so it is nobody's descendant.
        assert_eq!(stat("7 (init) S 0 1"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn a_family_is_found_in_any_order_and_without_those_to_be_left_alone() {
        let process =
            |number, parent| Process { pid: pid(number), state: State::Runs, parent: pid(parent) };
        let all = vec![
            process(9, 8), // a grandchild, before its parent
            process(8, 2),
            process(5, 2), // left alone, with
            process(6, 5), // its child
            process(3, 1), // somebody else's
            process(2, 1), // the one itself
        ];
        let numbers = |but: &[u32]| {
            let mut found: Vec<i32> =
                among(all.clone(), pid(2), but).iter().map(|one| one.pid.as_raw_pid()).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(numbers(&[5]), [8, 9]);
        assert_eq!(numbers(&[]), [5, 6, 8, 9]);
        assert_eq!(numbers(&[8, 5]), [0; 0]);
    }

    #[test]
    fn a_child_is_found_among_all_processes() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let (us, its) = (rustix::process::getpid(), Pid::from_child(&child));
        // Other tests in this program have children, too.
        let look = || descendants(us, &[]).into_iter().find(|process| process.pid == its).unwrap();
        // While its program is still being read from disk, it is busy.
        let soon = Instant::now() + Duration::from_secs(10);
        let mut found = look();
        while found.state == State::Busy && Instant::now() < soon {
            found = look();
        }
        assert_eq!((found.parent, found.state), (us, State::Runs));
        assert!(descendants(us, &[child.id()]).iter().all(|process| process.pid != its));
        if let Some(ours) = children(us) {
            // Each thread has children of its own, and this isn't the first thread of the test.
            assert!(!ours.contains(&us));
            assert_eq!(children(its), Some(Vec::new()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(children(its), None);
        assert!(descendants(us, &[]).iter().all(|process| process.pid != its));
    }
}
