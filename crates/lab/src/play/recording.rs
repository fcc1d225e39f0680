//! What one peer sent, how the network cut it, and what came back: for a picture of a case that failed.

use std::cell::RefCell;
use std::rc::Rc;

use timeline::{Event, Message, Stream};

/// How much is kept of each direction, in bytes: more than a picture can show.
const KEPT: usize = 64 << 10;

/// Written by a peer and its connection, read by the report.
pub(crate) type SharedRecording = Rc<RefCell<Recording>>;

/// The calls of one peer. What the program called nobody has recorded, and nobody guesses.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    name: String,
    sent: Vec<Event>,
    cut: Vec<Event>,
    came: Vec<Event>,
    /// The lengths of the answers that were due, one after the other.
    due: Vec<usize>,
}

impl Recording {
    pub fn of(name: &str) -> Recording {
        Recording { name: name.to_owned(), ..Recording::default() }
    }

    /// One send of the peer, and the pieces in which the relay hands it on.
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

    /// So many bytes are due, after those that were due before.
    pub fn expects(&mut self, length: usize) {
        self.due.push(length);
    }

    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.came.is_empty()
    }

    /// Both directions, as far as bytes went.
    pub fn streams(&self) -> Vec<Stream> {
        let there = Stream::from_events(&self.sent, &[]).and_then(|stream| {
            let cut = self.cut.len() > self.sent.len();
            if cut { stream.via("network", &self.cut) } else { Ok(stream) }
        });
        let back = Stream::from_events(&[], &self.came);
        let answers: Vec<Message> = (1..)
            .zip(&self.due)
            .map(|(number, length)| Message::new(&format!("answer {number} that was due"), *length))
            .collect();
        let there = there.map(|stream| stream.between(&self.name, "the program"));
        let back =
            back.map(|stream| stream.between("the program", &self.name).with_messages(&answers));
        [there, back].into_iter().flatten().filter(|stream| !stream.is_empty()).collect()
    }
}

/// Adds a call, as long as there is room.
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

/// The streams of the last peers in one picture: with more, nobody finds the one that matters.
pub(crate) fn picture(title: &str, peers: &[Recording]) -> String {
    const PEERS: usize = 2;
    let busy: Vec<&Recording> = peers.iter().filter(|peer| !peer.is_empty()).collect();
    let last = &busy[busy.len().saturating_sub(PEERS)..];
    let streams: Vec<Stream> = last.iter().flat_map(|peer| peer.streams()).collect();
    if streams.is_empty() { String::new() } else { timeline::svg(title, &streams) }
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
        let texts: Vec<String> = peer.streams().iter().map(|stream| stream.text(80)).collect();
        assert!(texts[0].contains("network send"), "{}", texts[0]);
        assert!(texts[1].contains("the first 2 of 5 bytes of answer 1"), "{}", texts[1]);
        let svg = picture("cut-everywhere", &[peer]);
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
        let svg = picture("crowd", &peers);
        assert!(svg.contains("peer 9") && svg.contains("peer 8") && !svg.contains("peer 7"));
        assert_eq!(picture("nothing", &[]), "");
    }
}
