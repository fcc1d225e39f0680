//! What can be wrong with a stream, and what can be wrong with us: two different errors.

use std::fmt;

/// The peer broke the agreement, or the stream ended inside a message.
///
/// Either way this stream is over: whoever has lost the place in a stream cannot find it again, for
/// any four bytes may be a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The stream ended inside a message.
    Truncated {
        /// The piece of the message that was being read.
        part: Part,
        /// How many bytes of that piece came.
        got: usize,
        /// How many it has.
        want: usize,
    },
    /// A length below zero.
    Negative {
        /// The length that was read.
        length: i32,
    },
    /// A length above the limit; nothing was allocated for it.
    TooLong {
        /// The length that was read.
        length: u64,
        /// The longest that is accepted.
        limit: usize,
    },
    /// There's no memory for this much of the message. It ends this stream, not the process.
    NoMemory {
        /// How many bytes of room were needed.
        wanted: usize,
    },
    /// The ack protocol's length text is not 1 to 10 decimal digits.
    BadLength {
        /// The start of the text that came, escaped.
        text: String,
    },
    /// Not `OK` where the ack protocol has it.
    BadAck {
        /// What came, escaped.
        text: String,
    },
    /// More bytes than the ack protocol's length announced.
    Trailing {
        /// How many more have come so far.
        count: usize,
    },
    /// The JSON header is not an object with one usable `data_len`.
    BadHeader {
        /// What is wrong with it.
        reason: String,
    },
}

/// The pieces of a message, in the order in which they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The 4-byte length.
    Length,
    /// The JSON header.
    Header,
    /// The payload.
    Body,
    /// The ack protocol's `OK`, which travels the other way.
    Ack,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Length => "length prefix",
            Part::Header => "header",
            Part::Body => "body",
            Part::Ack => "client's \"OK\"",
        })
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Truncated { part, got, want } => {
                write!(f, "the stream ended inside the {part}: {got} of {want} bytes came")
            }
            FrameError::Negative { length } => {
                write!(
                    f,
                    "expected a length of 0 or more, got {length}; does the peer frame its messages?"
                )
            }
            FrameError::TooLong { length, limit } => write!(
                f,
                "expected a length of at most {limit}, got {length}; \
                 does the peer frame its messages, or is --max-frame too small?"
            ),
            FrameError::NoMemory { wanted } => {
                write!(f, "there is no memory for {wanted} bytes of this message")
            }
            FrameError::BadLength { text } => {
                write!(f, "expected a length of 1 to 10 decimal digits, got \"{text}\"")
            }
            FrameError::BadAck { text } => write!(f, "expected \"OK\", got \"{text}\""),
            FrameError::Trailing { count } => {
                write!(f, "expected nothing after the announced length, got {count} more bytes")
            }
            FrameError::BadHeader { reason } => {
                write!(f, "expected a JSON header with data_len: {reason}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// We were asked to send a message that the agreement cannot carry; nothing was written.
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
