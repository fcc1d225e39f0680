//! Fix 1, the ack handshake: announce the length, wait for `OK`, send the bytes.
//!
//! ```text
//! server                       client
//! "327"              ------>   recv: how long?
//!                    <------   "OK"
//! 327 bytes          ------>   recv until all are there
//! ```
//!
//! This is the tutorial's protocol with its weakness. Nothing marks the end of the text `327`: the
//! client takes what *one* `recv` returns. If the network cuts it into `3` and `27`, the client
//! believes 3. The handshake separates the length and the bytes in time, so that one `recv` never
//! returns both, but it doesn't mark a boundary. And every answer costs one more round trip.

use crate::{EncodeError, FrameError, Framing, Parsed, Part, Progress};

/// What the client sends when it has read the length.
pub const OK: &[u8; 2] = b"OK";

/// The longest length text: `i32::MAX` has ten digits.
pub const MAX_DIGITS: usize = 10;

/// The length text of a body of `length` bytes: what goes before the peer's `OK`.
///
/// # Errors
/// When the body is longer than `i32::MAX` bytes: the same limit as in the other protocols.
pub fn encode_head(length: usize) -> Result<Vec<u8>, EncodeError> {
    crate::prefix::encode_head(length)?;
    Ok(length.to_string().into_bytes())
}

/// Reads the length text: 1 to 10 ASCII digits and nothing else.
///
/// Python's `int()` would also take `+5`, `5 `, `1_0` and `٣`. A protocol that accepts more than it
/// sends means different things to different peers.
///
/// # Errors
/// [`FrameError::BadLength`] when `text` is anything else, [`FrameError::TooLong`] above `limit`.
pub fn decode_length(text: &[u8], limit: usize) -> Result<usize, FrameError> {
    let digits = (1..=MAX_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    if !digits {
        let start = &text[..text.len().min(MAX_DIGITS + 1)];
        return Err(FrameError::BadLength { text: start.escape_ascii().to_string().into() });
    }
    let length = text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match usize::try_from(length) {
        Ok(length) if length <= limit => Ok(length),
        _ => Err(FrameError::TooLong { length, limit }),
    }
}

/// Checks that the client's answer is [`OK`]. `text` is shorter only if the stream has ended.
///
/// # Errors
/// [`FrameError::Truncated`] when bytes are missing, [`FrameError::BadAck`] when it is anything else.
pub fn decode_ok(text: &[u8]) -> Result<(), FrameError> {
    if text == OK {
        return Ok(());
    }
    if OK.starts_with(text) {
        let (part, got, want) = (Part::Ack, text.len(), OK.len());
        return Err(FrameError::Truncated(Progress { part, got, want }));
    }
    Err(FrameError::BadAck { text: text.escape_ascii().to_string().into() })
}

/// A body whose length was announced beforehand, as a [`Framing`] of exactly one message.
///
/// Call [`expect_nothing_more`](crate::Decoder::expect_nothing_more) after the body: more bytes than were
/// announced are an error, not the beginning of the next answer.
#[derive(Clone, Copy, Debug)]
pub struct KnownLength(Option<usize>);

impl KnownLength {
    /// Expects one body of `length` bytes.
    pub fn new(length: usize) -> Self {
        KnownLength(Some(length))
    }
}

impl Framing for KnownLength {
    type Head = ();

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        match self.0.take() {
            Some(body_len) => Ok(Parsed::Head { head: (), head_len: 0, body_len }),
            None if bytes.is_empty() => {
                Ok(Parsed::NeedMore(Progress { part: Part::Length, got: 0, want: 1 }))
            }
            None => Err(FrameError::Trailing { count: bytes.len() }),
        }
    }
}
