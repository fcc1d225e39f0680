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
//! byte order, which is little-endian on nearly every machine today. Here the order is part of the
//! agreement (`'<i'`), as it must be when two machines talk. The Internet's protocols use the
//! other order, big-endian, also called network byte order (RFC 1700, "Data Notations"): [`BigEndianFraming`].

use crate::{EncodeError, FrameError, Framing, MAX_FRAME, Parsed, Part, Progress};

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
            return Ok(Parsed::NeedMore(Progress {
                part: Part::Length,
                got: bytes.len(),
                want: PREFIX_LEN,
            }));
        };
        let body_len = length(prefix, 0, self.max_frame)?;
        Ok(Parsed::Head { head: (), head_len: PREFIX_LEN, body_len })
    }
}

/// The same with the most significant byte first, in network byte order: `struct.pack('>i', n)`.
///
/// None of our servers and clients speaks it, but the playground can, and a recording of other programs may contain it.
#[derive(Clone, Copy, Debug)]
pub struct BigEndianFraming {
    /// The longest body that is accepted, in bytes.
    pub max_frame: usize,
}

impl Default for BigEndianFraming {
    fn default() -> Self {
        BigEndianFraming { max_frame: MAX_FRAME }
    }
}

impl Framing for BigEndianFraming {
    type Head = ();

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        let mut little = PrefixFraming { max_frame: self.max_frame };
        let Some(&prefix) = bytes.first_chunk::<PREFIX_LEN>() else { return little.head(bytes) };
        let mut turned = prefix;
        turned.reverse();
        little.head(&turned).map_err(|error| match error {
            FrameError::BadPrefix { allowed, .. } => {
                FrameError::BadBigEndian { bytes: prefix, allowed }
            }
            other => other,
        })
    }
}

// ANCHOR: length
/// Reads a length, and refuses one outside `least..=most` before anything is allocated for it.
#[inline]
pub(crate) fn length(
    bytes: [u8; PREFIX_LEN],
    least: i32,
    most: usize,
) -> Result<usize, FrameError> {
    let allowed = least..=i32::try_from(most).unwrap_or(i32::MAX);
    let length = i32::from_le_bytes(bytes);
    match usize::try_from(length) {
        Ok(size) if allowed.contains(&length) => Ok(size),
        _ => Err(FrameError::BadPrefix { bytes, allowed }),
    }
}
// ANCHOR_END: length

/// The prefix of a body of `length` bytes: the same bytes as Python's `struct.pack('<i', length)`.
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

/// The same prefix with the most significant byte first: `struct.pack('>i', length)`.
///
/// ```
/// assert_eq!(proto::prefix::encode_big_endian_head(123)?, [0, 0, 0, 0x7b]);
/// # Ok::<(), proto::EncodeError>(())
/// ```
///
/// # Errors
/// When the body is longer than `i32::MAX` bytes.
pub fn encode_big_endian_head(length: usize) -> Result<[u8; PREFIX_LEN], EncodeError> {
    let mut head = encode_head(length)?;
    head.reverse();
    Ok(head)
}
