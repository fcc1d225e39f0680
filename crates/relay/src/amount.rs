//! The numbers in a schedule: how long, and how often.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use crate::parse::{NotASchedule, number};

/// A time in milliseconds, written `25` or `25ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u32);

impl Millis {
    /// The same as a [`Duration`].
    pub fn get(self) -> Duration {
        Duration::from_millis(self.0.into())
    }

    pub(crate) fn some(self) -> Option<Millis> {
        (self.0 > 0).then_some(self)
    }
}

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Millis {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Millis, NotASchedule> {
        number(text.strip_suffix("ms").unwrap_or(text), "expected milliseconds, such as 25 or 25ms")
            .map(Millis)
    }
}

/// How long a byte is delayed: always the same (`25`), or drawn from a range for each arrival
/// (`20..30`, both included).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// The shortest.
    pub least: Millis,
    /// The longest.
    pub most: Millis,
}

impl From<Millis> for Delay {
    fn from(always: Millis) -> Delay {
        Delay { least: always, most: always }
    }
}

impl Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Delay { least, most } if least == most => least.fmt(f),
            Delay { least, most } => write!(f, "{least}..{most}"),
        }
    }
}

impl FromStr for Delay {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Delay, NotASchedule> {
        let Some((least, most)) = text.split_once("..") else {
            return text.parse::<Millis>().map(Delay::from);
        };
        let delay = Delay { least: least.parse()?, most: most.parse()? };
        let wrong = || {
            NotASchedule(format!(
                "delay: expected the shorter time first, as in 20..30, not {text}"
            ))
        };
        (delay.least <= delay.most).then_some(delay).ok_or_else(wrong)
    }
}

/// How often something happens: from 0, never, to 1, always.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance(f64);

impl Chance {
    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }

    pub(crate) fn some(self) -> Option<Chance> {
        (self.0 > 0.0).then_some(self)
    }
}

impl Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Chance {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Chance, NotASchedule> {
        let expected = "expected a probability from 0 to 1, such as 0.2";
        let chance: f64 = number(text, expected)?;
        if !(0.0..=1.0).contains(&chance) {
            return Err(NotASchedule(format!("{expected}, not {text}")));
        }
        // `-0` is 0, and printed so.
        Ok(Chance(chance.abs()))
    }
}
