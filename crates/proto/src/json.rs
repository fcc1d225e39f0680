//! Fix 3, the JSON header: a header that can grow without breaking anyone.
//!
//! ```text
//!  0             3 4
//! [ header_len   | {"data_len": 5, ...} | payload ... ]
//!   i32, little-endian, of the header       data_len bytes
//! ```
//!
//! A client that knows only `data_len` reads every header there will ever be; one that knows more
//! finds more. That is what the extra length buys: a message that describes itself.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::prefix::{self, PREFIX_LEN};
use crate::{EncodeError, FrameError, Framing, MAX_FRAME, Parsed, Part};

/// The longest header that is accepted: 64 KiB. Ours are under 200 bytes.
pub const MAX_HEADER: usize = 64 * 1024;

/// What the header says of the body that follows: one answer of a remote command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The length of the body in bytes. The one member that every peer sends.
    pub data_len: usize,
    /// How the command ended.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// How many bytes of the body are the command's stdout; the rest is its stderr.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub stdout_len: Option<usize>,
    /// The command said more than the server keeps; the body is the beginning of it.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// The command was killed because its time was up.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<bool>,
}

/// How a command ended: `0` or `{"signal": 9}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Status {
    /// It returned this exit code.
    Exit(i32),
    /// This signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
    },
}

impl Default for Status {
    fn default() -> Self {
        Status::Exit(0)
    }
}

/// The JSON header as a [`Framing`].
#[derive(Clone, Copy, Debug)]
pub struct JsonFraming {
    /// The longest body that is accepted, in bytes.
    pub max_frame: usize,
}

impl Default for JsonFraming {
    fn default() -> Self {
        JsonFraming { max_frame: MAX_FRAME }
    }
}

impl Framing for JsonFraming {
    type Head = Header;

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<Header>, FrameError> {
        let Some((&prefix, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() else {
            return Ok(Parsed::NeedMore { part: Part::Length, got: bytes.len(), want: PREFIX_LEN });
        };
        let header_len = prefix::length(prefix, i32::MAX as usize)?;
        if !(1..=MAX_HEADER).contains(&header_len) {
            return Err(bad(format!("its length is {header_len}, not 1 to {MAX_HEADER}")));
        }
        let Some(text) = rest.get(..header_len) else {
            return Ok(Parsed::NeedMore { part: Part::Header, got: rest.len(), want: header_len });
        };
        let head = decode_header(text)?;
        let body_len = head.data_len;
        if body_len > self.max_frame {
            return Err(FrameError::TooLong { length: body_len as u64, limit: self.max_frame });
        }
        Ok(Parsed::Head { head, head_len: PREFIX_LEN + header_len, body_len })
    }
}

/// Reads the header's text.
///
/// Strict where the stream depends on it (`data_len`: there, once, a whole number from 0), lenient
/// elsewhere: a member that is unknown, or that a stranger uses in another way, is passed over.
///
/// # Errors
/// [`FrameError::BadHeader`] when the text is not a UTF-8 JSON object with such a `data_len`.
pub fn decode_header(text: &[u8]) -> Result<Header, FrameError> {
    let text = str::from_utf8(text).map_err(|error| bad(format!("not UTF-8: {error}")))?;
    // serde would read an array into a struct as well, member by member.
    if !text.trim_start().starts_with('{') {
        return Err(bad("not an object".into()));
    }
    let header: Header = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    // The peer may count in signed 64 bits.
    if i64::try_from(header.data_len).is_err() {
        return Err(bad(format!("data_len is {}", header.data_len)));
    }
    Ok(header)
}

/// `None` where a stranger uses one of our names for something else.
fn lenient<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(from)?).ok())
}

/// The head of a message, length and JSON: everything that goes before the body.
///
/// Send it together with the body, in one write: see [`Outgoing`](crate::Outgoing).
///
/// # Errors
/// When the body is longer than `i32::MAX` bytes: the same bound as with a plain prefix.
pub fn encode_head(header: &Header) -> Result<Vec<u8>, EncodeError> {
    prefix::encode_head(header.data_len)?;
    let mut head = vec![0; PREFIX_LEN];
    // Writing numbers and booleans into memory has no way to fail; were there one, it would be ours.
    serde_json::to_writer(&mut head, header)
        .map_err(|_| EncodeError { length: header.data_len })?;
    let prefix = prefix::encode_head(head.len() - PREFIX_LEN)?;
    head[..PREFIX_LEN].copy_from_slice(&prefix);
    Ok(head)
}

fn bad(reason: String) -> FrameError {
    FrameError::BadHeader { reason }
}
