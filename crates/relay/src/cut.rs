//! Where a stream is cut.

use std::fmt::{self, Display};
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::parse::NotASchedule;
use crate::random::Random;

/// Where a stream is cut into pieces.
///
/// | written | pieces of |
/// |---|---|
/// | `*` | whatever arrives: no cut (the default) |
/// | `1` | 1 byte each |
/// | `3,1` | 3 bytes, 1 byte, 3, 1, … |
/// | `3,1,*` | 3 bytes, 1 byte, and then whatever arrives |
/// | `random:1..7` | 1 to 7 bytes, chosen by the seed |
///
/// The cuts have fixed places in the stream: after byte 3, after byte 4. When bytes arrive a few at a
/// time, a piece leaves in parts; it doesn't start again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut(Kind);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Nowhere,
    Repeat(Vec<NonZeroU32>),
    Once(Vec<NonZeroU32>),
    Random {
        least: NonZeroU32,
        most: NonZeroU32,
    },
}

impl Cut {
    /// Pieces of this many bytes each.
    pub fn every(bytes: NonZeroU32) -> Cut {
        Cut(Kind::Repeat(vec![bytes]))
    }

    pub(crate) fn is_random(&self) -> bool {
        matches!(self.0, Kind::Random { .. })
    }

    /// How long the piece with this number is, counted from 0; `None` if no cut follows.
    pub(crate) fn piece(&self, number: usize, random: &mut Random) -> Option<u64> {
        match &self.0 {
            Kind::Nowhere => None,
            Kind::Repeat(sizes) => {
                sizes.get(number % sizes.len().max(1)).map(|size| size.get().into())
            }
            Kind::Once(sizes) => sizes.get(number).map(|size| size.get().into()),
            Kind::Random { least, most } => {
                Some(random.between(least.get().into(), most.get().into()))
            }
        }
    }
}

impl Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |sizes: &[NonZeroU32]| {
            sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        match &self.0 {
            Kind::Nowhere => f.write_str("*"),
            Kind::Repeat(sizes) => f.write_str(&list(sizes)),
            Kind::Once(sizes) => write!(f, "{},*", list(sizes)),
            Kind::Random { least, most } => write!(f, "random:{least}..{most}"),
        }
    }
}

impl FromStr for Cut {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Cut, NotASchedule> {
        read(text).map(Cut).ok_or_else(|| {
            NotASchedule(format!(
                "cut: expected the size of a piece in bytes, 1 or more (1), sizes in turn (3,1), then the rest uncut \
                 (3,1,*), or random:1..7, not {text:?}"
            ))
        })
    }
}

fn read(text: &str) -> Option<Kind> {
    if let Some(range) = text.strip_prefix("random:") {
        let (least, most) = range.split_once("..")?;
        let (least, most) = (least.parse().ok()?, most.parse().ok()?);
        return (least <= most).then_some(Kind::Random { least, most });
    }
    let sizes = |text: &str| -> Option<Vec<NonZeroU32>> {
        text.split(',').map(|size| size.parse().ok()).collect()
    };
    match text.strip_suffix('*') {
        Some("") => Some(Kind::Nowhere),
        Some(before) => Some(Kind::Once(sizes(before.strip_suffix(',')?)?)),
        None => Some(Kind::Repeat(sizes(text)?)),
    }
}
