//! From single segments to connections: whose bytes they carry, and where in the stream those belong.

use crate::{Flags, Recording, Segment};
use observe::Event;
use std::net::SocketAddr;
use std::ops::Range;

/// The TCP traffic of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Every segment, in the order in which it was seen.
    pub segments: Vec<PlacedSegment>,
    /// Connections that had begun before the recording. The side that was seen to send first counts as the client, and bytes
    /// are counted from the first that was seen.
    pub joined: Vec<u64>,
    /// Bytes that travelled but were not seen: the recorder was too slow, or had not started yet.
    pub gaps: Vec<Gap>,
    /// Streams that were not seen to end: no FIN, and no reset of the connection.
    pub open: Vec<(u64, Direction)>,
    /// The recording ran out of room: see [`Recording::full`].
    pub full: bool,
}

/// A segment at its place in a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedSegment {
    /// The connection, counted from 1.
    pub conn: u64,
    /// In which of its two streams.
    pub direction: Direction,
    /// The place of its first byte in that stream, from 0. A SYN has 0; a FIN without bytes has the length of the stream.
    pub offset: u64,
    /// How many bytes of the other stream its sender acknowledges; only with the ACK flag. A FIN that it has received counts
    /// as one more byte (RFC 9293, 3.4), here as in the segment.
    pub acked: Option<u64>,
    /// It repeats what was seen before: a retransmission, or a probe that asks whether the peer is still there.
    pub again: bool,
    /// The segment itself.
    pub segment: Segment,
}

/// One of the two streams of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the side that asked for the connection.
    ToServer,
    /// From the side that accepted it.
    ToClient,
}

/// Bytes that were not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The connection, counted from 1.
    pub conn: u64,
    /// In which of its two streams.
    pub direction: Direction,
    /// Which bytes of that stream. A FIN that was not seen counts as the last of them.
    pub bytes: Range<u64>,
}

impl Traffic {
    /// Reads a recording. Packets that are not TCP are skipped.
    pub fn of(recording: &Recording) -> Traffic {
        let segments = recording.packets.iter().filter_map(Segment::parse);
        Traffic { full: recording.full, ..Traffic::placed(segments) }
    }

    fn placed(seen: impl Iterator<Item = Segment>) -> Traffic {
        let mut connections: Vec<Connection> = Vec::new();
        let mut segments = Vec::new();
        for segment in seen {
            let known = connections.iter().rposition(|connection| connection.has(&segment));
            let at = known.unwrap_or_else(|| {
                connections.push(Connection::begin(&segment));
                connections.len() - 1
            });
            segments.push(connections[at].place(at as u64 + 1, segment));
        }
        let mut traffic = Traffic { segments, ..Traffic::default() };
        for (connection, conn) in connections.into_iter().zip(1..) {
            if connection.is_joined() {
                traffic.joined.push(conn);
            }
            for (stream, direction) in [
                (connection.to_server, Direction::ToServer),
                (connection.to_client, Direction::ToClient),
            ] {
                let gap = |bytes| Gap { conn, direction, bytes };
                traffic.gaps.extend(stream.gaps.into_iter().map(gap));
                if !stream.fin && !connection.reset {
                    traffic.open.push((conn, direction));
                }
            }
        }
        traffic
    }

    /// The segments that carry bytes, in the form of a trace: `call` is `segment`, `dir` is `out` for the stream to the
    /// server and `in` for the one to the client, `local` the sender and `peer` the receiver of this segment, `pid` 0.
    ///
    /// A retransmission is an event too: its `offset` is below the end of what came before.
    pub fn events(&self) -> Vec<Event> {
        let mut carry = self.every();
        carry.retain(|event| event.got.is_some());
        carry.iter_mut().for_each(|event| event.text = None);
        carry
    }

    /// All segments in that form: those without bytes have no `got`, and each has its flags in `text`, except PSH.
    pub fn every(&self) -> Vec<Event> {
        self.segments.iter().map(PlacedSegment::event).collect()
    }
}

impl PlacedSegment {
    fn event(&self) -> Event {
        let dir = match self.direction {
            Direction::ToServer => "out",
            Direction::ToClient => "in",
        };
        let payload = Some(&self.segment.payload).filter(|payload| !payload.is_empty());
        let flags = Flags(self.segment.flags.0 & !Flags::PSH.0);
        Event {
            t_us: self.segment.t_us,
            call: "segment".into(),
            conn: self.conn,
            dir: Some(dir.into()),
            got: payload.map(|payload| payload.len() as u64),
            offset: Some(self.offset),
            data: payload.cloned(),
            text: Some(flags.to_string()),
            local: Some(self.segment.from.to_string()),
            peer: Some(self.segment.to.to_string()),
            ..Event::default()
        }
    }
}

struct Connection {
    client: SocketAddr,
    server: SocketAddr,
    to_server: Stream,
    to_client: Stream,
    reset: bool,
}

/// One direction, as far as it was seen.
#[derive(Default)]
struct Stream {
    /// The sequence number of byte 0.
    first: Option<u32>,
    /// The offset after the last byte that we know of.
    end: u64,
    /// The sequence number that the SYN had, and whether the FIN was seen.
    syn: Option<u32>,
    fin: bool,
    /// What was not seen below `end`.
    gaps: Vec<Range<u64>>,
}

impl Connection {
    /// The SYN without an ACK is the client's. If it was not seen, the side that sent first counts as the client.
    fn begin(segment: &Segment) -> Connection {
        let answers = segment.flags.contains(Flags(Flags::SYN.0 | Flags::ACK.0));
        let (client, server) =
            if answers { (segment.to, segment.from) } else { (segment.from, segment.to) };
        let (to_server, to_client) = (Stream::default(), Stream::default());
        Connection { client, server, to_server, to_client, reset: false }
    }

    /// No SYN was seen, but something other than a reset was.
    fn is_joined(&self) -> bool {
        let streams = [&self.to_server, &self.to_client];
        streams.iter().all(|stream| stream.syn.is_none())
            && streams.iter().any(|stream| stream.first.is_some())
    }

    /// The same pair of addresses is a new connection if it begins again with another sequence number.
    fn has(&self, segment: &Segment) -> bool {
        let there = (segment.from, segment.to) == (self.client, self.server);
        let back = (segment.to, segment.from) == (self.client, self.server);
        let anew = segment.flags.contains(Flags::SYN)
            && !segment.flags.contains(Flags::ACK)
            && self.to_server.syn != Some(segment.seq);
        (there || back) && !anew
    }

    fn place(&mut self, conn: u64, segment: Segment) -> PlacedSegment {
        let (direction, this, other) = match segment.from == self.client {
            true => (Direction::ToServer, &mut self.to_server, &mut self.to_client),
            false => (Direction::ToClient, &mut self.to_client, &mut self.to_server),
        };
        let (offset, again) = this.take(&segment);
        self.reset |= segment.flags.contains(Flags::RST);
        let counts = segment.flags.contains(Flags::ACK) && !segment.flags.contains(Flags::RST);
        let acked = counts.then(|| other.acknowledged(segment.ack));
        PlacedSegment { conn, direction, offset, acked, again, segment }
    }
}

impl Stream {
    /// The segment's place in the stream, and whether it was seen before.
    fn take(&mut self, segment: &Segment) -> (u64, bool) {
        let syn = segment.flags.contains(Flags::SYN);
        if syn {
            let again = self.syn == Some(segment.seq);
            self.syn = Some(segment.seq);
            // The SYN takes a number of its own (RFC 9293, 3.4).
            self.first = Some(segment.seq.wrapping_add(1));
            return (0, again);
        }
        if segment.flags.contains(Flags::RST) {
            return (self.end, false); // its number may be anything
        }
        let start = self.offset(segment.seq);
        if self.fin && start == self.end + 1 && segment.payload.is_empty() {
            return (self.end, false); // the FIN took a number of its own
        }
        let end = start + segment.payload.len() as u64;
        let fin_again = segment.flags.contains(Flags::FIN) && self.fin;
        self.fin |= segment.flags.contains(Flags::FIN);
        // A keepalive probe has the number just before the next one (RFC 9293, 3.8.4), with a byte or without.
        let probe =
            segment.payload.is_empty() && !segment.flags.contains(Flags::FIN) && start < self.end;
        let again = fin_again || probe || self.fill(start..end);
        (start, again)
    }

    /// Notes that these bytes were seen. Returns whether some of them had been seen before.
    fn fill(&mut self, bytes: Range<u64>) -> bool {
        self.missed_until(bytes.start);
        if bytes.start == self.end {
            self.end = bytes.end;
            return false;
        }
        let mut left = bytes.end.min(self.end) - bytes.start;
        let mut gaps = Vec::new();
        for gap in self.gaps.drain(..) {
            let filled = gap.start.max(bytes.start)..gap.end.min(bytes.end);
            if filled.is_empty() {
                gaps.push(gap);
                continue;
            }
            left -= filled.end - filled.start;
            let rest = [gap.start..filled.start, filled.end..gap.end];
            gaps.extend(rest.into_iter().filter(|range| !range.is_empty()));
        }
        self.gaps = gaps;
        self.end = self.end.max(bytes.end);
        left > 0
    }

    /// The bytes from the end so far to `start` have travelled, but we did not see them.
    fn missed_until(&mut self, start: u64) {
        if start > self.end {
            self.gaps.push(self.end..start);
            self.end = start;
        }
    }

    /// The other side says that it has everything before this number: whatever we have not seen of it is a gap.
    fn acknowledged(&mut self, ack: u32) -> u64 {
        let acked = self.offset(ack);
        self.missed_until(acked - u64::from(self.fin && acked > self.end));
        acked
    }

    /// From a sequence number, which has 32 bits and wraps every 4 GiB, to a place in the stream: the one nearest to its end.
    fn offset(&mut self, seq: u32) -> u64 {
        // If the SYN was not seen, the first number that we see counts as the beginning.
        let first = *self.first.get_or_insert(seq);
        let ahead = seq.wrapping_sub(first).wrapping_sub(self.end as u32).cast_signed();
        self.end.saturating_add_signed(ahead.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: &str = "127.0.0.1:50000";
    const S: &str = "127.0.0.1:8888";

    fn segment(from: &str, to: &str, seq: u32, ack: u32, flags: Flags, payload: &[u8]) -> Segment {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        Segment { t_us: 0, from, to, seq, ack, flags, payload: payload.to_vec() }
    }

    /// (offset, again) for each of these segments, all in one direction after a SYN with this number.
    fn places(first: u32, segments: &[(u32, &[u8])]) -> (Vec<(u64, bool)>, Vec<Range<u64>>) {
        let mut stream = Stream::default();
        stream.take(&segment(C, S, first, 0, Flags::SYN, b""));
        let place = |&(seq, payload): &(u32, &[u8])| {
            stream.take(&segment(C, S, seq, 0, Flags::ACK, payload))
        };
        let places = segments.iter().map(place).collect();
        (places, stream.gaps)
    }

    #[test]
    fn numbers_wrap() {
        let first = u32::MAX - 3;
        let (places, gaps) = places(first, &[(first + 1, b"hello"), (2, b"hi")]);
        assert_eq!(places, [(0, false), (5, false)]);
        assert_eq!(gaps, []);
    }

    #[test]
    fn a_retransmission_is_told_from_one_that_overtook() {
        let (places, gaps) =
            places(99, &[(100, b"aa"), (104, b"cc"), (102, b"bb"), (102, b"bbcc"), (99, b"")]);
        assert_eq!(places, [(0, false), (4, false), (2, false), (2, true), (0, true)]);
        assert_eq!(gaps, []);
    }

    #[test]
    fn what_was_not_seen_is_said() {
        let (_, gaps) = places(99, &[(100, b"aa"), (110, b"cc"), (104, b"bb")]);
        assert_eq!(gaps, [2..4, 6..10]);
    }

    #[test]
    fn an_acknowledgement_of_bytes_not_seen_is_a_gap_and_of_a_fin_is_none() {
        let mut connection = Connection::begin(&segment(C, S, 99, 0, Flags::SYN, b""));
        for (seq, flags) in [(99, Flags::SYN), (100, Flags::FIN)] {
            connection.place(1, segment(C, S, seq, 0, flags, b""));
        }
        let fin_taken = connection.place(1, segment(S, C, 0, 101, Flags::ACK, b""));
        assert_eq!(fin_taken.acked, Some(1));
        assert_eq!(connection.to_server.gaps, []);
        connection.place(1, segment(C, S, 101, 0, Flags::ACK, b""));
        assert_eq!(connection.to_server.gaps, []);
        connection.place(1, segment(S, C, 0, 111, Flags::ACK, b""));
        assert_eq!(connection.to_server.gaps.as_slice(), std::slice::from_ref(&(0..10)));
    }

    #[test]
    fn a_connection_that_did_not_begin_or_end_here_is_named() {
        let syn_ack = Flags(Flags::SYN.0 | Flags::ACK.0);
        let rst_ack = Flags(Flags::RST.0 | Flags::ACK.0);
        let (begin, answer) =
            (segment(C, S, 9, 0, Flags::SYN, b""), segment(S, C, 4, 10, syn_ack, b""));
        let fins = [segment(C, S, 10, 5, Flags::FIN, b""), segment(S, C, 5, 11, Flags::FIN, b"")];
        let hi = segment(C, S, 10, 5, Flags::ACK, b"hi");
        let (to_server, to_client) = ((1, Direction::ToServer), (1, Direction::ToClient));
        let rows = [
            ([&[begin.clone(), answer.clone()], &fins[..]].concat(), vec![], vec![]),
            (vec![begin.clone(), answer, fins[0].clone()], vec![], vec![to_client]),
            (vec![begin.clone(), segment(S, C, 0, 10, rst_ack, b"")], vec![], vec![]),
            (vec![begin], vec![], vec![to_server, to_client]),
            (vec![hi.clone()], vec![1], vec![to_server, to_client]),
            ([&[hi], &fins[..]].concat(), vec![1], vec![]),
        ];
        for (seen, joined, open) in rows {
            let traffic = Traffic::placed(seen.into_iter());
            assert_eq!((&traffic.joined, &traffic.open), (&joined, &open), "{traffic:?}");
        }
    }
}
