//! Fix 2, the length prefix: four bytes say how long the message is.
//!
//! ```text
//!  0      3 4
//! [ length | payload ... ]      length: i32, little-endian, of the payload alone
//!
//! 05 00 00 00 68 65 6c 6c 6f    "hello"
//! 00 00 00 00                   an empty message, and a valid one
//! ```
//!
//! The tutorial writes the length with Python's `struct.pack('i', n)`: signed, and in the *machine's*
//! byte order, which is little-endian on every classroom machine. Here the order is part of the
//! agreement (`'<i'`), as it must be when two machines talk. The Internet's own order is the
//! other one (RFC 1700, "network byte order").

use crate::{EncodeError, FrameError, Framing, MAX_FRAME, Parsed, Part};

/// The length of the prefix in bytes.
pub const PREFIX_LEN: usize = 4;

/// The length prefix as a [`Framing`]: `i32`, little-endian.
#[derive(Clone, Copy, Debug)]
pub struct PrefixFraming {
    /// The longest body that is accepted, in bytes.
    pub max_frame: usize,
}

impl Default for PrefixFraming {
    fn default() -> Self {
        PrefixFraming { max_frame: MAX_FRAME }
    }
}

impl Framing for PrefixFraming {
    type Head = ();

    #[inline]
    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        let Some(&prefix) = bytes.first_chunk::<PREFIX_LEN>() else {
            return Ok(Parsed::NeedMore { part: Part::Length, got: bytes.len(), want: PREFIX_LEN });
        };
        let body_len = length(prefix, self.max_frame)?;
        Ok(Parsed::Head { head: (), head_len: PREFIX_LEN, body_len })
    }
}

/// Reads a length, and refuses one below zero or above `limit`, before anything is allocated for it.
#[inline]
pub(crate) fn length(prefix: [u8; PREFIX_LEN], limit: usize) -> Result<usize, FrameError> {
    let length = i32::from_le_bytes(prefix);
    match usize::try_from(length) {
        Ok(length) if length <= limit => Ok(length),
        Ok(length) => Err(FrameError::TooLong { length: length as u64, limit }),
        Err(_) => Err(FrameError::Negative { length }),
    }
}

/// The prefix of a body of `length` bytes, as `struct.pack('<i', length)` gives it.
///
/// Send it together with the body, in one write: see [`Outgoing`](crate::Outgoing).
///
/// ```
/// assert_eq!(proto::prefix::encode_head(123)?, [0x7b, 0, 0, 0]);
/// # Ok::<(), proto::EncodeError>(())
/// ```
///
/// # Errors
/// When the body is longer than `i32::MAX` bytes.
pub fn encode_head(length: usize) -> Result<[u8; PREFIX_LEN], EncodeError> {
    let length = i32::try_from(length).map_err(|_| EncodeError { length })?;
    Ok(length.to_le_bytes())
}

/// Appends one frame to `out`: for a batch of small messages that leaves in one write.
///
/// # Errors
/// When the body is longer than `i32::MAX` bytes; `out` is then unchanged.
pub fn encode(body: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let prefix = encode_head(body.len())?;
    out.extend_from_slice(&prefix);
    out.extend_from_slice(body);
    Ok(())
}
