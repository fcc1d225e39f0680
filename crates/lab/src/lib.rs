//! The lab checker: a hostile peer with a verdict.
//!
//! A lab is a program to write, in any language. The checker starts it, talks to it as the most unkind peer that TCP allows
//! (a [`relay::Relay`] cuts, merges and breaks the stream by a seeded schedule), and says of each case whether the program
//! kept its rule; where it did not, step by step, what was sent, what was expected, and the first byte that differs.
//!
//! From the outside in:
//! - [`labs::LABS`]: the labs; each is a file with its cases.
//! - [`check()`]: plays all cases against one program and returns a [`Report`].
//! - [`Trial`]: one case being played: it starts the student's program and hands out [`Peer`]s.
//! - [`Broken`]: why a case failed.
//! - [`Grader`]: checks many submissions, and [`Format`] writes what came of it for those who asked.

pub mod labs;
pub mod progress;

mod afterwards;
mod broken;
mod bytes;
mod channel;
mod check;
mod connection;
mod data;
mod datagram;
mod explain;
mod folder;
mod format;
mod grade;
mod harmless;
mod held;
mod limits;
mod near_miss;
mod network;
mod orphans;
mod patience;
mod peer;
mod port;
mod process;
#[cfg(target_os = "linux")]
mod processes;
mod progress_file;
mod ready;
mod recording;
mod report;
mod small_file;
mod student;
mod submission;
mod trial;
mod turn;
mod typed;
mod waits;

pub use broken::{Broken, Fault};
pub use channel::ToGrader;
pub use check::{Options, check};
pub use datagram::{DatagramPeer, LARGEST};
pub use explain::{explain, wrap};
pub use folder::{Found, Submissions, Whose, find};
pub use format::Format;
pub use grade::{Graded, Grader, Grading, LIMIT};
pub use harmless::{harmless, shown_name};
pub use near_miss::near_misses;
pub use orphans::{adopt_orphans, end_descendants, keep_out};
pub use peer::Peer;
pub use report::{CaseReport, Failure, Outcome, Report};
pub use student::startable;
pub use submission::{BUILD, Submission, SubmissionError};
pub use trial::Trial;
pub use typed::{quoted, quoted_path};

/// How long the checker waits for one thing the program should do: bytes, an end, its exit.
///
/// A right program answers within milliseconds; this is for machines on which a whole class is graded at once. All cases
/// run side by side, so a program that hangs in each costs little more than this once.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// How long the program may take until it listens or connects. `cargo run` builds first.
pub const READY: std::time::Duration = std::time::Duration::from_secs(8);
