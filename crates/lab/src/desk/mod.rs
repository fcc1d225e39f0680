//! From a student's folder to a verdict: finds and reads submissions, checks and grades them, keeps track of progress,
//! and writes reports.

mod channel;
mod check;
mod folder;
mod format;
mod grade;
mod held_check;
mod lab_file;
mod near_miss;
mod picture;
mod progress;
mod progress_file;
mod small_file;

pub use channel::ToGrader;
pub use check::{Options, check};
pub use folder::{Found, Owner, Submissions, find_submissions};
pub use format::Format;
pub use grade::{CHECK_TIMEOUT, Graded, Grader, Grading};
pub use lab_file::{BUILD_TIMEOUT, SubmissionError};
pub use near_miss::near_misses;
pub use picture::{Picture, draw};
pub use progress::{Progress, Standing};
pub use progress_file::PROGRESS_FILE;
