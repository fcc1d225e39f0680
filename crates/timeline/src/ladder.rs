//! One connection as a ladder: the calls of both programs at its sides, and between them the segments that travelled, from
//! top to bottom in the order in which they happened.
//!
//! It needs the calls with the times when they began (strace has them) and every segment, including those without bytes
//! (`segments --every`). A segment is recorded a moment after it arrived, so it is put before the call that it woke.

use crate::bytes;
use crate::connection::Connection;
use event::Event;
use std::collections::HashSet;

/// One connection, or one exchange on it.
#[derive(Clone, Debug)]
pub struct Ladder {
    pub(crate) rows: Vec<Row>,
    pub(crate) waits: Vec<Wait>,
    /// How many sends the server made.
    pub(crate) sends: usize,
}

/// What happened at one moment: an arrow, the call that caused it, and the call that it woke; or only one of them.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub t_us: u64,
    /// The call at the client's side, and at the server's.
    pub calls: [Option<String>; 2],
    pub arrow: Option<Arrow>,
}

/// A segment.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    /// Which side it went to: 0 for the client, 1 for the server.
    pub to: usize,
    /// What it says: the first text that fits.
    pub labels: Vec<String>,
    pub kind: Kind,
    /// How long its bytes, or the bytes that it acknowledges, had been waiting, in microseconds.
    pub late_us: u64,
    segment: Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bytes,
    Control,
    Reset,
}

/// A call that waited: at which side, and from which row to which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub side: usize,
    pub from: usize,
    pub to: usize,
}

/// A segment that leaves this long after its bytes were ready was held back: even a busy machine doesn't take that long.
pub(crate) const HELD_US: u64 = 10_000;

/// The sides.
pub(crate) const SIDES: [&str; 2] = ["client", "server"];

enum What<'a> {
    Segment(&'a Event, u64),
    Returns(usize, &'a Event),
    Calls(usize, &'a Event),
}

impl Ladder {
    /// The ladder of a connection. `all` are all recorded events: the listener's calls are not among the connection's own.
    /// With an exchange, only what happened from the client's send of that number (from 1) to its next one.
    ///
    /// `None` if no segment of it was recorded, or if there is no such exchange.
    pub fn new(connection: &Connection, all: &[Event], exchange: Option<usize>) -> Option<Ladder> {
        if connection.segments.is_empty() {
            return None;
        }
        let sides = [calls(&connection.client, all), calls(&connection.server, all)];
        let segments = in_time(connection, &sides);
        let window = match exchange {
            None => 0..u64::MAX,
            Some(number) => {
                let mut sends =
                    sides[0].iter().filter(|call| call.call == "send").map(|it| began(it));
                let start = sends.nth(number.checked_sub(1)?)?;
                start..sends.next().unwrap_or(u64::MAX)
            }
        };
        let mut moments: Vec<(u64, u8, What<'_>)> = Vec::new();
        for (segment, t_us) in &segments {
            moments.push((
                *t_us,
                0,
                What::Segment(segment, late(segment, *t_us, &sides, &segments)),
            ));
        }
        for (side, call) in
            sides.iter().zip(0..).flat_map(|(all, side)| all.iter().map(move |it| (side, *it)))
        {
            let answers = waits(call);
            let waited = answers && woken(side, call, &segments);
            if !answers || waited {
                moments.push((began(call), 2, What::Calls(side, call)));
            }
            if answers {
                moments.push((call.t_us, 1, What::Returns(side, call)));
            }
        }
        moments.sort_by_key(|(t_us, rank, _)| (*t_us, *rank));
        let sent = |it: &&Event| it.call == "send" && window.contains(&began(it));
        let mut ladder = Ladder {
            rows: Vec::new(),
            waits: Vec::new(),
            sends: sides[1].iter().copied().filter(sent).count(),
        };
        let mut open = [None, None];
        for (t_us, _, what) in moments {
            if window.contains(&t_us) {
                ladder.add(t_us, &what, &mut open);
            } else if let What::Calls(side, call) = what
                && waits(call)
                && t_us < window.start
                && call.t_us >= window.start
            {
                open[side] = Some(0);
            }
        }
        for (side, from) in open.into_iter().enumerate() {
            let to = ladder.rows.len();
            ladder.waits.extend(from.map(|from| Wait { side, from, to }));
        }
        Some(ladder)
    }

    fn add(&mut self, t_us: u64, what: &What<'_>, open: &mut [Option<usize>; 2]) {
        let last = self.rows.last();
        let joined = match what {
            // A segment shares the row of the call that sent it.
            What::Segment(event, late_us) => {
                let call = last.and_then(|row| row.calls[1 - towards(event)].as_deref());
                let alone = last.is_some_and(|row| row.arrow.is_none());
                let came =
                    alone && *late_us < HELD_US && call.is_some_and(|call| sends(call, event));
                came.then(|| self.rows.len() - 1)
            }
            // A call returns in the row of the segment that woke it.
            What::Returns(side, call) => {
                let free =
                    self.rows.iter().rev().take_while(|row| row.calls[*side].is_none()).count();
                let rows = self.rows.iter().enumerate().rev().take(free);
                let woke = |arrow: &Arrow| arrow.to == *side && brings(&arrow.segment, call);
                let mut rows = rows.filter(|(_, row)| row.arrow.as_ref().is_some_and(woke));
                rows.next().map(|(at, _)| at).filter(|_| open[*side].is_some())
            }
            What::Calls(..) => None,
        };
        let at = joined.unwrap_or(self.rows.len());
        if joined.is_none() {
            self.rows.push(Row { t_us, calls: [None, None], arrow: None });
        }
        let row = &mut self.rows[at];
        match what {
            What::Segment(event, late_us) => row.arrow = Some(arrow(event, *late_us)),
            What::Calls(side, call) => {
                row.calls[*side] = Some(asks(call));
                if waits(call) {
                    open[*side] = Some(at);
                }
            }
            What::Returns(side, call) => {
                let waited = open[*side].take();
                row.calls[*side] = Some(returns(call, waited.is_some()));
                let side = *side;
                self.waits.extend(waited.map(|from| Wait { side, from, to: at }));
            }
        }
    }
}

/// Whether this call caused the segment.
fn sends(call: &str, segment: &Event) -> bool {
    let flags = segment.text.as_deref().unwrap_or_default();
    match call.split(' ').next() {
        Some("send") => segment.got.is_some(),
        Some("connect") => flags == "SYN",
        Some("shutdown" | "close") => flags.contains("FIN") || flags.contains("RST"),
        _ => false,
    }
}

/// All calls of one side: on its end, and on the listener that it was accepted from.
fn calls<'a>(end: &'a [Event], all: &'a [Event]) -> Vec<&'a Event> {
    let Some(pid) = end.first().map(|first| first.pid) else { return Vec::new() };
    let conns: HashSet<u64> = end.iter().map(|event| event.conn).collect();
    let accepted = end.iter().any(|event| event.call == "accept");
    let listens = all.iter().filter(|event| event.pid == pid && event.call == "listen");
    let listeners: HashSet<u64> = listens.filter(|_| accepted).map(|event| event.conn).collect();
    let before = |event: &&Event| {
        let is_early = matches!(event.call.as_str(), "socket" | "bind" | "listen");
        is_early
            && event.pid == pid
            && (conns.contains(&event.conn) || listeners.contains(&event.conn))
    };
    let own = end.iter().filter(|event| !matches!(event.call.as_str(), "note" | "bind" | "listen"));
    let mut calls: Vec<&Event> = all.iter().filter(before).chain(own).collect();
    calls.sort_by_key(|call| began(call));
    calls
}

fn began(call: &Event) -> u64 {
    call.began_us.unwrap_or(call.t_us)
}

/// Whether the call returns only when something has arrived from the other side.
fn waits(call: &Event) -> bool {
    matches!(call.call.as_str(), "recv" | "accept" | "connect")
}

fn towards(segment: &Event) -> usize {
    usize::from(segment.dir.as_deref() == Some("out"))
}

/// The segments with their times, moved back where needed: none is later than the end of the call that took its bytes.
fn in_time<'a>(connection: &'a Connection, sides: &[Vec<&Event>; 2]) -> Vec<(&'a Event, u64)> {
    let seen = |segment: &'a Event| {
        let woke = sides[towards(segment)].iter().find(|call| brings(segment, call));
        (segment, woke.map_or(segment.t_us, |call| segment.t_us.min(call.t_us)))
    };
    let mut segments: Vec<_> = connection.segments.iter().map(seen).collect();
    for at in (1..segments.len()).rev() {
        segments[at - 1].1 = segments[at - 1].1.min(segments[at].1);
    }
    segments
}

/// Whether a call could only return because this segment had arrived.
fn brings(segment: &Event, call: &Event) -> bool {
    let flags = segment.text.as_deref().unwrap_or_default();
    match (call.call.as_str(), segment.got, call.got) {
        ("recv", Some(len), Some(got)) => {
            let start = segment.offset.unwrap_or(0);
            let end = call.offset.unwrap_or(0).saturating_add(got);
            got > 0 && start < end && end <= start.saturating_add(len)
        }
        ("recv", None, Some(0)) => flags.contains("FIN"),
        ("connect", None, _) => flags == "SYN ACK",
        ("accept", None, _) => flags == "ACK" && segment.offset == Some(0),
        _ => false,
    }
}

/// Whether something arrived at this side while the call was under way.
fn woken(side: usize, call: &Event, segments: &[(&Event, u64)]) -> bool {
    let mut came = segments.iter().filter(|(segment, _)| towards(segment) == side);
    came.any(|(_, t_us)| (began(call)..=call.t_us).contains(t_us))
}

/// How long ago the program sent the bytes of this segment; for a bare ACK, how long ago the bytes arrived that it
/// acknowledges.
fn late(segment: &Event, t_us: u64, sides: &[Vec<&Event>; 2], segments: &[(&Event, u64)]) -> u64 {
    let since = match segment.got {
        Some(_) => {
            let offset = segment.offset.unwrap_or(0);
            let sends = sides[1 - towards(segment)].iter().filter(|call| call.call == "send");
            let mut sends = sends.filter(|call| call.offset.unwrap_or(0) <= offset);
            sends.next_back().map(|call| call.t_us)
        }
        None => {
            let before = segments
                .iter()
                .filter(|(other, at)| *at < t_us && towards(other) != towards(segment));
            before.filter(|(other, _)| other.got.is_some()).map(|(_, at)| *at).next_back()
        }
    };
    since.map_or(0, |since| t_us.saturating_sub(since))
}

fn arrow(event: &Event, late_us: u64) -> Arrow {
    let flags = event.text.clone().unwrap_or_default();
    let kind = match (flags.contains("RST"), event.got) {
        (true, _) => Kind::Reset,
        (false, Some(_)) => Kind::Bytes,
        (false, None) => Kind::Control,
    };
    let also = flags.strip_suffix("ACK").unwrap_or(&flags).trim_end();
    let labels = match &event.data {
        Some(data) => {
            let short = bytes::count(data.len());
            let with =
                |words: String| if also.is_empty() { words } else { format!("{words} + {also}") };
            vec![with(shown(data)), with(short)]
        }
        None => vec![flags],
    };
    Arrow { to: towards(event), labels, kind, late_us, segment: event.clone() }
}

/// Bytes as they are drawn: text in quotes, other bytes in hex.
fn shown(data: &[u8]) -> String {
    let shown = bytes::payload(data);
    if shown == bytes::text(data) { format!("\"{shown}\"") } else { shown }
}

/// The call, as the ladder shows it.
fn asks(call: &Event) -> String {
    let failed = call.error.as_ref().map_or("", |_| " failed");
    match (call.call.as_str(), call.got) {
        ("send", Some(got)) => format!("send {got}"),
        (name, _) => format!("{name}{failed}"),
    }
}

/// Its result.
fn returns(call: &Event, waited: bool) -> String {
    let name = if waited { "" } else { call.call.as_str() };
    let what = match (&call.error, call.call.as_str(), call.got) {
        (Some(_), ..) => "failed".to_owned(),
        (_, "recv", Some(0)) => "0 (end)".to_owned(),
        (_, "recv", Some(got)) => got.to_string(),
        _ if waited => "returns".to_owned(),
        _ => String::new(),
    };
    let what = if waited && call.call == "recv" { format!("= {what}") } else { what };
    [name, &what].join(" ").trim().to_owned()
}
