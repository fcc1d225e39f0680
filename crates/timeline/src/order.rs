//! The order in which the page steps through the calls: causes before their effects.
//!
//! Our programs note a call when it returns. On a busy machine the receiver may have its bytes, and note them, before the sender
//! comes to note its `send`: the times alone would put the effect before its cause. strace notes when a call begins, and a `recv`
//! that waits begins before the `send` that ends its waiting.

use crate::calls::{Call, CallKey};
use crate::stream::Stream;
use event::Event;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// An entry of the recordings: who made the call, which call it is, and what was recorded.
pub(crate) type Entry<'a> = (usize, CallKey<'a>, &'a Event);

/// The calls in the order of time, except that an `accept` comes after its `connect`, and each call after the `send` of its
/// last byte and after the calls that its process noted earlier; a `recv` that returned 0 comes after the call with which the
/// peer ended the stream. These rules can contradict each other, as when one thread notes a `send` only after another thread
/// has received the answer. Then the causes still come before their effects.
pub(crate) fn in_order<'a>(all: Vec<Entry<'a>>, streams: &[Stream]) -> Vec<Entry<'a>> {
    let by_time = by_time(&all);
    let endings = Endings::new(&all, &by_time);
    let in_streams = streams.iter().flat_map(|stream| in_stream(stream, &all, &endings));
    let pairs: Vec<(usize, usize)> = same_calls(&all)
        .into_iter()
        .chain(between_ends(&all, &by_time, &endings))
        .chain(in_streams)
        .collect();
    // For each call, the calls that it caused, and how many causes it is still waiting for.
    let mut effects: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    let mut waits = vec![0; all.len()];
    for (cause, effect) in &pairs {
        effects[*cause].push(*effect);
        waits[*effect] += 1;
    }
    let (before, after) = neighbours(&all, &by_time);
    let latest = latest(&all, &by_time, &pairs);
    let key = |at: usize| Reverse((latest[at], all[at].2.t_us, at));

    // The calls whose causes are done; and those of them that are the next of their process.
    let mut caused: BinaryHeap<_> = (0..all.len()).filter(|at| waits[*at] == 0).map(key).collect();
    let begins = |at: &usize| waits[*at] == 0 && before[*at].is_none();
    let mut ready: BinaryHeap<_> = (0..all.len()).filter(begins).map(key).collect();
    // Calls of recordings that don't belong together may wait for each other in a ring: then the earliest goes first.
    let mut rest = by_time.into_iter().map(key);
    let mut done = vec![false; all.len()];
    let mut order = Vec::new();
    while let Some(Reverse((.., at))) = ready.pop().or_else(|| caused.pop()).or_else(|| rest.next())
    {
        if std::mem::replace(&mut done[at], true) {
            continue;
        }
        order.push(all[at].clone());
        for effect in &effects[at] {
            waits[*effect] -= 1;
            if waits[*effect] == 0 {
                caused.push(key(*effect));
            }
        }
        let free = |at: &usize| waits[*at] == 0 && before[*at].is_none_or(|before| done[before]);
        ready.extend(effects[at].iter().copied().chain(after[at]).filter(free).map(key));
    }
    order
}

/// For each call, the one that its process noted before it, and the one after it.
fn neighbours(all: &[Entry<'_>], by_time: &[usize]) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let (mut before, mut after) = (vec![None; all.len()], vec![None; all.len()]);
    let mut last = HashMap::new();
    for &at in by_time {
        before[at] = last.insert(all[at].2.pid, at);
        if let Some(before) = before[at] {
            after[before] = Some(at);
        }
    }
    (before, after)
}

/// The latest time at which each call can have happened: before it was noted, and before anything that it caused was noted.
/// So a `send` that a thread noted only after another thread had received the answer still comes before that answer.
fn latest(all: &[Entry<'_>], by_time: &[usize], pairs: &[(usize, usize)]) -> Vec<u64> {
    let mut causes: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    pairs.iter().for_each(|(cause, effect)| causes[*effect].push(*cause));
    let mut latest = vec![None; all.len()];
    for &at in by_time {
        let noted = all[at].2.t_us;
        let mut before = vec![at];
        while let Some(at) = before.pop() {
            if latest[at].is_none() {
                latest[at] = Some(noted);
                before.extend(&causes[at]);
            }
        }
    }
    latest.into_iter().map(Option::unwrap_or_default).collect()
}

fn by_time(all: &[Entry<'_>]) -> Vec<usize> {
    let mut by_time: Vec<usize> = (0..all.len()).collect();
    by_time.sort_by_key(|at| all[*at].2.t_us);
    by_time
}

/// Pairs of calls with the same name on one socket: they moved their bytes in the order in which they were noted.
fn same_calls(all: &[Entry<'_>]) -> Vec<(usize, usize)> {
    let mut last = HashMap::new();
    let places = all.iter().enumerate();
    places
        .filter_map(|(at, (_, (name, (pid, conn, _), _), _))| {
            Some((last.insert((name, pid, conn), at)?, at))
        })
        .collect()
}

/// Pairs of a `connect` and its `accept`, and of a `recv` and the call on the other socket that caused it, in both directions.
/// Where several connections have the same addresses, as on a Unix socket, the first `accept` takes the first `connect`.
fn between_ends(all: &[Entry<'_>], by_time: &[usize], endings: &Endings) -> Vec<(usize, usize)> {
    let mut ends: HashMap<_, [Vec<usize>; 2]> = HashMap::new();
    let mut moved: HashMap<_, Vec<usize>> = HashMap::new();
    for &at in by_time {
        let event = all[at].2;
        match (event.call.as_str(), &event.local, &event.peer, &event.error) {
            ("connect", Some(here), Some(there), None) => {
                ends.entry((here, there)).or_default()[0].push(at)
            }
            ("accept", Some(here), Some(there), None) => {
                ends.entry((there, here)).or_default()[1].push(at)
            }
            _ => {}
        }
    }
    let all_moved = all.iter().enumerate().filter(|(_, (.., event))| event.got.is_some());
    for (at, (_, (name, ..), event)) in all_moved {
        moved.entry((*name, event.pid, event.conn)).or_default().push(at);
    }
    let socket = |end: usize| (all[end].2.pid, all[end].2.conn);
    let of = |name, (pid, conn)| moved.get(&(name, pid, conn)).into_iter().flatten().copied();
    let carried = |from: usize, to: usize| {
        let (from, to) = (socket(from), socket(to));
        let sends: Vec<usize> = of("send", from).collect();
        let cause =
            move |recv| bringing(&sends, all, recv).or_else(|| endings.ending(from, all[recv].2));
        of("recv", to).filter_map(move |recv| Some((cause(recv)?, recv)))
    };
    let met = ends.values().flat_map(|[connects, accepts]| connects.iter().zip(accepts));
    let pairs = met.flat_map(|(connect, accept)| {
        let both = carried(*connect, *accept).chain(carried(*accept, *connect));
        both.chain([(*connect, *accept)])
    });
    pairs.collect()
}

/// Which of these sends sent the last byte that this `recv` took.
fn bringing(sends: &[usize], all: &[Entry<'_>], recv: usize) -> Option<usize> {
    let end = |at: usize| all[at].2.offset?.checked_add(all[at].2.got?);
    let taken = all[recv].2.got.filter(|got| *got > 0).and_then(|_| end(recv))?;
    let send = *sends.get(sends.partition_point(|send| end(*send) < Some(taken)))?;
    (all[send].2.offset < Some(taken)).then_some(send)
}

/// What ended the streams, as far as it was recorded: a peer that is killed or resets the connection makes no call.
struct Endings {
    /// For each socket, its first `shutdown` of writing or, without one, its `close`.
    sending: HashMap<(u32, u64), usize>,
    /// When a socket ended its own reading. From then on its `recv` returns 0, whatever the peer does.
    reading: HashMap<(u32, u64), u64>,
}

impl Endings {
    fn new(all: &[Entry<'_>], by_time: &[usize]) -> Endings {
        let (mut sending, mut reading) = (HashMap::new(), HashMap::new());
        for &at in by_time {
            let event = all[at].2;
            let (socket, dir) = ((event.pid, event.conn), event.dir.as_deref());
            let is_shutdown = event.call == "shutdown";
            if event.error.is_some() || !(is_shutdown || event.call == "close") {
                continue;
            }
            if dir != Some("in") {
                sending.entry(socket).or_insert(at);
            }
            if is_shutdown && dir != Some("out") {
                // Reading alone is ended to wake another thread from its `recv`, which may be noted before the `shutdown`.
                let from = if dir == Some("in") { 0 } else { event.t_us };
                reading.entry(socket).or_insert(from);
            }
        }
        Endings { sending, reading }
    }

    /// The call on the socket `from` that made this `recv` return 0, if that's what it did.
    fn ending(&self, from: (u32, u64), recv: &Event) -> Option<usize> {
        let is_end = recv.call == "recv" && recv.got == Some(0) && recv.asked != Some(0);
        let own = self.reading.get(&(recv.pid, recv.conn));
        let is_of_peer = own.is_none_or(|own| recv.t_us < *own);
        self.sending.get(&from).copied().filter(|_| is_end && is_of_peer)
    }
}

/// The same for what a stream knows without addresses: pairs of a call and the one that sent its last byte, or the end.
/// Captured segments have a clock of their own.
fn in_stream(stream: &Stream, all: &[Entry<'_>], endings: &Endings) -> Vec<(usize, usize)> {
    let places: HashMap<&CallKey<'_>, usize> =
        all.iter().enumerate().map(|(at, (_, key, _))| (key, at)).collect();
    let place = |name, call: &Call| places.get(&(name, call.socket.clone(), call.number)).copied();
    let mut lanes = stream.lanes();
    lanes.retain(|lane| lane.call != "segment");
    let mut pairs = Vec::new();
    for pair in lanes.windows(2) {
        let sends = pair[0].calls;
        for call in pair[1].calls.iter().filter(|call| call.len > 0) {
            let cause = sends.get(sends.partition_point(|send| send.end() < call.end()));
            let cause = cause.filter(|send| send.offset < call.end());
            let cause = cause.and_then(|send| place("send", send));
            pairs.extend(cause.zip(place(pair[1].call, call)));
        }
        let Some((pid, conn, _)) = sends.first().map(|send| &send.socket) else { continue };
        let received = pair[1].calls.iter().filter_map(|call| place(pair[1].call, call));
        pairs.extend(
            received.filter_map(|recv| Some((endings.ending((*pid, *conn), all[recv].2)?, recv))),
        );
    }
    pairs
}
