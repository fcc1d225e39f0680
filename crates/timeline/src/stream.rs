//! One direction of one connection: what was sent, what was received, and the messages the bytes belong to.

use crate::bytes;
use crate::calls::{
    Call, Retransmission, attach_notes, calls, contradiction, segments, would_block,
};
use crate::error::StreamError;
use crate::message::{Kind, Message, Part, PlacedMessage};
use event::Event;
use std::collections::BTreeSet;
use std::ops::Range;

/// One direction of one connection, as recorded on one or both sides.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(crate) sender: String,
    pub(crate) receiver: String,
    /// What distinguishes it from another stream between the same two.
    pub(crate) title: Option<String>,
    pub(crate) sends: Vec<Call>,
    pub(crate) recvs: Vec<Call>,
    pub(crate) via: Option<Via>,
    /// Whether the sender and the receiver were recorded at all.
    pub(crate) recorded: [bool; 2],
    /// What they recorded on the sockets of this connection.
    events: [Vec<Event>; 2],
    pub(crate) messages: Vec<PlacedMessage>,
    /// Whether these are datagrams: an empty one is not the end of the stream.
    pub(crate) datagrams: bool,
    /// Whether some of them arrived in a different order from the one in which they were sent.
    pub(crate) overtaken: bool,
    /// A sentence that says from which offset on no messages were found, and why.
    pub(crate) unframed: Option<String>,
}

/// What travelled between the two, as recorded in the middle.
#[derive(Clone, Debug)]
pub(crate) struct Via {
    pub name: String,
    /// `send` or `segment`.
    pub call: &'static str,
    pub calls: Vec<Call>,
    /// The events that the calls were made from.
    pub events: Vec<Event>,
    /// What travelled more than once.
    pub retransmissions: Vec<Retransmission>,
}

impl Via {
    /// Whether bytes of this segment travelled again.
    pub fn repeats(&self, call: &Call) -> bool {
        self.retransmissions
            .iter()
            .any(|sent| sent.offset < call.end() && call.offset < sent.offset + sent.len)
    }
}

/// The calls of one party, by the name that the picture gives them.
pub(crate) struct Lane<'a> {
    pub side: &'a str,
    pub call: &'static str,
    pub calls: &'a [Call],
}

/// One `recv`, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Counted from 1.
    pub number: usize,
    /// The offset of its first byte in the stream.
    pub offset: usize,
    /// How many bytes it took. 0 without an error is the end of the stream.
    pub len: usize,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// What it took of each message, in order.
    pub pieces: Vec<Piece>,
    /// How many of its bytes belong to no known message.
    pub unknown: usize,
    /// What the program did with them, if it said so.
    pub note: Option<String>,
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
    /// Takes the sends from one side's recording, and the recvs from the other side's.
    ///
    /// Both may hold other calls too. A side that was not recorded is empty. Until
    /// [`with_messages`](Stream::with_messages) says otherwise, each send is one message.
    ///
    /// # Errors
    /// [`StreamError`] when the events are not those of one direction of one connection.
    pub fn from_events(sender: &[Event], receiver: &[Event]) -> Result<Stream, StreamError> {
        let (sends, mut recvs) = (calls(sender, "send")?, calls(receiver, "recv")?);
        attach_notes(&mut recvs, receiver);
        if let Some(offset) = contradiction(&sends, &recvs) {
            return Err(StreamError::Differs { offset });
        }
        let mut stream = Stream {
            sender: "sender".into(),
            receiver: "receiver".into(),
            title: None,
            sends,
            recvs,
            via: None,
            recorded: [!sender.is_empty(), !receiver.is_empty()],
            events: [with_call(sender, "send"), with_call(receiver, "recv")],
            messages: Vec::new(),
            datagrams: false,
            overtaken: false,
            unframed: None,
        };
        let sends = stream.sends.iter().filter(|send| send.error.is_none()).zip(1..);
        for (send, number) in sends.filter(|(send, _)| send.len > 0) {
            let name = match send.known_end() == send.end() {
                true => format!("message {number} \"{}\"", bytes::preview(&send.data)),
                false => format!("message {number} of {}", bytes::count(send.len)),
            };
            let parts = vec![Part { kind: Kind::Payload, len: send.len }];
            stream.messages.push(PlacedMessage {
                number,
                message: Message { name, parts },
                offset: send.offset,
            });
        }
        Ok(stream)
    }

    /// Adds what was recorded in the middle: the sends of a relay on its socket towards the receiver, or the TCP segments of
    /// this direction, which are events whose `call` is `segment`.
    ///
    /// Segments may repeat and arrive out of order; the sends of a relay may not.
    ///
    /// # Errors
    /// [`StreamError`] when the events are not those of one direction of one connection, or are not of this stream.
    pub fn via(mut self, name: &str, events: &[Event]) -> Result<Stream, StreamError> {
        let (call, (calls, retransmissions)) =
            match events.iter().any(|event| event.call == "segment") {
                true => ("segment", segments(events)?),
                false => ("send", (calls(events, "send")?, Vec::new())),
            };
        for side in [&self.sends, &self.recvs] {
            if let Some(offset) = contradiction(&calls, side) {
                return Err(StreamError::Differs { offset });
            }
        }
        self.via = Some(Via {
            name: name.to_owned(),
            call,
            calls,
            events: events.to_vec(),
            retransmissions,
        });
        Ok(self)
    }

    /// Names the two sides.
    #[must_use]
    pub fn between(mut self, sender: &str, receiver: &str) -> Stream {
        (self.sender, self.receiver) = (sender.to_owned(), receiver.to_owned());
        self
    }

    /// Adds what distinguishes this stream from another between the same two: "behind a relay".
    #[must_use]
    pub fn called(mut self, title: &str) -> Stream {
        self.title = Some(title.to_owned());
        self
    }

    /// The name of each party, with its events on this connection: a [`page`](crate::page) steps through them.
    pub fn parties(&self) -> Vec<(&str, &[Event])> {
        let [sender, receiver] = &self.events;
        let via = self.via.iter().map(|via| (&via.name[..], &via.events[..]));
        let ends = [(&self.sender[..], &sender[..]), (&self.receiver[..], &receiver[..])];
        ends.into_iter().chain(via).filter(|(_, events)| !events.is_empty()).collect()
    }

    /// Whether there is a recording from the middle.
    pub fn is_relayed(&self) -> bool {
        self.via.is_some()
    }

    /// The addresses of the sender and of the receiver, where the connect or the accept of one of them was recorded.
    pub fn route(&self) -> Option<[&str; 2]> {
        let [of_sender, of_receiver] = self.events.each_ref().map(|events| {
            let pair = |event: &'_ Event| event.local.is_some() && event.peer.is_some();
            events.iter().find(|event| pair(event))
        });
        let [here, there] = match (of_sender, of_receiver) {
            (Some(event), _) => [&event.local, &event.peer],
            (None, Some(event)) => [&event.peer, &event.local],
            (None, None) => return None,
        };
        Some([here.as_deref()?, there.as_deref()?])
    }

    /// Says which messages the stream carries, one after the other from its first byte.
    #[must_use]
    pub fn with_messages(mut self, messages: &[Message]) -> Stream {
        let mut offset = 0;
        self.messages.clear();
        for (message, number) in messages.iter().zip(1..) {
            let name = columns::visible(&message.name);
            self.messages.push(PlacedMessage {
                number,
                message: Message { name, parts: message.parts.clone() },
                offset,
            });
            offset += message.len();
        }
        self
    }

    /// What each `recv` took.
    pub fn reads(&self) -> Vec<Read> {
        self.recvs.iter().map(|recv| self.moved(recv)).collect()
    }

    /// The bytes that each `recv` took, as far as they were recorded.
    pub fn taken(&self) -> Vec<&[u8]> {
        self.recvs.iter().map(|recv| recv.data.as_slice()).collect()
    }

    /// What a call moved of each message.
    pub(crate) fn moved(&self, call: &Call) -> Read {
        let first = self.messages.partition_point(|placed| placed.end() <= call.offset);
        let begun = self.messages.partition_point(|placed| placed.offset < call.end());
        let pieces: Vec<Piece> = (first..begun).filter_map(|at| self.piece(call, at)).collect();
        let known: usize = pieces.iter().map(|piece| piece.len).sum();
        Read {
            number: call.number,
            offset: call.offset,
            len: call.len,
            error: call.error.clone(),
            unknown: call.len - known,
            note: call.note(),
            pieces,
        }
    }

    /// Who sends to whom, and the title if there is one.
    pub(crate) fn name(&self) -> String {
        let [sender, receiver] = [&self.sender, &self.receiver].map(|side| columns::visible(side));
        match &self.title {
            Some(title) => format!("{sender} to {receiver}, {}", columns::visible(title)),
            None => format!("{sender} to {receiver}"),
        }
    }

    /// How many bytes it has, as far as recorded.
    pub fn len(&self) -> usize {
        let ends = self.lanes().into_iter().filter_map(|lane| lane.calls.last().map(Call::end));
        ends.max().unwrap_or(0)
    }

    /// Whether a call failed, other than one that would only have had to wait.
    pub fn has_failures(&self) -> bool {
        let failed = |call: &Call| call.error.is_some() && !call.would_block();
        self.lanes().iter().any(|lane| lane.calls.iter().any(failed))
    }

    /// Whether these are datagrams, each of them a message.
    pub fn is_datagrams(&self) -> bool {
        self.datagrams
    }

    /// Whether no byte of it was recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From the sender to the receiver.
    pub(crate) fn lanes(&self) -> Vec<Lane<'_>> {
        let sent = Lane { side: &self.sender, call: "send", calls: &self.sends };
        let via = self.via.as_ref();
        let via = via.map(|via| Lane { side: &via.name, call: via.call, calls: &via.calls });
        let taken = Lane { side: &self.receiver, call: "recv", calls: &self.recvs };
        [Some(sent), via, Some(taken)].into_iter().flatten().collect()
    }

    /// Which part of its message a piece is, if it is exactly one.
    pub(crate) fn part(&self, piece: &Piece) -> Option<Kind> {
        let placed = &self.messages[piece.message];
        let start = placed.offset + piece.from;
        let same = |(_, part): &(Kind, Range<usize>)| *part == (start..start + piece.len);
        placed.parts().find(same).map(|(kind, _)| kind)
    }

    fn piece(&self, call: &Call, message: usize) -> Option<Piece> {
        let placed = &self.messages[message];
        let of = placed.message.len();
        let start = placed.offset.max(call.offset);
        let end = placed.end().min(call.end());
        (start < end).then(|| Piece { message, from: start - placed.offset, len: end - start, of })
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

    /// Whether it failed only because nothing had arrived yet.
    pub fn would_block(&self) -> bool {
        would_block(self.error.as_deref())
    }

    /// Whether it says that nothing more will come.
    pub fn is_end(&self) -> bool {
        self.len == 0 && self.error.is_none()
    }
}

/// All calls on the sockets that made this one.
fn with_call(events: &[Event], call: &str) -> Vec<Event> {
    let sockets: BTreeSet<_> = events
        .iter()
        .filter(|event| event.call == call)
        .map(|event| (event.pid, event.conn))
        .collect();
    events.iter().filter(|event| sockets.contains(&(event.pid, event.conn))).cloned().collect()
}
