//! Why events do not make a stream.

use std::fmt::{self, Display, Formatter};

/// Events that are not those of one direction of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// They belong to several sockets: pick the events of one.
    Mixed {
        /// `send`, `recv` or `segment`.
        call: String,
    },
    /// A call moved bytes, but which ones or where was not recorded.
    Incomplete {
        /// `send`, `recv` or `segment`.
        call: String,
    },
    /// Two calls of one side moved the same byte, or are in the wrong order.
    Overlap {
        /// `send` or `recv`.
        call: String,
        /// Where the second one begins.
        offset: usize,
    },
    /// A byte is one value in one recording and another in another: they do not belong together.
    Differs {
        /// The first byte that differs.
        offset: usize,
    },
}

impl Display for StreamError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mixed { call } => {
                write!(f, "the {call} events belong to several sockets: pick those of one")
            }
            Self::Incomplete { call } => {
                write!(f, "a {call} event does not say which bytes it moved, or where")
            }
            Self::Overlap { call, offset } => {
                write!(f, "two {call} events overlap at byte {offset}")
            }
            Self::Differs { offset } => {
                write!(
                    f,
                    "byte {offset} is one value in one recording and another in the next: \
                     record all sides in the same run"
                )
            }
        }
    }
}

impl std::error::Error for StreamError {}
