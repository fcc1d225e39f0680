//! The lab checker: a hostile peer with a verdict.
//!
//! A lab is a program to write, in any language. The checker starts it, and talks to it as the most unkind peer that
//! TCP allows (a [`relay::Relay`] cuts, merges and breaks the stream by a seeded schedule). For each case it says
//! whether the program kept its rule, and if not, step by step what was sent, what was expected, and the first byte
//! that differs.
//!
//! The modules, from the top down; each uses only those below it:
//! - desk: [`check()`] plays all cases of a lab against one [`Submission`] and returns a [`Report`]; [`Grader`] checks
//!   many, and [`Format`] writes the results in the form that was asked for.
//! - [`labs`]: [`LABS`](labs::LABS), each a file with its rules and cases.
//! - play: [`Trial`], one case being played, starts the student's program and hands out [`Peer`]s.
//! - verdict: [`CaseFailure`], why a case failed, and [`explain`], what a student reads of it.
//! - sandbox: [`end_descendants`] ends everything that a submission has started.

pub mod labs;

mod desk;
mod play;
mod sandbox;
mod verdict;

pub use desk::{
    BUILD_TIMEOUT, CHECK_TIMEOUT, Format, Found, Graded, Grader, Grading, Options, Owner,
    PROGRESS_FILE, Picture, Progress, Standing, SubmissionError, Submissions, ToGrader, check,
    draw, find_submissions, near_misses,
};
pub use play::{
    DatagramPeer, Form, LARGEST_DATAGRAM, PATIENCE, Peer, START_TIMEOUT, Submission, Trial,
    startable,
};
pub use sandbox::{become_subreaper, end_descendants, forbid_inspection};
pub use verdict::{
    CaseFailure, CaseReport, Failure, Fault, Outcome, Report, escape, explain, shown_name, wrap,
};
