//! The verdict on a program: why a case failed, the report of a check, and both as words and bytes that can be shown
//! anywhere. Knows nothing about processes or sockets.

mod bytes;
mod case_failure;
mod escape;
mod explain;
mod report;

pub(crate) use bytes::{ROW, compare, quote, quote_cut, same};
pub use case_failure::{CaseFailure, Fault};
pub(crate) use escape::escape_lines;
pub use escape::{escape, shown_name};
pub use explain::{explain, wrap};
pub use report::{CaseReport, Failure, Outcome, Report};
