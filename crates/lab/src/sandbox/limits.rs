//! The limits of this process: every check inherits them, and others of the same user may change them (prlimit(2),
//! setpriority(2)). A check with less than it needs would fail programs that are right.

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

/// What they are at a moment.
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
