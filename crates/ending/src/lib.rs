//! How a program of the course ends: [what tells it to](told), and how what it started
//! [ends with it](tie_group), even after `kill -9`.

mod told;
mod watchdog;

pub use told::{exit_when_told, on_child_exit, told, told_which};
pub use watchdog::{Tied, mark, tie_folder, tie_group, watchdog};
