//! What a process takes up, as the kernel counts it (proc(5)).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::rows::LONG;

/// How many descriptors, threads and children a process has: as soon as it is `expected`; if nothing is expected, when
/// it has stopped changing.
pub fn settled(pid: u32, expected: Option<[usize; 3]>) -> [usize; 3] {
    let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let children = || {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("children"));
        tasks.map(|task| of(task.unwrap()).unwrap_or_default().split_whitespace().count()).sum()
    };
    let mut last = [0; 3];
    let mut same_since = Instant::now();
    let until = Instant::now() + LONG;
    loop {
        let now = [count("fd"), count("task"), children()];
        if now != last {
            (last, same_since) = (now, Instant::now());
        }
        let stable = same_since.elapsed() > Duration::from_millis(500);
        let enough = expected.map_or(stable, |expected| now == expected);
        if enough || Instant::now() > until {
            return now;
        }
        thread::sleep(Duration::from_millis(10));
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
