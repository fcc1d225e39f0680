//! Reads the words of a schedule, and says what was expected when it can't.

use std::fmt::{self, Display};
use std::str::FromStr;

/// A number, or what was expected in its place.
pub(crate) fn number<T: FromStr>(text: &str, expected: &str) -> Result<T, NotASchedule> {
    text.parse().map_err(|_| NotASchedule(format!("{expected}, not {text:?}")))
}

/// The text isn't a schedule, or isn't a part of one. The message says what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotASchedule(pub(crate) String);

impl Display for NotASchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotASchedule {}
