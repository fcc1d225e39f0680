//! The order in which the page steps through the calls.
//!
//! A call is noted when it returns. On a busy machine the receiver may have its bytes, and note them, before the sender
//! comes to note its `send`: the times alone would put the effect before its cause.

use crate::calls::{Call, CallKey};
use crate::stream::Stream;
use observe::Event;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// An entry of the recordings: whose call, which, and what was noted of it.
pub(crate) type Entry<'a> = (usize, CallKey<'a>, &'a Event);

/// The calls in the order of time, but each after the `send` that brought its last byte, and those of one socket in
/// the order in which they were noted.
pub(crate) fn in_order<'a>(all: Vec<Entry<'a>>, streams: &[Stream]) -> Vec<Entry<'a>> {
    let places: HashMap<&CallKey<'_>, usize> =
        all.iter().enumerate().map(|(at, (_, key, _))| (key, at)).collect();
    // For each call, the calls that wait for it, and how many it waits for itself.
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    let mut waits = vec![0; all.len()];
    let mut put = |cause: usize, effect: usize| {
        waiting[cause].push(effect);
        waits[effect] += 1;
    };
    let mut last = HashMap::new();
    for (at, (_, _, event)) in all.iter().enumerate() {
        if let Some(before) = last.insert((event.pid, event.conn), at) {
            put(before, at);
        }
    }
    for (cause, effect) in streams.iter().flat_map(causes) {
        if let (Some(cause), Some(effect)) = (places.get(&cause), places.get(&effect)) {
            put(*cause, *effect);
        }
    }
    for (cause, effect) in streams.iter().flat_map(|stream| taken_by_relay(stream, &all)) {
        if let Some(cause) = places.get(&cause) {
            put(*cause, effect);
        }
    }

    let mut ready: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let by_time = |at: usize| Reverse((all[at].2.t_us, at));
    let mut rest: Vec<_> = (0..all.len()).map(|at| by_time(at).0).collect();
    rest.sort_unstable();
    ready.extend((0..all.len()).filter(|at| waits[*at] == 0).map(by_time));
    let mut done = vec![false; all.len()];
    let mut order = Vec::new();
    // Recordings that do not belong together may wait for each other in a ring: then the earliest goes first.
    let mut rest = rest.into_iter();
    while order.len() < all.len() {
        let next = ready.pop().map(|Reverse((_, at))| at);
        let Some(at) = next.or_else(|| rest.find(|(_, at)| !done[*at]).map(|(_, at)| at)) else {
            break;
        };
        if std::mem::replace(&mut done[at], true) {
            continue;
        }
        order.push(at);
        for effect in &waiting[at] {
            waits[*effect] -= 1;
            if waits[*effect] == 0 {
                ready.push(by_time(*effect));
            }
        }
    }
    order.into_iter().map(|at| all[at].clone()).collect()
}

/// Pairs of a `send` and a call that moved on the last byte that it brought. Captured segments have a clock of their own.
fn causes(stream: &Stream) -> Vec<(CallKey<'_>, CallKey<'_>)> {
    let mut lanes = stream.lanes();
    lanes.retain(|lane| lane.call != "segment");
    let mut all = Vec::new();
    for pair in lanes.windows(2) {
        for call in pair[1].calls.iter().filter(|call| call.len > 0) {
            let cause = bringing(pair[0].calls, call.end());
            all.extend(cause.map(|cause| (key("send", cause), key(pair[1].call, call))));
        }
    }
    all
}

/// The same for what the relay received, which no lane shows: pairs of a `send` and the place of a `recv`. We know which
/// of its sockets talks to the sender only if it has one besides that which talks to the receiver.
fn taken_by_relay<'a>(stream: &'a Stream, all: &[Entry<'_>]) -> Vec<(CallKey<'a>, usize)> {
    let via = stream.via.as_ref().filter(|via| via.call == "send");
    let Some((pid, conn, _)) = via.and_then(|via| Some(&via.calls.first()?.socket)) else {
        return Vec::new();
    };
    let others = all.iter().enumerate();
    let others = others.filter(|(_, (_, _, event))| event.pid == *pid && event.conn != *conn);
    let others: Vec<(usize, &Event)> = others.map(|(at, (_, _, event))| (at, *event)).collect();
    if others.iter().any(|(_, event)| event.conn != others[0].1.conn) {
        return Vec::new();
    }
    let pair = |(at, event): (usize, &Event)| {
        let got = event.got.filter(|got| *got > 0 && event.call == "recv")?;
        let end = usize::try_from(event.offset?.checked_add(got)?).ok()?;
        bringing(&stream.sends, end).map(|cause| (key("send", cause), at))
    };
    others.into_iter().filter_map(pair).collect()
}

/// The call that moved the byte before this offset.
fn bringing(calls: &[Call], end: usize) -> Option<&Call> {
    let call = calls.get(calls.partition_point(|call| call.end() < end))?;
    (call.offset < end).then_some(call)
}

fn key<'a>(name: &'a str, call: &Call) -> CallKey<'a> {
    (name, call.socket.clone(), call.number)
}
