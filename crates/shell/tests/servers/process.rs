//! What a process takes up, as the kernel counts it (proc(5)).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::rows::LONG;

/// The numbers of its open descriptors.
pub fn descriptors(pid: u32) -> Vec<u64> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    open.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect()
}

/// How many descriptors, threads and children it has.
pub fn holds(pid: u32) -> [usize; 3] {
    let tasks = || fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("children"));
    let children = tasks().map(|task| of(task.unwrap()).unwrap_or_default());
    let children = children.map(|line| line.split_whitespace().count()).sum();
    [descriptors(pid).len(), tasks().count(), children]
}

/// Looks again and again until it is so.
pub fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < deadline, "it has not come about");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What the process has used of a processor: user and system time, in ticks of 10 ms (proc_pid_stat(5)).
pub fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The second field, the program's name in parentheses, may contain spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks = [fields[11], fields[12]].map(|ticks| ticks.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.iter().sum::<u64>())
}

/// The memory of a server and of all that it started, in KiB (proc(5): VmRSS).
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let own: u64 =
        line.and_then(|line| line.split_whitespace().next()).map_or(0, |n| n.parse().unwrap());
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children: Vec<String> =
        tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
    own + children
        .iter()
        .flat_map(|line| line.split_whitespace())
        .map(|pid| resident(pid.parse().unwrap()))
        .sum::<u64>()
}
