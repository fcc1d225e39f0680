//! What a submission started, and what it may do to us: finds it, limits it and ends it. Knows nothing about labs.

mod limits;
mod orphans;
#[cfg(target_os = "linux")]
mod processes;

pub(crate) use limits::Limits;
pub(crate) use orphans::end_orphans;
pub use orphans::{become_subreaper, end_descendants, forbid_inspection};
#[cfg(target_os = "linux")]
pub(crate) use processes::{family, is_alive, ran_and_waited, runs};
