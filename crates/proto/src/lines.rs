//! The delimiter: a line feed says where a message ends.
//!
//! ```text
//! [ message ... | 0a ]      or      [ message ... | 0d 0a ]
//!
//! 68 65 6c 6c 6f 0a         "hello"
//! 0a                        an empty message, and a valid one
//! 61 5c 6e 62 0a            "a", a line feed, "b": the line feed inside is sent as a backslash and an n
//! ```
//!
//! A length prefix says where the end is. A delimiter has to be searched for, and must not occur inside a
//! message. So three bytes are escaped: backslash as `\\`, line feed as `\n`, carriage return as `\r`. A CR can
//! then only be the first half of a CRLF, the line end of Telnet (RFC 854), SMTP and HTTP. We accept CRLF, but
//! never send it.

use crate::{FrameError, Framing, Parsed, Part, Progress};

/// The longest line that is accepted unless a program is told otherwise, in bytes before the line feed.
///
/// A length can be checked before its message arrives, but a line doesn't announce its length: without a limit,
/// a peer that never sends a line feed would fill our memory.
pub const MAX_LINE: usize = 1024;

/// Lines as a [`Framing`]. A frame's body is the line with its end: [`decode`] makes a message of it.
#[derive(Clone, Copy, Debug)]
pub struct LinesFraming {
    max_line: usize,
    /// This many bytes of the current line are known to have no line feed, so that no byte is searched twice.
    searched: usize,
}

impl LinesFraming {
    /// Lines of at most `max_line` bytes before the line feed.
    pub fn new(max_line: usize) -> Self {
        LinesFraming { max_line, searched: 0 }
    }
}

impl Default for LinesFraming {
    fn default() -> Self {
        LinesFraming::new(MAX_LINE)
    }
}

impl Framing for LinesFraming {
    type Head = ();

    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<()>, FrameError> {
        let new = bytes.get(self.searched..).unwrap_or_default();
        let found = new.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at);
        let got = bytes.len();
        if found.unwrap_or(got) > self.max_line {
            return Err(FrameError::LongLine { limit: self.max_line });
        }
        self.searched = if found.is_some() { 0 } else { got };
        Ok(match found {
            Some(end) => Parsed::Head { head: (), head_len: 0, body_len: end + 1 },
            // The next byte may be the end.
            None => Parsed::NeedMore(Progress { part: Part::Line, got, want: got + 1 }),
        })
    }
}

/// The line of a message: escaped, and with a line feed after it.
///
/// ```
/// assert_eq!(proto::lines::encode(b"hello"), b"hello\n");
/// assert_eq!(proto::lines::encode(b"a\nb"), b"a\\nb\n"); // 5 bytes: a \ n b LF
/// ```
pub fn encode(message: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(message.len() + 1);
    for &byte in message {
        match byte {
            b'\\' => line.extend(b"\\\\"),
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            _ => line.push(byte),
        }
    }
    line.push(b'\n');
    line
}

/// The message of a line: without its end, which is LF or CRLF, and without the escapes.
///
/// # Errors
/// [`FrameError::BadLine`] for a backslash that escapes nothing, and for a CR anywhere but before the LF: some
/// programs would treat that as a line end, and then two peers would see different messages (RFC 9112, 2.2).
pub fn decode(line: &[u8]) -> Result<Vec<u8>, FrameError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut message = Vec::with_capacity(line.len());
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        message.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'\\') => b'\\',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(other) => {
                    let other = other.escape_ascii();
                    let why = format!("a backslash with \"{other}\" after it means nothing");
                    return Err(FrameError::BadLine { reason: why.into() });
                }
                None => {
                    let why = "it ends in a backslash that escapes nothing";
                    return Err(FrameError::BadLine { reason: why.into() });
                }
            },
            b'\r' => {
                let why = "it has a carriage return without a line feed after it";
                return Err(FrameError::BadLine { reason: why.into() });
            }
            byte => byte,
        });
    }
    Ok(message)
}
