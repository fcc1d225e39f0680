//! How the programs mark where a message ends. Once you know it, you can find the messages in any recorded stream.

use crate::bytes;
use crate::message::{Kind, Message, Part, PlacedMessage};
use crate::stream::Stream;
use proto::json::{JsonFraming, LENGTH_KEY};
use proto::prefix::{BigEndianFraming, PrefixFraming};
use proto::{Framing as _, MAX_FRAME, Parsed};
use std::fmt;
use std::str::FromStr;

/// How the programs mark where a message ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Four bytes of length in front, little-endian: `struct.pack('<i', n)`.
    Prefix,
    /// Four bytes of length in front, big-endian: `struct.pack('>i', n)`.
    PrefixBigEndian,
    /// The length of a JSON header in four bytes, little-endian; the header, in which this key holds the length of the
    /// body; and the body.
    Json {
        /// `data_len` in this course, `total_size` elsewhere.
        length_key: String,
    },
    /// A line feed after each message, or a carriage return and a line feed.
    Lines,
    /// Nothing does: these are bytes.
    None,
}

impl FromStr for Framing {
    type Err = NotAFraming;

    /// `prefix`, `prefix-be`, `json`, `json:KEY`, `lines` or `none`.
    fn from_str(name: &str) -> Result<Framing, NotAFraming> {
        let key = |key: &str| Framing::Json { length_key: key.to_owned() };
        Ok(match name.split_once(':').unwrap_or((name, LENGTH_KEY)) {
            ("json", length_key) if !length_key.is_empty() => key(length_key),
            _ => match name {
                "prefix" => Framing::Prefix,
                "prefix-be" => Framing::PrefixBigEndian,
                "lines" => Framing::Lines,
                "none" => Framing::None,
                _ => return Err(NotAFraming),
            },
        })
    }
}

/// The text was not the name of a framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAFraming;

impl fmt::Display for NotAFraming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected prefix, prefix-be, json, json:KEY, lines or none")
    }
}

impl std::error::Error for NotAFraming {}

/// The parts of the message at the front of some bytes, in order; `None` if there are not enough bytes yet to tell.
type Found = Option<Vec<Part>>;

impl Stream {
    /// Finds the messages in the stream itself. Where bytes don't parse, or were not recorded, they're drawn as plain bytes
    /// from there on, and a sentence says so.
    #[must_use]
    pub fn framed(mut self, framing: &Framing) -> Stream {
        let bytes = self.recorded_bytes();
        self.messages.clear();
        self.unframed = None;
        let mut offset = 0;
        while offset < bytes.len() && *framing != Framing::None {
            let rest = &bytes[offset..];
            match framing.parts(rest) {
                Ok(Some(parts)) => {
                    let number = self.messages.len() + 1;
                    let begin = bytes::preview(payload(rest, &parts));
                    let message = Message { name: format!("message {number} \"{begin}\""), parts };
                    let placed = PlacedMessage { number, message, offset };
                    offset = placed.end();
                    self.messages.push(placed);
                }
                Ok(None) => {
                    let why = format!("a message begins at offset {offset}");
                    self.unframed =
                        Some(format!("{why}, but the rest of it {}", self.missing(&bytes, "was")));
                    return self;
                }
                Err(why) => {
                    let why = columns::visible(&why);
                    self.unframed =
                        Some(format!("no messages found from offset {offset} on: {why}"));
                    return self;
                }
            }
        }
        if let Some(missing) = offset.checked_sub(bytes.len()).filter(|missing| *missing > 0) {
            let number = self.messages.len();
            let missing = bytes::count(missing);
            let rest = self.missing(&bytes, "were");
            self.unframed = Some(format!("{missing} of message {number} {rest}"));
        } else if *framing != Framing::None && bytes.len() < self.len() {
            let from = bytes.len();
            self.unframed = Some(format!("from offset {from} on, the bytes were not recorded"));
        }
        self
    }

    /// Why no more bytes are known than these.
    fn missing(&self, bytes: &[u8], was: &str) -> String {
        if bytes.len() < self.len() { format!("{was} not recorded") } else { "never came".into() }
    }

    /// The bytes of the stream from its beginning up to the first gap, put together from all lanes.
    fn recorded_bytes(&self) -> Vec<u8> {
        let lanes = self.lanes();
        let mut bytes = Vec::new();
        loop {
            let at = bytes.len();
            let next = lanes.iter().find_map(|lane| {
                let calls =
                    &lane.calls[lane.calls.partition_point(|call| call.known_end() <= at)..];
                let call = calls.first().filter(|call| call.offset <= at)?;
                Some(call.bytes(&(at..call.known_end())))
            });
            match next {
                Some(more) if !more.is_empty() => bytes.extend_from_slice(more),
                _ => return bytes,
            }
        }
    }
}

/// The first stretch of payload, as far as it's there.
fn payload<'a>(message: &'a [u8], parts: &[Part]) -> &'a [u8] {
    let mut at = 0;
    for part in parts {
        let end = (at + part.len).min(message.len());
        if part.kind == Kind::Payload {
            return &message[at..end];
        }
        at = end;
    }
    &[]
}

impl Framing {
    /// The parts of the message at the front of `bytes`.
    fn parts(&self, bytes: &[u8]) -> Result<Found, String> {
        let part = |kind, len| Part { kind, len };
        let framed = |head, body| vec![part(Kind::Framing, head), part(Kind::Payload, body)];
        let parsed = |parsed: Result<Parsed<()>, proto::FrameError>| match parsed {
            Ok(Parsed::Head { head_len, body_len, .. }) => Ok(Some(framed(head_len, body_len))),
            Ok(Parsed::NeedMore(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        match self {
            Framing::Prefix => parsed(PrefixFraming::default().head(bytes)),
            Framing::PrefixBigEndian => parsed(BigEndianFraming::default().head(bytes)),
            Framing::Json { length_key } => {
                let mut framing =
                    JsonFraming { max_frame: MAX_FRAME, length_key: length_key.clone() };
                let head = framing.head(bytes).map(|parsed| match parsed {
                    Parsed::Head { head_len, body_len, .. } => {
                        Parsed::Head { head: (), head_len, body_len }
                    }
                    Parsed::NeedMore(progress) => Parsed::NeedMore(progress),
                });
                parsed(head)
            }
            Framing::Lines => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let parts = |feed: usize| {
                    let end = bytes[..feed].strip_suffix(b"\r").map_or(feed, <[u8]>::len);
                    vec![part(Kind::Payload, end), part(Kind::Framing, feed + 1 - end)]
                };
                Ok(end.map(parts))
            }
            Framing::None => Ok(None),
        }
    }
}
