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
//! - [`CaseFailure`]: why a case failed.
//! - [`Grader`]: checks many submissions, and [`Format`] writes what came of it for those who asked.

pub mod labs;

mod desk;
mod play;
mod sandbox;
mod verdict;

pub use desk::{
    BUILD, Format, Found, Graded, Grader, Grading, LIMIT, Options, PROGRESS_FILE, Progress,
    Standing, SubmissionError, Submissions, ToGrader, Whose, check, find, near_misses,
};
pub use play::{DatagramPeer, LARGEST, PATIENCE, Peer, READY, Submission, Trial, startable};
pub use sandbox::{adopt_orphans, end_descendants, keep_out};
pub use verdict::{
    CaseFailure, CaseReport, Failure, Fault, Outcome, Report, escape, explain, shown_name, wrap,
};
