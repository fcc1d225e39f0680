//! One direction of one connection: what was sent, what was received, and the messages the bytes belong to.

use crate::calls::{Call, StreamError, calls};
use crate::show;
use observe::Event;
use std::ops::Range;

/// One direction of one connection, as recorded on one or both sides.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(crate) sender: String,
    pub(crate) receiver: String,
    pub(crate) sends: Vec<Call>,
    pub(crate) recvs: Vec<Call>,
    pub(crate) messages: Vec<Placed>,
}

/// What the programs call one message, and what it consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name in the picture's words: "answer 1".
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
    /// What the message is about.
    Payload,
}

/// One `recv`, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Counted from 1.
    pub number: usize,
    /// Where in the stream its first byte stands.
    pub offset: usize,
    /// How many bytes it took. 0 without an error is the end of the stream.
    pub len: usize,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// What it took of each message, in order.
    pub pieces: Vec<Piece>,
    /// How many of its bytes belong to no message we know of.
    pub unknown: usize,
}

/// What one `recv` took of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which message, counted from 0.
    pub message: usize,
    /// Where in the message the piece begins.
    pub from: usize,
    /// How many bytes.
    pub len: usize,
    /// How many bytes the whole message has.
    pub of: usize,
}

impl Stream {
    /// Takes from what one side recorded its sends, and from what the other side recorded its recvs.
    ///
    /// Both may hold other calls too. A side that was not recorded is empty. Until
    /// [`with_messages`](Stream::with_messages) says otherwise, each send is one message.
    ///
    /// # Errors
    /// [`StreamError`] when the events are not those of one direction of one connection.
    pub fn from_events(sender: &[Event], receiver: &[Event]) -> Result<Stream, StreamError> {
        let (sends, recvs) = (calls(sender, "send")?, calls(receiver, "recv")?);
        for recv in &recvs {
            let first = sends.partition_point(|send| send.end() <= recv.offset);
            for send in sends[first..].iter().take_while(|send| send.offset < recv.end()) {
                let mut both = send.offset.max(recv.offset)..send.end().min(recv.end());
                if let Some(offset) =
                    both.find(|at| send.data[at - send.offset] != recv.data[at - recv.offset])
                {
                    return Err(StreamError::Differs { offset });
                }
            }
        }
        let mut stream = Stream {
            sender: "sender".into(),
            receiver: "receiver".into(),
            sends,
            recvs,
            messages: Vec::new(),
        };
        for send in stream.sends.iter().filter(|send| !send.data.is_empty()) {
            let name =
                format!("message {} \"{}\"", stream.messages.len() + 1, show::preview(&send.data));
            let parts = vec![Part { kind: Kind::Payload, len: send.data.len() }];
            stream.messages.push(Placed { message: Message { name, parts }, offset: send.offset });
        }
        Ok(stream)
    }

    /// Names the two sides.
    #[must_use]
    pub fn between(mut self, sender: &str, receiver: &str) -> Stream {
        (self.sender, self.receiver) = (sender.to_owned(), receiver.to_owned());
        self
    }

    /// Says which messages the stream carries, one behind the other from its first byte.
    #[must_use]
    pub fn with_messages(mut self, messages: &[Message]) -> Stream {
        let mut offset = 0;
        self.messages.clear();
        for message in messages {
            let name = show::text(message.name.as_bytes());
            self.messages
                .push(Placed { message: Message { name, parts: message.parts.clone() }, offset });
            offset += message.len();
        }
        self
    }

    /// What each `recv` took.
    pub fn reads(&self) -> Vec<Read> {
        let read = |(index, recv): (usize, &Call)| {
            let first = self.messages.partition_point(|placed| placed.end() <= recv.offset);
            let begun = self.messages.partition_point(|placed| placed.offset < recv.end());
            let pieces: Vec<Piece> = (first..begun).filter_map(|at| self.piece(recv, at)).collect();
            let known: usize = pieces.iter().map(|piece| piece.len).sum();
            Read {
                number: index + 1,
                offset: recv.offset,
                len: recv.data.len(),
                error: recv.error.clone(),
                unknown: recv.data.len() - known,
                pieces,
            }
        };
        self.recvs.iter().enumerate().map(read).collect()
    }

    fn piece(&self, recv: &Call, message: usize) -> Option<Piece> {
        let placed = &self.messages[message];
        let of = placed.message.len();
        let start = placed.offset.max(recv.offset);
        let end = placed.end().min(recv.end());
        (start < end).then(|| Piece { message, from: start - placed.offset, len: end - start, of })
    }
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

    /// All its bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len).sum()
    }
}

impl Read {
    /// Whether bytes of more than one message came in this one call.
    pub fn glued(&self) -> bool {
        self.pieces.len() > 1
    }

    /// Whether it begins or ends inside a message.
    pub fn cut(&self) -> bool {
        self.pieces.iter().any(|piece| piece.len < piece.of)
    }

    /// Whether it says that nothing more will come.
    pub fn is_end(&self) -> bool {
        self.len == 0 && self.error.is_none()
    }
}

/// A message at its place in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// With a name that a terminal can show.
    pub message: Message,
    pub offset: usize,
}

impl Placed {
    pub fn end(&self) -> usize {
        self.offset + self.message.len()
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
