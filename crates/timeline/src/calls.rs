//! From events to the calls of one side of one connection.

use crate::error::StreamError;
use event::Event;
use std::ops::Range;

/// A longer note is cut to this many columns.
const NOTE: usize = 80;

/// The calls of one name, in their order.
pub(crate) fn calls(events: &[Event], name: &str) -> Result<Vec<Call>, StreamError> {
    let mut calls: Vec<Call> = Vec::new();
    let mut conn = None;
    for event in events.iter().filter(|event| event.call == name) {
        let this = (event.pid, event.conn);
        if *conn.get_or_insert(this) != this {
            return Err(StreamError::Mixed { call: name.to_owned() });
        }
        let end = calls.last().map_or(0, Call::end);
        let call = Call::new(event, calls.len() + 1, end)?;
        if call.offset < end {
            return Err(StreamError::Overlap { call: name.to_owned(), offset: call.offset });
        }
        calls.push(call);
    }
    Ok(calls)
}

/// Attaches each note to the `recv` before it on the same socket.
pub(crate) fn attach_notes(recvs: &mut [Call], events: &[Event]) {
    let mut seen = 0;
    for event in events {
        match event.call.as_str() {
            "recv" => seen += 1,
            "note" => {
                if let Some(recv) = recvs[..seen].last_mut()
                    && (recv.socket.0, recv.socket.1) == (event.pid, event.conn)
                {
                    recv.notes.extend(event.text.clone());
                }
            }
            _ => {}
        }
    }
}

/// The captured segments of one direction, with each byte once; and the retransmissions.
///
/// TCP sends again what it believes is lost, perhaps cut in other places, and segments can arrive out of order. A byte
/// belongs to the first segment that carried it.
pub(crate) fn segments(events: &[Event]) -> Result<(Vec<Call>, Vec<Retransmission>), StreamError> {
    let (mut calls, mut retransmissions): (Vec<Call>, Vec<Retransmission>) =
        (Vec::new(), Vec::new());
    let mut flow = None;
    for (index, event) in events.iter().filter(|event| event.call == "segment").enumerate() {
        let this = (event.pid, event.conn, &event.dir);
        if *flow.get_or_insert(this) != this {
            return Err(StreamError::Mixed { call: "segment".to_owned() });
        }
        let segment = Call::new(event, index + 1, 0)?;
        let mut at = segment.offset;
        while at < segment.end() {
            let next = calls.partition_point(|call| call.end() <= at);
            let known = calls.get(next).map_or(usize::MAX, |call| call.offset);
            if known <= at {
                let same = at..calls[next].end().min(segment.end());
                if let Some(offset) = first_difference(&calls[next], &segment, same.clone()) {
                    return Err(StreamError::Differs { offset });
                }
                retransmissions.push(Retransmission {
                    number: segment.number,
                    offset: at,
                    len: same.len(),
                });
                at = same.end;
            } else {
                let end = known.min(segment.end());
                let (len, data) = (end - at, segment.bytes(&(at..end)).to_vec());
                calls.insert(next, Call { offset: at, len, data, ..segment.clone() });
                at = end;
            }
        }
    }
    Ok((calls, retransmissions))
}

/// Where two recordings of the same bytes first contradict each other.
pub(crate) fn contradiction(one: &[Call], other: &[Call]) -> Option<usize> {
    one.iter().find_map(|call| {
        let first = other.partition_point(|other| other.end() <= call.offset);
        let mut both = other[first..].iter().take_while(|other| other.offset < call.end());
        both.find_map(|other| {
            let both = other.offset.max(call.offset)..other.end().min(call.end());
            first_difference(call, other, both)
        })
    })
}

fn first_difference(one: &Call, other: &Call, at: Range<usize>) -> Option<usize> {
    let differs = one.bytes(&at).iter().zip(other.bytes(&at)).position(|(one, other)| one != other);
    differs.map(|index| at.start + index)
}

/// Whether a call failed only because nothing had arrived yet or the buffer was full: the socket doesn't block, or timed out.
pub(crate) fn would_block(error: Option<&str>) -> bool {
    error.is_some_and(|error| error.starts_with("EAGAIN"))
}

/// Whose call it is: the process, the socket, and the direction, because a segment's name doesn't say which way it went.
pub(crate) type Socket = (u32, u64, Option<String>);

/// Which call: its name, its socket, and its number among the calls of that name on it.
pub(crate) type CallKey<'a> = (&'a str, Socket, usize);

/// One call that moved bytes, or failed to.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Counted from 1 among the calls of its name.
    pub number: usize,
    /// Which socket of which process made it, in which direction.
    pub socket: Socket,
    pub offset: usize,
    /// How many bytes it moved.
    pub len: usize,
    /// The first of them: fewer than `len` if the recording has the call but not all of its bytes.
    pub data: Vec<u8>,
    pub asked: Option<u64>,
    pub error: Option<String>,
    /// What the program did with the bytes, if it said so.
    pub notes: Vec<String>,
}

/// Bytes in a segment that an earlier one had already carried.
#[derive(Clone, Debug)]
pub(crate) struct Retransmission {
    pub number: usize,
    pub offset: usize,
    pub len: usize,
}

impl Call {
    /// `end` is the offset of a call that moved nothing and doesn't give an offset.
    fn new(event: &Event, number: usize, end: usize) -> Result<Call, StreamError> {
        let incomplete = || StreamError::Incomplete { call: event.call.clone() };
        let got = event.got.unwrap_or(0);
        let data = event.data.clone().unwrap_or_default();
        let offset = match event.offset.map(usize::try_from) {
            Some(Ok(offset)) => offset,
            None if got == 0 => end,
            _ => return Err(incomplete()),
        };
        let len = usize::try_from(got).map_err(|_| incomplete())?;
        if data.len() > len
            || (event.data.is_none() && len > 0)
            || offset.checked_add(len).is_none()
        {
            return Err(incomplete());
        }
        let socket = (event.pid, event.conn, event.dir.clone());
        let (asked, error) = (event.asked, event.error.clone());
        Ok(Call { number, socket, offset, len, data, asked, error, notes: Vec::new() })
    }

    pub fn end(&self) -> usize {
        self.offset + self.len
    }

    /// What the program did with the bytes.
    pub fn note(&self) -> Option<String> {
        let said = columns::visible(&self.notes.join("; "));
        (!said.is_empty()).then(|| columns::cut(&said, NOTE))
    }

    /// Whether it failed, but would only have had to wait.
    pub fn would_block(&self) -> bool {
        would_block(self.error.as_deref())
    }

    /// The bytes at these offsets of the stream: the first of them, as far as they are known.
    pub fn bytes(&self, at: &Range<usize>) -> &[u8] {
        let [from, to] = [at.start, at.end].map(|at| (at - self.offset).min(self.data.len()));
        &self.data[from..to]
    }

    /// Where the known bytes end.
    pub fn known_end(&self) -> usize {
        self.offset + self.data.len()
    }
}
