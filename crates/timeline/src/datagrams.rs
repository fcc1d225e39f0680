//! Datagrams between two addresses, drawn like the two directions of a connection, though UDP has no connections.
//!
//! Each datagram is a message, placed where it would be if all of them had arrived. So lost datagrams, and the cut-off
//! ends of others, show as bytes that nobody received.

use event::Event;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

/// Two programs that exchange datagrams.
pub(crate) struct Conversation {
    pub client: Vec<Event>,
    pub server: Vec<Event>,
    /// The addresses of both, as far as they were recorded.
    pub ends: [String; 2],
}

/// The datagrams that one socket exchanged with one address.
#[derive(Clone, Debug, Default)]
struct End {
    local: Option<String>,
    peer: String,
    events: Vec<Event>,
}

/// The conversations of the sockets that exchanged datagrams, in the order of their first datagrams.
pub(crate) fn conversations(events: &[Event]) -> Vec<Conversation> {
    let ends = ends(events);
    let others = |one: usize| {
        let meets = |other: &usize| *other != one && meet(&ends[one], &ends[*other]);
        (0..ends.len()).filter(meets).collect::<Vec<usize>>()
    };
    let mut all = Vec::new();
    for one in 0..ends.len() {
        match others(one)[..] {
            // A matching pair is added once, when the first of the two comes up.
            [other] if others(other) == [one] => {
                if one < other {
                    all.push(conversation(ends[one].clone(), ends[other].clone()));
                }
            }
            // No match, or more than one: treat the other side as not recorded.
            _ => {
                let other = End { local: Some(ends[one].peer.clone()), ..End::default() };
                all.push(conversation(ends[one].clone(), other));
            }
        }
    }
    all
}

fn ends(events: &[Event]) -> Vec<End> {
    let mut locals: HashMap<(u32, u64), String> = HashMap::new();
    for event in events.iter().filter(|event| !matches!(event.call.as_str(), "connect" | "accept"))
    {
        if let Some(local) = &event.local {
            locals.insert((event.pid, event.conn), local.clone());
        }
    }
    let is_datagram = |event: &&Event| matches!(event.call.as_str(), "sendto" | "recvfrom");
    let mut ends: BTreeMap<(u32, u64, String), End> = BTreeMap::new();
    let mut order = Vec::new();
    for event in events.iter().filter(is_datagram) {
        // A failed call may not name the other address.
        let Some(peer) = &event.peer else { continue };
        let key = (event.pid, event.conn, peer.clone());
        let end = ends.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            let local = locals.get(&(event.pid, event.conn)).cloned();
            End { local, peer: peer.clone(), events: Vec::new() }
        });
        end.events.push(event.clone());
    }
    order.iter().filter_map(|key| ends.remove(key)).collect()
}

/// Whether each end has the address that the other one sends to or receives from.
fn meet(one: &End, other: &End) -> bool {
    let is_at =
        |end: &End, address: &str| end.local.as_deref().is_none_or(|local| same(local, address));
    // If neither has a known address of its own, there is nothing to compare.
    (one.local.is_some() || other.local.is_some())
        && is_at(one, &other.peer)
        && is_at(other, &one.peer)
        && all_were_sent(one, other)
        && all_were_sent(other, one)
}

/// Whether each datagram that `to` received is one that `from` sent. The addresses alone don't tell: 0.0.0.0, for
/// example, matches many.
fn all_were_sent(from: &End, to: &End) -> bool {
    let sent = sends(&from.events);
    let came = to.events.iter().filter(|event| event.call == "recvfrom" && event.error.is_none());
    came.into_iter().all(|came| sent.iter().any(|(_, sent)| is_of(came, sent)))
}

/// Whether this is the datagram that was received: all of it, or the part that fitted a smaller buffer.
fn is_of(came: &Event, sent: &[u8]) -> bool {
    let data = came.data.as_deref().unwrap_or_default();
    match came.asked == came.got {
        true => sent.starts_with(data),
        false => sent == data,
    }
}

/// Whether a socket bound to `local` receives what is sent to `address`: 0.0.0.0 means every address of the machine.
fn same(local: &str, address: &str) -> bool {
    let parse = |text: &str| text.parse::<SocketAddr>();
    match (parse(local), parse(address)) {
        (Ok(local), Ok(address)) if local.ip().is_unspecified() => local.port() == address.port(),
        _ => local == address,
    }
}

/// The one that sent first is the client.
fn conversation(one: End, other: End) -> Conversation {
    let begins = |end: &End| {
        let sends = end.events.iter().filter(|event| event.call == "sendto");
        sends.map(|event| event.t_us).min().unwrap_or(u64::MAX)
    };
    let receives_first =
        |end: &End| end.events.first().is_some_and(|event| event.call == "recvfrom");
    let swapped = match other.events.is_empty() {
        true => receives_first(&one),
        false => begins(&other) < begins(&one),
    };
    let (client, server) = if swapped { (other, one) } else { (one, other) };
    let address = |end: &End, other: &End| match other.peer.is_empty() {
        false => other.peer.clone(),
        true => end.local.clone().unwrap_or_else(|| "not recorded".into()),
    };
    let ends = [address(&client, &server), address(&server, &client)];
    let sent_by_client = sends(&client.events);
    let sent_by_server = sends(&server.events);
    Conversation {
        client: placed(&client.events, &sent_by_server),
        server: placed(&server.events, &sent_by_client),
        ends,
    }
}

/// The datagrams that were sent, in order, each with its place in the stream.
fn sends(events: &[Event]) -> Vec<(u64, &[u8])> {
    let mut at = 0_u64;
    let sends = events.iter().filter(|event| event.call == "sendto" && event.error.is_none());
    let place = |event: &'_ Event| {
        let offset = at;
        at = at.saturating_add(event.got.unwrap_or(0));
        offset
    };
    let offsets: Vec<u64> = sends.clone().map(place).collect();
    offsets.into_iter().zip(sends.map(|event| event.data.as_deref().unwrap_or_default())).collect()
}

/// The calls as if they were those of a stream. A received datagram gets the place at which it was sent, even if it arrived
/// out of order. One whose send was not recorded goes after everything that had arrived by then.
fn placed(events: &[Event], sent_to_it: &[(u64, &[u8])]) -> Vec<Event> {
    let (mut sent, mut came) = (0_u64, 0_u64);
    let mut taken = vec![false; sent_to_it.len()];
    let mut next = 0;
    let mut calls = Vec::new();
    for event in events {
        let got = event.got.unwrap_or(0);
        if event.call == "sendto" {
            calls.push(Event { call: "send".into(), offset: Some(sent), ..event.clone() });
            sent = sent.saturating_add(got);
            continue;
        }
        // Most arrive in order: look ahead first, then back.
        let fits = |at: &usize| !taken[*at] && is_of(event, sent_to_it[*at].1);
        let later = (next..taken.len()).chain((0..next).rev()).find(fits);
        let offset = match later.filter(|_| event.error.is_none()) {
            Some(at) => {
                taken[at] = true;
                next = next.max(at + 1);
                sent_to_it[at].0
            }
            None => came,
        };
        came = came.max(offset.saturating_add(got));
        calls.push(Event { call: "recv".into(), offset: Some(offset), ..event.clone() });
    }
    // The order matters only among calls of the same name.
    calls.sort_by_key(|call| (call.call == "recv").then_some(call.offset));
    calls
}
