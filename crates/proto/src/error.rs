//! What the peer can do wrong, and what we can do wrong: two different errors.

use std::fmt;
use std::ops::RangeInclusive;

/// The peer broke the agreement, or the stream ended too early.
///
/// Either way this stream is over. Once you have lost your place in a stream you cannot find it
/// again, because any four bytes can be a length.
///
/// Text from the peer is escaped. It is a `Box<str>` to keep the error small: every decoder has room for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The stream ended inside a message: this much of it had arrived.
    Truncated(Progress),
    /// The stream ended where an answer was due, before its first byte.
    NoAnswer,
    /// A 4-byte length out of range; nothing was allocated for it.
    BadPrefix {
        /// The length that was received.
        bytes: [u8; 4],
        /// Which lengths are accepted.
        allowed: RangeInclusive<i32>,
    },
    /// The same for a prefix with the most significant byte first.
    BadBigEndian {
        /// The length that was received.
        bytes: [u8; 4],
        /// Which lengths are accepted.
        allowed: RangeInclusive<i32>,
    },
    /// A length above the limit that was not in a prefix; nothing was allocated for it.
    TooLong {
        /// The length that was read.
        length: u64,
        /// The longest that is accepted.
        limit: usize,
    },
    /// No line feed within the longest line that is accepted.
    LongLine {
        /// How many bytes may come before the line feed.
        limit: usize,
    },
    /// A line that is not a message.
    BadLine {
        /// What is wrong with it, as in `it ends in a backslash that escapes nothing`.
        reason: Box<str>,
    },
    /// There is not enough memory for this message. This ends the stream, but not the process.
    NoMemory {
        /// How many bytes the buffer needed.
        wanted: usize,
    },
    /// The ack protocol's length text is not 1 to 10 decimal digits.
    BadLength {
        /// The beginning of the text that was received.
        text: Box<str>,
    },
    /// Something other than the `OK` of the ack protocol.
    BadAck {
        /// What was received instead.
        text: Box<str>,
    },
    /// Bytes after the end of an answer that no length announced.
    Trailing {
        /// How many have arrived so far.
        count: usize,
    },
    /// A whole message that arrived before we sent a request.
    Unasked {
        /// How many bytes arrived, and what they say: `43 more bytes: "refused: …"`.
        bytes: Box<str>,
    },
    /// The JSON header cannot be read.
    BadHeader {
        /// What is wrong with it, as in `it is not an object`.
        reason: Box<str>,
    },
    /// The JSON header does not say how long the body is; perhaps under another key.
    NoLengthKey {
        /// Which key is missing, and which ones are there: `no data_len, only total_size, name`.
        reason: Box<str>,
    },
}

impl FrameError {
    /// Whether the four bytes of a [`BadPrefix`](FrameError::BadPrefix) are text. If so, the peer probably
    /// sends its requests or answers without a length in front.
    pub fn looks_like_text(&self) -> bool {
        matches!(self, FrameError::BadPrefix { bytes, .. } if is_text(bytes))
    }
}

/// Printable ASCII and line ends.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Truncated(Progress { part: Part::Line, got, .. }) => {
                let bytes = if *got == 1 { "byte" } else { "bytes" };
                write!(f, "the stream ended inside a line: {got} {bytes} came, and no line feed")
            }
            FrameError::Truncated(Progress { part, got, want }) => {
                write!(f, "the stream ended inside the {part}: {got} of {want} bytes came")
            }
            FrameError::NoAnswer => {
                f.write_str("the stream ended before an answer: not a byte of it came")
            }
            FrameError::BadPrefix { bytes, allowed }
            | FrameError::BadBigEndian { bytes, allowed } => {
                let (least, most) = (allowed.start(), allowed.end());
                let [little, big] = [i32::from_le_bytes(*bytes), i32::from_be_bytes(*bytes)];
                let is_little = matches!(self, FrameError::BadPrefix { .. });
                let (value, other) = if is_little { (little, big) } else { (big, little) };
                let [a, b, c, d] = bytes;
                write!(f, "expected a length from {least} to {most}, got {value} ")?;
                write!(f, "({a:02x} {b:02x} {c:02x} {d:02x}, ")?;
                if is_text(bytes) {
                    write!(f, "as text \"{}\", ", bytes.escape_ascii())?;
                }
                write!(f, "in the other byte order {other})")
            }
            FrameError::TooLong { length, limit } => {
                write!(f, "expected a length of at most {limit}, got {length}")
            }
            FrameError::LongLine { limit } => {
                write!(f, "expected a line feed after at most {limit} bytes, got none")
            }
            FrameError::BadLine { reason } => write!(f, "expected a line, but {reason}"),
            FrameError::NoMemory { wanted } => {
                write!(f, "there is no memory for {wanted} bytes of this message")
            }
            FrameError::BadLength { text } => {
                write!(f, "expected a length of 1 to 10 decimal digits, got \"{text}\"")
            }
            FrameError::BadAck { text } => write!(f, "expected \"OK\", got \"{text}\""),
            FrameError::Trailing { count } => {
                let bytes = if *count == 1 { "byte" } else { "bytes" };
                write!(f, "expected nothing, got {count} more {bytes}")
            }
            FrameError::Unasked { bytes } => write!(f, "expected nothing, got {bytes}"),
            FrameError::BadHeader { reason } => write!(f, "expected a JSON header, but {reason}"),
            FrameError::NoLengthKey { reason } => {
                write!(f, "expected a JSON header with the length of the body, but it has {reason}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// How much of a piece of a message has arrived. Displays as `3 of 100 bytes of the body`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The piece.
    pub part: Part,
    /// How many bytes of it have arrived.
    pub got: usize,
    /// How many it has. Where that can't be known, it is 1 (a raw request, the ack protocol's length) or one more than have
    /// arrived (a line).
    pub want: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { part, got, want } = self;
        if *part == Part::Line {
            return write!(f, "{got} {} of a line", if *got == 1 { "byte" } else { "bytes" });
        }
        write!(f, "{got} of {want} bytes of the {part}")
    }
}

/// The pieces of a message, in the order in which they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The length at the very beginning.
    Length,
    /// The JSON header.
    Header,
    /// The payload.
    Body,
    /// The ack protocol's `OK`, which travels the other way.
    Ack,
    /// A line, up to its line feed.
    Line,
    /// A message of fixed length.
    Record,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Length => "length prefix",
            Part::Header => "header",
            Part::Body => "body",
            Part::Ack => "client's \"OK\"",
            Part::Line => "line",
            Part::Record => "record",
        })
    }
}

/// The message is too long to be sent in this protocol; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The length of that message's body.
    pub length: usize,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EncodeError { length } = self;
        write!(
            f,
            "a body of {length} bytes does not fit a signed 32-bit length (at most {})",
            i32::MAX
        )
    }
}

impl std::error::Error for EncodeError {}
