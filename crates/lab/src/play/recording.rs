//! What one peer sent, how the network cut it, and what came back, for a picture of a case that failed. strace may have
//! seen the program's calls.

use std::cell::RefCell;
use std::rc::Rc;

use timeline::{Connection, Event, Message, Stream, StreamError, connections, page, svg};

/// Where a picture will be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// On paper, or in a page without scripts.
    Svg,
    /// In a browser, where the reader can step through the calls.
    Html,
}

/// How much is kept of each direction, in bytes: more than a picture can show.
const KEPT: usize = 64 << 10;

/// Written by a peer and its connection, read by the report.
pub(crate) type SharedRecording = Rc<RefCell<Recording>>;

/// The calls of one peer.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    name: String,
    sent: Vec<Event>,
    cut: Vec<Event>,
    came: Vec<Event>,
    /// The lengths of the answers that were due, in order.
    due: Vec<usize>,
}

impl Recording {
    pub fn of(name: &str) -> Recording {
        Recording { name: name.to_owned(), ..Recording::default() }
    }

    /// One send of the peer, and the pieces in which the relay passes it on.
    pub fn sends(&mut self, bytes: &[u8], pieces: &[usize]) {
        push(&mut self.sent, "send", bytes);
        let mut rest = bytes;
        for piece in pieces {
            let (head, tail) = rest.split_at((*piece).min(rest.len()));
            push(&mut self.cut, "send", head);
            rest = tail;
        }
    }

    /// One recv of the peer; 0 bytes are the end of the stream.
    pub fn receives(&mut self, bytes: &[u8]) {
        push(&mut self.came, "recv", bytes);
    }

    /// This many bytes are due, after those that were due before.
    pub fn expects(&mut self, length: usize) {
        self.due.push(length);
    }

    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.came.is_empty()
    }

    /// Both directions, if any bytes moved, with the calls of the program at the other end if strace saw them.
    pub fn streams(&self, program: &[Vec<Event>]) -> Vec<Stream> {
        let seen = self.other_end(program);
        let answers: Vec<Message> = (1..)
            .zip(&self.due)
            .map(|(number, length)| Message::new(&format!("answer {number} that was due"), *length))
            .collect();
        let back = self.back(seen).map(|stream| stream.with_messages(&answers));
        let both = [self.there(seen), back];
        both.into_iter().flatten().filter(|stream| !stream.is_empty()).collect()
    }

    fn there(&self, program: &[Event]) -> Result<Stream, StreamError> {
        let stream = Stream::from_events(&self.sent, program)?.between(&self.name, "the program");
        let is_cut = self.cut.len() > self.sent.len();
        if is_cut { stream.via("network", &self.cut) } else { Ok(stream) }
    }

    fn back(&self, program: &[Event]) -> Result<Stream, StreamError> {
        let stream = Stream::from_events(program, &self.came)?;
        Ok(stream.between("the program", &self.name))
    }

    /// Which of the program's sockets belonged to this peer: the one that read most of these bytes and sent no others.
    /// Empty if two fit equally well.
    fn other_end<'a>(&self, program: &'a [Vec<Event>]) -> &'a [Event] {
        let fits = |calls: &&'a Vec<Event>| Some((self.fit(calls)?, &calls[..]));
        let mut best: Vec<(usize, &[Event])> =
            program.iter().filter_map(|calls| fits(&calls)).collect();
        best.sort_by_key(|(taken, _)| *taken);
        match best[..] {
            [(_, only)] => only,
            [.., (second, _), (most, calls)] if second < most => calls,
            _ => &[],
        }
    }

    /// How many of this peer's bytes these calls read; `None` if the calls belong to another peer.
    fn fit(&self, calls: &[Event]) -> Option<usize> {
        self.back(calls).ok()?;
        let sent =
            self.sent.last().map_or(0, |last| last.offset.unwrap_or(0) + last.got.unwrap_or(0));
        let reads = self.there(calls).ok()?.reads();
        let taken = reads.last().map_or(0, |read| read.offset + read.len);
        (self.sent.len() == KEPT || taken as u64 <= sent.max(KEPT as u64)).then_some(taken)
    }
}

/// Adds a call if there is room.
fn push(calls: &mut Vec<Event>, call: &str, bytes: &[u8]) {
    let offset = calls
        .last()
        .map_or(0, |last: &Event| last.offset.unwrap_or_default() + last.got.unwrap_or_default());
    if offset as usize > KEPT {
        return;
    }
    let data = &bytes[..bytes.len().min(KEPT)];
    calls.push(Event {
        call: call.to_owned(),
        dir: Some(if call == "send" { "out" } else { "in" }.to_owned()),
        got: Some(data.len() as u64),
        offset: Some(offset),
        data: Some(data.to_vec()),
        ..Event::default()
    });
}

/// The streams of the last peers in one picture: with more of them, nobody would find the one that matters. `program`
/// holds the calls that strace saw, if any.
pub(crate) fn picture(title: &str, form: Form, peers: &[Recording], program: &[Event]) -> String {
    const PEERS: usize = 2;
    let busy: Vec<&Recording> = peers.iter().filter(|peer| !peer.is_empty()).collect();
    let last = &busy[busy.len().saturating_sub(PEERS)..];
    let sockets = sockets(program);
    let streams: Vec<Stream> = last.iter().flat_map(|peer| peer.streams(&sockets)).collect();
    match form {
        _ if streams.is_empty() => String::new(),
        Form::Svg => svg(title, &streams),
        Form::Html => {
            let parties = streams.iter().flat_map(Stream::parties);
            let parties: Vec<(&str, Vec<Event>)> =
                parties.map(|(name, events)| (name, events.to_vec())).collect();
            page(title, &streams, &parties)
        }
    }
}

/// The program's connected sockets, each with as many of its calls as a picture can show.
fn sockets(program: &[Event]) -> Vec<Vec<Event>> {
    let ends = |connection: Connection| [connection.client, connection.server];
    let sockets = connections(program, &[]).into_iter().flat_map(ends);
    let shown = |event: &Event| event.offset.is_none_or(|offset| offset <= KEPT as u64);
    let first = |calls: Vec<Event>| calls.into_iter().filter(shown).collect::<Vec<Event>>();
    sockets.map(first).filter(|calls| !calls.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_the_cuts_and_what_came_back() {
        let mut peer = Recording::of("the peer");
        peer.sends(b"hello", &[2, 3]);
        peer.expects(5);
        peer.receives(b"he");
        peer.receives(b"");
        let texts: Vec<String> = peer.streams(&[]).iter().map(|stream| stream.text(80)).collect();
        assert!(texts[0].contains("network send"), "{}", texts[0]);
        assert!(texts[1].contains("the first 2 of 5 bytes of answer 1"), "{}", texts[1]);
        let svg = picture("cut-everywhere", Form::Svg, &[peer], &[]);
        assert!(svg.starts_with("<svg") && svg.contains("cut-everywhere"));
    }

    #[test]
    fn of_a_long_stream_the_beginning_is_kept_and_of_many_peers_the_last() {
        let mut long = Recording::of("the peer");
        for _ in 0..100 {
            long.sends(&[b'x'; 10_000], &[10_000]);
        }
        let kept: usize =
            long.sent.iter().filter_map(|call| call.data.as_ref()).map(Vec::len).sum();
        assert!(kept <= KEPT + 10_000);
        let peers: Vec<Recording> = (1..=9)
            .map(|number| {
                let mut peer = Recording::of(&format!("peer {number}"));
                peer.sends(b"hello", &[5]);
                peer
            })
            .chain([Recording::of("peer 10")])
            .collect();
        let svg = picture("crowd", Form::Svg, &peers, &[]);
        assert!(svg.contains("peer 9") && svg.contains("peer 8") && !svg.contains("peer 7"));
        assert_eq!(picture("nothing", Form::Svg, &[], &[]), "");
    }
}
