//! What is said of a program: why a case failed, the report of a check, and both in words, bytes and commands that can be
//! shown anywhere. Knows nothing of processes and sockets.

mod bytes;
mod case_failure;
mod escape;
mod explain;
mod report;
mod shell_quote;

pub(crate) use bytes::{ROW, compare, quote, quote_cut, same};
pub use case_failure::{CaseFailure, Fault};
pub(crate) use escape::harmless_lines;
pub use escape::{harmless, shown_name};
pub use explain::{explain, wrap};
pub use report::{CaseReport, Failure, Outcome, Report};
pub(crate) use shell_quote::typed;
pub use shell_quote::{quoted, quoted_path};
