//! One run: the sender sends, the network cuts, and the receiver calls `recv` whenever something has arrived.

use crate::cut::{Cut, sizes};
use crate::decoding::{Decoding, Outcome, hex};
use crate::framing::FramingName;
use crate::messages::{self, escape};
use crate::receiver::Receiver;
use crate::shown::{Refusal, Sent, Shown};
use event::Event;
use serde::Deserialize;
use timeline::{Message, Part, Stream, StreamError};

/// At most this many bytes are sent. Nobody would look at more steps than that.
const LONGEST: usize = 4096;

/// What is played.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// One message per line: see [`messages::parse`].
    messages: String,
    framing: FramingName,
    /// How the network cuts the stream: see [`Cut`].
    cut: String,
    /// How many bytes each `recv` takes at most: `1024`, or `2,5`, where the last number also counts for all later ones.
    reads: String,
    /// Whether the receiver reads only when everything that was sent has arrived.
    #[serde(default)]
    late: bool,
    /// How wide the picture may be, in pixels.
    #[serde(default = "widest")]
    width: usize,
}

/// As wide as a picture can be.
pub fn widest() -> usize {
    timeline::WIDTH
}

/// Plays it.
///
/// # Errors
/// What was expected of the situation, and what it had instead.
pub fn play(situation: &Situation) -> Result<Shown, Refusal> {
    let in_field = |field| move |why| Refusal { field: Some(field), why };
    let messages = messages::parse(&situation.messages).map_err(in_field("messages"))?;
    let cut: Cut = situation.cut.parse().map_err(in_field("cut"))?;
    let reads = reads(&situation.reads).map_err(in_field("reads"))?;
    let encode = |message: &Vec<u8>| situation.framing.encode(message);
    let encoded: Result<Vec<[Vec<u8>; 3]>, String> = messages.iter().map(encode).collect();
    let encoded = encoded.map_err(in_field("messages"))?;
    let len: usize = encoded.iter().flatten().map(Vec::len).sum();
    if len > LONGEST {
        let why = format!("expected at most {LONGEST} bytes to send, got {len}");
        return Err(in_field("messages")(why));
    }
    if len == 0 {
        let why = "expected at least one byte to send, got none: without framing, an empty message sends nothing";
        return Err(in_field("messages")(why.to_owned()));
    }
    let sends = sends(&encoded, situation.framing);
    let mut ends = Vec::new();
    for send in &sends {
        ends.push(ends.last().unwrap_or(&0) + send.len());
    }
    let cuts = cut.places(&ends);
    let played = Run::new(situation, &reads, cuts, messages.len()).play(&sends);
    let named = named(&messages, &encoded);
    let shown = played.streams(&named).map_err(|error| Refusal::of(&error))?;
    let parties = [
        ("sender", played.sender.events),
        ("network", played.segments),
        ("receiver", played.receiver.events),
    ];
    let mut run = timeline::steps_json(&shown, &parties, situation.width);
    // These times only say what came first: nothing was measured.
    for step in run["steps"].as_array_mut().into_iter().flatten() {
        step.as_object_mut().and_then(|step| step.remove("t"));
    }
    let stream = Sent {
        hex: hex(&played.stream),
        all_came: played.came == messages,
        messages: sent(&encoded, played.stream.len()),
        cuts: played.cuts,
    };
    Ok(Shown {
        run,
        decodings: vec![played.decoding],
        connections: Vec::new(),
        remarks: Vec::new(),
        stream: Some(stream),
    })
}

fn reads(text: &str) -> Result<Vec<usize>, String> {
    sizes(text).ok_or_else(|| {
        format!(
            "expected a size in bytes, at least 1, such as 1024, or one for each recv, such as 2,5; got \"{text}\""
        )
    })
}

/// What each send sends. It's one send per message, so that nothing waits for an ACK; only the ack handshake has to wait.
fn sends(encoded: &[[Vec<u8>; 3]], framing: FramingName) -> Vec<Vec<u8>> {
    let sends = encoded.iter().flat_map(|[head, payload, tail]| match framing {
        FramingName::Ack => vec![head.clone(), payload.clone()],
        _ => vec![[&head[..], payload, tail].concat()],
    });
    sends.collect()
}

/// Of each message that was sent, or of which something was sent, the three lengths. One that gives up may be sent less.
fn sent(encoded: &[[Vec<u8>; 3]], len: usize) -> Vec<[usize; 3]> {
    let lengths = encoded.iter().map(|parts| parts.each_ref().map(Vec::len));
    let begun = lengths.scan(0, |at, parts| {
        let first = *at + parts.iter().sum::<usize>().min(1);
        *at += parts.iter().sum::<usize>();
        Some((first, parts))
    });
    begun.take_while(|(first, _)| *first <= len).map(|(_, parts)| parts).collect()
}

/// One of the two programs: its calls, and how many bytes it has sent and received.
struct Party {
    pid: u32,
    events: Vec<Event>,
    sent: usize,
    received: usize,
}

/// A run under way.
struct Run<'a> {
    reads: &'a [usize],
    cuts: Vec<usize>,
    framing: FramingName,
    late: bool,
    moment: u64,
    sender: Party,
    receiver: Party,
    segments: Vec<Event>,
    /// What the sender has sent, and how much of it has arrived.
    stream: Vec<u8>,
    arrived: usize,
    program: Receiver,
    /// How many messages it asks for.
    asks: usize,
    came: Vec<Vec<u8>>,
    decoding: Decoding,
}

const SENDER: &str = "127.0.0.1:51412";
const RECEIVER: &str = "127.0.0.1:8888";

impl<'a> Run<'a> {
    fn new(situation: &Situation, reads: &'a [usize], cuts: Vec<usize>, asks: usize) -> Run<'a> {
        let framing = situation.framing;
        let party = |pid| Party { pid, events: Vec::new(), sent: 0, received: 0 };
        Run {
            reads,
            cuts,
            framing,
            late: situation.late,
            moment: 0,
            sender: party(1),
            receiver: party(2),
            segments: Vec::new(),
            stream: Vec::new(),
            arrived: 0,
            program: Receiver::new(framing),
            asks,
            came: Vec::new(),
            decoding: Decoding::default(),
        }
    }

    fn play(mut self, sends: &[Vec<u8>]) -> Run<'a> {
        if self.framing == FramingName::Ack {
            self.handshakes(sends);
            return self;
        }
        for bytes in sends.iter().filter(|bytes| !bytes.is_empty()) {
            self.send(bytes);
        }
        let moment = self.next();
        self.sender.note(Event { t_us: moment, call: "close".into(), conn: 1, ..Event::default() });
        self.deliver();
        if !self.decoding.gave_up() {
            self.recv();
        }
        self
    }

    /// Each message is a length, and after the receiver's `OK` that many bytes. If one of the two waits for what won't come, or
    /// the receiver gives up, the run ends there.
    fn handshakes(&mut self, sends: &[Vec<u8>]) {
        for (message, before) in sends.chunks(2).zip(0..) {
            let [length, body] = message else { return };
            // The receiver asks for the next message once it has the one before.
            if self.decoding.gave_up() || self.came.len() < before {
                return;
            }
            self.send(length);
            self.deliver();
            if self.decoding.gave_up() || self.sender.received == self.receiver.sent {
                return;
            }
            let moment = self.next();
            self.sender.receive(proto::ack::OK, proto::ack::OK.len(), moment);
            if !body.is_empty() {
                self.send(body);
                self.deliver();
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        let moment = self.next();
        self.sender.send(bytes, moment);
        self.stream.extend(bytes);
    }

    /// Everything that was sent arrives, a piece at a time. After each piece the receiver reads, unless it's late.
    fn deliver(&mut self) {
        while self.arrived < self.stream.len() && !self.decoding.gave_up() {
            let from = self.arrived;
            let cut = self.cuts.iter().copied().find(|cut| *cut > from);
            self.arrived = cut.map_or(self.stream.len(), |cut| cut.min(self.stream.len()));
            let moment = self.next();
            let piece = self.stream[from..self.arrived].to_vec();
            let mut segment = moved("segment", "out", from, &piece, piece.len(), moment);
            segment.asked = None; // only a call asks for a number of bytes
            (segment.local, segment.peer) = (Some(SENDER.into()), Some(RECEIVER.into()));
            self.segments.push(segment);
            if !self.late {
                self.read();
            }
        }
        self.read();
    }

    /// The receiver reads what has arrived; in the ack handshake, until it has all the messages that it asks for.
    fn read(&mut self) {
        while self.receiver.received < self.arrived && !self.decoding.gave_up() && !self.has_all() {
            self.recv();
        }
    }

    fn has_all(&self) -> bool {
        self.framing == FramingName::Ack && self.came.len() >= self.asks
    }

    /// One `recv`, and what the receiver makes of it. When everything has been read, that's the end of the stream.
    fn recv(&mut self) {
        let asked = self.reads[self.decoding.recvs.len().min(self.reads.len() - 1)];
        let from = self.receiver.received;
        let until = self.arrived.min(from.saturating_add(asked));
        let bytes = self.stream[from..until].to_vec();
        let moment = self.next();
        self.receiver.receive(&bytes, asked, moment);
        let outcome = match bytes.is_empty() {
            true => self.program.end(),
            false => self.program.receive(&bytes, self.arrived - until),
        };
        if matches!(&outcome, Outcome::Took(took) if took.ok) {
            let moment = self.next();
            self.receiver.send(proto::ack::OK, moment);
        }
        self.came.extend(outcome.messages().iter().cloned());
        self.decoding.push(outcome);
        if self.has_all() {
            self.decoding.stop();
        }
    }

    fn next(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    /// What was sent and, in the ack handshake, what was answered.
    fn streams(&self, named: &[Message]) -> Result<Vec<Stream>, StreamError> {
        let sent = Stream::from_events(&self.sender.events, &self.receiver.events)?
            .via("network", &self.segments)?
            .between("sender", "receiver");
        if self.framing != FramingName::Ack {
            return Ok(vec![sent.with_messages(named)]);
        }
        let answered = Stream::from_events(&self.receiver.events, &self.sender.events)?
            .between("receiver", "sender");
        Ok(vec![sent.with_messages(named), answered])
    }
}

/// The messages, with the names that the picture gives them.
fn named(messages: &[Vec<u8>], encoded: &[[Vec<u8>; 3]]) -> Vec<Message> {
    const SHOWN: usize = 16;
    let message =
        |((message, [head, payload, tail]), number): ((&Vec<u8>, &[Vec<u8>; 3]), usize)| {
            let text = columns::cut(&escape(message), SHOWN);
            let framing = |bytes: &[u8]| Part { kind: timeline::Kind::Framing, len: bytes.len() };
            let payload = Part { kind: timeline::Kind::Payload, len: payload.len() };
            let mut parts = vec![framing(head), payload, framing(tail)];
            parts.retain(|part| part.len > 0);
            Message { name: format!("message {number} \"{text}\""), parts }
        };
    messages.iter().zip(encoded).zip(1..).map(message).collect()
}

impl Party {
    fn send(&mut self, bytes: &[u8], t_us: u64) {
        self.note(moved("send", "out", self.sent, bytes, bytes.len(), t_us));
        self.sent += bytes.len();
    }

    fn receive(&mut self, bytes: &[u8], asked: usize, t_us: u64) {
        self.note(moved("recv", "in", self.received, bytes, asked, t_us));
        self.received += bytes.len();
    }

    fn note(&mut self, event: Event) {
        self.events.push(Event { pid: self.pid, ..event });
    }
}

/// A call that moved these bytes.
fn moved(call: &str, dir: &str, offset: usize, data: &[u8], asked: usize, t_us: u64) -> Event {
    Event {
        t_us,
        call: call.to_owned(),
        conn: 1,
        dir: Some(dir.to_owned()),
        asked: Some(asked as u64),
        got: Some(data.len() as u64),
        offset: Some(offset as u64),
        data: Some(data.to_vec()),
        ..Event::default()
    }
}
