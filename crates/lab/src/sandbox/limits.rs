//! The limits of this process. Every check inherits them, and other processes of the same user may change them
//! (prlimit(2), setpriority(2)). With less than it needs, a check would fail correct programs.

use rustix::process::{Resource, Rlimit, getpriority_process, getrlimit};

const RESOURCES: [Resource; 8] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Nofile,
    Resource::Nproc,
    Resource::As,
];

/// The limits at one moment.
#[derive(PartialEq, Eq)]
pub(crate) struct Limits {
    resources: [Rlimit; 8],
    priority: Option<i32>,
}

impl Limits {
    pub fn now() -> Limits {
        Limits { resources: RESOURCES.map(getrlimit), priority: getpriority_process(None).ok() }
    }
}
