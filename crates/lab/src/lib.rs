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
    BUILD_TIMEOUT, CHECK_TIMEOUT, Format, Found, Graded, Grader, Grading, Options, Owner,
    PROGRESS_FILE, Progress, Standing, SubmissionError, Submissions, ToGrader, check,
    find_submissions, near_misses,
};
pub use play::{
    DatagramPeer, LARGEST_DATAGRAM, PATIENCE, Peer, START_TIMEOUT, Submission, Trial, startable,
};
pub use sandbox::{become_subreaper, end_descendants, forbid_inspection};
pub use verdict::{
    CaseFailure, CaseReport, Failure, Fault, Outcome, Report, escape, explain, shown_name, wrap,
};
