//! Fixed length: every message has the same number of bytes, filled up with zero bytes.
//!
//! ```text
//! 68 65 6c 6c 6f 00 00 00      "hello" in a record of 8
//! 00 00 00 00 00 00 00 00      an empty message, and a valid one
//! ```
//!
//! The simplest framing there is: no delimiter to look for, no length to read. The price: a short message takes
//! as many bytes as a long one, a longer one can't be sent at all, and a message can't end in a zero byte.
//! Python's `struct.pack('8s', b'hello')` makes the same record, but cuts off what doesn't fit; [`encode`]
//! refuses it.

use std::fmt;
use std::num::NonZeroUsize;

use crate::{FrameError, Framing, Parsed, Part, Progress};

/// Records of one size as a [`Framing`]. A frame's body is the whole record: [`decode`] makes a message of it.
#[derive(Clone, Copy, Debug)]
pub struct FixedFraming {
    /// The size of a record in bytes, the same on both sides.
    pub size: NonZeroUsize,
}

impl Framing for FixedFraming {
    type Head = ();

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        let (got, want) = (bytes.len(), self.size.get());
        Ok(match got < want {
            true => Parsed::NeedMore(Progress { part: Part::Record, got, want }),
            false => Parsed::Head { head: (), head_len: 0, body_len: want },
        })
    }
}

/// The record of a message: the same bytes as Python's `struct.pack('16s', message)`, if the message fits.
///
/// # Errors
/// When it doesn't fit, or ends in a zero byte.
pub fn encode(message: &[u8], size: NonZeroUsize) -> Result<Vec<u8>, NoRecord> {
    let (length, size) = (message.len(), size.get());
    if length > size {
        return Err(NoRecord::TooLong { length, size });
    }
    if message.last() == Some(&0) {
        return Err(NoRecord::EndsInZero);
    }
    let mut record = message.to_vec();
    record.resize(size, 0);
    Ok(record)
}

/// The message in a record: all of it except the zero bytes at its end.
pub fn decode(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|byte| *byte != 0);
    &record[..end.map_or(0, |last| last + 1)]
}

/// The message can't be sent in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecord {
    /// It has more bytes than a record.
    TooLong {
        /// The length of the message.
        length: usize,
        /// The size of a record.
        size: usize,
    },
    /// It ends in a zero byte, which would look like padding.
    EndsInZero,
}

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRecord::TooLong { length, size } => {
                write!(f, "a message of {length} bytes does not fit a record of {size}")
            }
            NoRecord::EndsInZero => f.write_str(
                "a message that ends in a zero byte cannot be sent: it would look like padding",
            ),
        }
    }
}

impl std::error::Error for NoRecord {}
