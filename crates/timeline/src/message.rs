//! What the programs treat as one message, and where it is in the stream.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// What the programs treat as one message: its name, and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name in the picture: "answer 1".
    pub name: String,
    /// Its bytes, in the order in which they travel.
    pub parts: Vec<Part>,
}

/// A stretch of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub kind: Kind,
    /// How many bytes.
    pub len: usize,
}

/// What a part of a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes that say where the message ends: a length prefix, a header.
    Framing,
    /// The content of the message.
    Payload,
}

impl Message {
    /// A message that is all payload.
    pub fn new(name: &str, len: usize) -> Message {
        Message { name: name.to_owned(), parts: vec![Part { kind: Kind::Payload, len }] }
    }

    /// A message that says its own length: `framing` bytes, then `payload` bytes.
    pub fn framed(name: &str, framing: usize, payload: usize) -> Message {
        let parts = vec![
            Part { kind: Kind::Framing, len: framing },
            Part { kind: Kind::Payload, len: payload },
        ];
        Message { name: name.to_owned(), parts }
    }

    /// Whether it says its own length.
    pub(crate) fn is_framed(&self) -> bool {
        self.parts.iter().any(|part| part.kind == Kind::Framing)
    }

    /// All its bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len).sum()
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Framing => "framing",
            Kind::Payload => "payload",
        })
    }
}

/// A message at its place in the stream.
#[derive(Clone, Debug)]
pub(crate) struct PlacedMessage {
    /// Counted from 1, with those that have no bytes.
    pub number: usize,
    /// Its name is safe to show in a terminal.
    pub message: Message,
    pub offset: usize,
}

impl PlacedMessage {
    pub fn end(&self) -> usize {
        self.offset + self.message.len()
    }

    /// Whether the framing comes after the payload, as a line end does.
    pub fn ends_in_framing(&self) -> bool {
        self.message.parts.last().is_some_and(|part| part.kind == Kind::Framing)
    }

    /// Its parts at their places.
    pub fn parts(&self) -> impl Iterator<Item = (Kind, Range<usize>)> {
        self.message.parts.iter().scan(self.offset, |at, part| {
            let start = *at;
            *at += part.len;
            Some((part.kind, start..*at))
        })
    }
}
