//! The receiving program: it gets what a `recv` returned, and turns it into messages with the decoder of `proto`.

use crate::decoding::{Outcome, Took};
use crate::framing::FramingName;
use proto::ack::{self, KnownLength};
use proto::json::JsonFraming;
use proto::lines::{self, LinesFraming};
use proto::prefix::{BigEndianFraming, PrefixFraming};
use proto::{Decoder, FrameError, Framing, MAX_FRAME};

/// The program that receives.
pub enum Receiver {
    /// It treats what one `recv` returned as one message.
    EachRecv,
    Prefix(Decoder<PrefixFraming>),
    PrefixBe(Decoder<BigEndianFraming>),
    Json(Decoder<JsonFraming>),
    Lines(Decoder<LinesFraming>),
    Ack(Ack),
}

/// How far the client of the ack handshake has got.
pub enum Ack {
    /// It will treat what one `recv` returns as the length.
    Length,
    /// It reads that many bytes.
    Body(Decoder<KnownLength>),
}

impl Receiver {
    pub fn new(framing: FramingName) -> Receiver {
        match framing {
            FramingName::None => Receiver::EachRecv,
            FramingName::Prefix => Receiver::Prefix(Decoder::new(PrefixFraming::default())),
            FramingName::PrefixBe => Receiver::PrefixBe(Decoder::new(BigEndianFraming::default())),
            FramingName::Json => Receiver::Json(Decoder::new(JsonFraming::default())),
            FramingName::Lines => Receiver::Lines(Decoder::new(LinesFraming::default())),
            FramingName::Ack => Receiver::Ack(Ack::Length),
        }
    }

    /// Makes what it can of the `bytes` that one `recv` returned. `waiting` more bytes have arrived, too.
    pub fn receive(&mut self, bytes: &[u8], waiting: usize) -> Outcome {
        Outcome::Took(match self {
            Receiver::EachRecv => return Outcome::EachRecv(bytes.to_vec()),
            Receiver::Prefix(decoder) => feed(decoder, bytes),
            Receiver::PrefixBe(decoder) => feed(decoder, bytes),
            Receiver::Json(decoder) => feed(decoder, bytes),
            Receiver::Lines(decoder) => unescaped(feed(decoder, bytes)),
            Receiver::Ack(ack) => ack.receive(bytes, waiting),
        })
    }

    /// A `recv` has returned 0 bytes: the stream has ended.
    pub fn end(&mut self) -> Outcome {
        let end = match self {
            Receiver::EachRecv | Receiver::Ack(Ack::Length) => Ok(()),
            Receiver::Prefix(decoder) => decoder.check_end(),
            Receiver::PrefixBe(decoder) => decoder.check_end(),
            Receiver::Json(decoder) => decoder.check_end(),
            Receiver::Lines(decoder) => decoder.check_end(),
            Receiver::Ack(Ack::Body(decoder)) => decoder.check_end(),
        };
        Outcome::End(end.err().map(|error| error.to_string()))
    }
}

impl Ack {
    fn receive(&mut self, bytes: &[u8], waiting: usize) -> Took {
        match self {
            Ack::Length => match ack::decode_length(bytes, MAX_FRAME) {
                Ok(length) => {
                    let mut decoder = Decoder::new(KnownLength::new(length));
                    let took = feed(&mut decoder, &[]);
                    let has = took.messages.is_empty().then(|| decoder.progress().to_string());
                    if has.is_some() {
                        *self = Ack::Body(decoder);
                    }
                    Took { ok: true, has, ..took }
                }
                Err(error) => failed(&error),
            },
            Ack::Body(decoder) => {
                let mut took = feed(decoder, bytes);
                if !took.messages.is_empty() {
                    let more = decoder.expect_nothing_more(waiting);
                    took.error = more.err().map(|error| error.to_string());
                    *self = Ack::Length;
                }
                took
            }
        }
    }
}

/// The read loop of every program in the course, run with the bytes of one `recv`.
fn feed<F: Framing>(decoder: &mut Decoder<F>, mut bytes: &[u8]) -> Took {
    let mut took = Took::default();
    loop {
        match decoder.decode() {
            Ok(Some(frame)) => took.messages.push(frame.body.to_vec()),
            Err(error) => {
                took.error = Some(error.to_string());
                return took;
            }
            Ok(None) if bytes.is_empty() => break,
            Ok(None) => {
                let room = decoder.space();
                let taken = room.len().min(bytes.len());
                room[..taken].copy_from_slice(&bytes[..taken]);
                decoder.filled(taken);
                bytes = &bytes[taken..];
            }
        }
    }
    took.held = decoder.unread().to_vec();
    took.has = (!took.held.is_empty()).then(|| decoder.progress().to_string());
    took
}

/// The messages in the lines, up to the first line that isn't one.
fn unescaped(took: Took) -> Took {
    let mut decoded = Took { messages: Vec::new(), ..took };
    for line in &took.messages {
        match lines::decode(line) {
            Ok(message) => decoded.messages.push(message),
            Err(error) => return Took { messages: decoded.messages, ..failed(&error) },
        }
    }
    decoded
}

fn failed(error: &FrameError) -> Took {
    Took { error: Some(error.to_string()), ..Took::default() }
}
