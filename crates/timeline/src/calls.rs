//! From events to the calls of one side of one connection.

use observe::Event;
use std::fmt::{self, Display, Formatter};

/// The calls of one name, in their order.
pub(crate) fn calls(events: &[Event], name: &str) -> Result<Vec<Call>, StreamError> {
    let mut calls: Vec<Call> = Vec::new();
    let mut conn = None;
    for event in events.iter().filter(|event| event.call == name) {
        let this = (event.pid, event.conn);
        if *conn.get_or_insert(this) != this {
            return Err(StreamError::Mixed { call: name.to_owned() });
        }
        let end = calls.last().map_or(0, Call::end);
        let got = event.got.unwrap_or(0);
        let data = event.data.clone().unwrap_or_default();
        let offset = match event.offset.map(usize::try_from) {
            Some(Ok(offset)) => offset,
            None if got == 0 => end,
            _ => return Err(StreamError::Incomplete { call: name.to_owned() }),
        };
        if data.len() as u64 != got || offset.checked_add(data.len()).is_none() {
            return Err(StreamError::Incomplete { call: name.to_owned() });
        }
        if offset < end {
            return Err(StreamError::Overlap { call: name.to_owned(), offset });
        }
        calls.push(Call { offset, data, asked: event.asked, error: event.error.clone() });
    }
    Ok(calls)
}

/// One call that moved bytes, or failed to.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub offset: usize,
    pub data: Vec<u8>,
    pub asked: Option<u64>,
    pub error: Option<String>,
}

impl Call {
    pub fn end(&self) -> usize {
        self.offset + self.data.len()
    }
}

/// Events that are not those of one direction of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// They belong to several sockets: pick the events of one.
    Mixed {
        /// `send` or `recv`.
        call: String,
    },
    /// A call moved bytes, but which ones or where was not recorded.
    Incomplete {
        /// `send` or `recv`.
        call: String,
    },
    /// Two calls of one side moved the same byte, or came in the wrong order.
    Overlap {
        /// `send` or `recv`.
        call: String,
        /// Where the second one begins.
        offset: usize,
    },
    /// What was received is not what was sent: the two recordings do not belong together.
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
                write!(f, "byte {offset} was sent as one value and received as another")
            }
        }
    }
}

impl std::error::Error for StreamError {}
