//! How many connections this system can handle, and why not more.
//!
//! Some limits are harmless: without a descriptor, accept fails, and the client waits in the queue. Others aren't: when a
//! process starts one thread too many, the runtime aborts it, with everything that it serves.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// How many memory mappings a thread takes: its stack, the stack of its signal handlers, and a guard page below each.
const MAPPINGS_A_THREAD: usize = 4;

/// What a process needs besides its threads: its program, its libraries, its memory.
const OTHER_MAPPINGS: usize = 2000;

/// What a server needs besides its connections: the listener, the log, commands and their pipes, peers being refused.
const OTHER_DESCRIPTORS: usize = 64;

/// The most connections of `wanted` that can be served with a thread for each. Says why, if that's fewer.
pub fn with_threads(wanted: usize) -> usize {
    let Some(mappings) = setting("vm/max_map_count") else { return wanted.min(2000) };
    let most = mappings.saturating_sub(OTHER_MAPPINGS) / MAPPINGS_A_THREAD;
    if wanted > most {
        tracing::warn!(
            "at most {most} connections, not {wanted}: a thread takes {MAPPINGS_A_THREAD} of the {mappings} mappings of \
             memory that a process may have (sysctl vm.max_map_count); a further client is refused"
        );
    }
    with_descriptors(wanted.min(most))
}

/// The most connections of `wanted` that can be served with a process for each. Says why, if that's fewer.
pub fn with_processes(wanted: usize) -> usize {
    let Some(numbers) = setting("kernel/pid_max") else { return wanted.min(500) };
    let most = numbers / 2;
    if wanted > most {
        tracing::warn!(
            "at most {most} connections, not {wanted}: this system has {numbers} numbers for processes (sysctl \
             kernel.pid_max), and the commands need some; a further client is refused"
        );
    }
    with_descriptors(wanted.min(most))
}

/// Warns if there aren't enough descriptors for that many connections. That's no reason to refuse a client: it waits in
/// the kernel's queue until one is free.
pub fn with_descriptors(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(OTHER_DESCRIPTORS);
    if wanted > most && wanted > 256 {
        tracing::warn!(
            "some {most} connections at once, not {wanted}: this process may have {limit} open files (ulimit -n); further \
             clients wait until a connection ends"
        );
    }
    wanted
}

/// A setting of the kernel (Linux).
fn setting(name: &str) -> Option<usize> {
    fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn threads_end_before_the_mappings_do() {
        let mappings = setting("vm/max_map_count").unwrap();
        let most = with_threads(usize::MAX);
        assert!(most * MAPPINGS_A_THREAD < mappings && most > mappings / 5, "{most} of {mappings}");
        assert_eq!(with_threads(256), 256);
        assert_eq!(with_processes(256), 256);
    }
}
