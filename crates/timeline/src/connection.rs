//! Which sockets of which processes were the two ends of a connection.

use crate::datagrams::{Conversation, conversations};
use crate::{Stream, StreamError};
use event::Event;
use std::collections::HashMap;
use std::mem::take;

/// One connection, as recorded by everyone who took part.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The calls on the socket that connected; empty if they were not recorded.
    pub client: Vec<Event>,
    /// The calls on the accepted socket; empty if they were not recorded.
    pub server: Vec<Event>,
    /// What a relay in between did, if one was recorded.
    pub relay: Option<Relayed>,
    /// The TCP segments that were captured between the two, in both directions.
    pub segments: Vec<Event>,
    /// The addresses of the client and of the server, if these are datagrams: no connect or accept recorded them.
    pub datagrams: Option<[String; 2]>,
}

/// The two connections of a relay: to the programs that talk through it, they are one.
#[derive(Clone, Debug, Default)]
pub struct Relayed {
    /// The calls on the socket that it accepted.
    pub to_client: Vec<Event>,
    /// The calls on the socket that it connected.
    pub to_server: Vec<Event>,
}

/// One of the two byte streams of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server sends.
    ToClient,
}

/// Finds the connections in what clients and servers recorded, and in what was recorded between them: the trace of a
/// relay, or captured segments.
///
/// The two ends are matched by their addresses. The client's end of a Unix socket has none: there, a client and a
/// server belong together only if there is no other candidate. An end that nobody recorded is empty. The connections
/// are in the order of their first events.
pub fn connections(ends: &[Event], between: &[Event]) -> Vec<Connection> {
    let (mut clients, mut servers) = (sockets(ends, "connect"), sockets(ends, "accept"));
    let (accepted, connected) = relayed(between);
    let of_relay = matches(&clients, &accepted);
    let behind_relay = matches(&connected, &servers);
    let direct = matches(&clients, &servers);

    let mut all = Vec::new();
    for (index, (to_client, to_server)) in accepted.into_iter().zip(connected).enumerate() {
        let client = of_relay.iter().position(|relay| *relay == Some(index));
        all.push(Connection {
            client: client.map(|client| take(&mut clients[client])).unwrap_or_default(),
            server: behind_relay[index].map(|at| take(&mut servers[at])).unwrap_or_default(),
            relay: Some(Relayed { to_client, to_server }),
            ..Connection::default()
        });
    }
    for (client, server) in clients.into_iter().zip(direct) {
        if !client.is_empty() {
            let server = server.map(|at| take(&mut servers[at])).unwrap_or_default();
            let segments = segments(between, addresses(&client, "connect"));
            all.push(Connection { client, server, segments, ..Connection::default() });
        }
    }
    let unmatched = servers.into_iter().filter(|server| !server.is_empty());
    all.extend(unmatched.map(|server| {
        let segments = segments(between, addresses(&server, "accept"));
        Connection { server, segments, ..Connection::default() }
    }));
    all.extend(conversations(ends).into_iter().map(|Conversation { client, server, ends }| {
        Connection { client, server, datagrams: Some(ends), ..Connection::default() }
    }));
    all.sort_by_key(Connection::begun);
    all
}

impl Connection {
    /// One of its two byte streams: what one end sent, what travelled, and what the other end received.
    ///
    /// # Errors
    /// [`StreamError`] when the recordings contradict each other.
    pub fn stream(&self, direction: Direction) -> Result<Stream, StreamError> {
        let relay = self.relay.clone().unwrap_or_default();
        let (mut stream, relay, dir) = match direction {
            Direction::ToServer => {
                let stream = Stream::from_events(&self.client, &self.server)?;
                (stream.between("client", "server"), relay.to_server, "out")
            }
            Direction::ToClient => {
                let stream = Stream::from_events(&self.server, &self.client)?;
                (stream.between("server", "client"), relay.to_client, "in")
            }
        };
        stream.datagrams = self.datagrams.is_some();
        let receiver = if direction == Direction::ToServer { &self.server } else { &self.client };
        let recvs = receiver.iter().filter(|event| event.call == "recv");
        stream.overtaken = stream.datagrams && !recvs.is_sorted_by_key(|event| event.t_us);
        let this_way = |event: &&Event| event.dir.as_deref() == Some(dir) && event.got.is_some();
        let segments: Vec<Event> = self.segments.iter().filter(this_way).cloned().collect();
        if !relay.is_empty() {
            stream.via("relay", &relay)
        } else if !segments.is_empty() {
            stream.via("wire", &segments)
        } else {
            Ok(stream)
        }
    }

    /// Each party that recorded something, with its events; for [`page`](crate::page).
    pub fn parties(&self) -> Vec<(&'static str, Vec<Event>)> {
        let relay = self.relay.as_ref();
        let relay = relay.map(|relay| [&relay.to_client[..], &relay.to_server].concat());
        let segments = self.segments.iter().filter(|event| event.got.is_some());
        let all = [
            ("client", self.client.clone()),
            ("relay", relay.unwrap_or_default()),
            ("wire", segments.cloned().collect()),
            ("server", self.server.clone()),
        ];
        all.into_iter().filter(|(_, events)| !events.is_empty()).collect()
    }

    /// The addresses of its two ends, where somebody recorded them: `127.0.0.1:51412 to 127.0.0.1:8888`.
    pub fn ends(&self) -> String {
        if let Some([client, server]) = &self.datagrams {
            return format!("{client} to {server}, datagrams");
        }
        let client = addresses(&self.client, "connect");
        let server = addresses(&self.server, "accept");
        let known = |address: Option<&str>| address.unwrap_or("not recorded").to_owned();
        match &self.relay {
            None => format!("{} to {}", known(client.0.or(server.1)), known(client.1.or(server.0))),
            Some(relay) => {
                let (accepted, connected) =
                    (addresses(&relay.to_client, "accept"), addresses(&relay.to_server, "connect"));
                let (client, server) = (client.0.or(accepted.1), server.0.or(connected.1));
                format!("{} to {}, relayed", known(client), known(server))
            }
        }
    }

    fn begun(&self) -> Option<u64> {
        [&self.client, &self.server].into_iter().filter_map(|end| Some(end.first()?.t_us)).min()
    }
}

/// The sockets that begin with this call, each with all its events.
fn sockets(events: &[Event], call: &str) -> Vec<Vec<Event>> {
    let mut by_socket: HashMap<_, Vec<&Event>> = HashMap::new();
    // A socket that was only created is not yet an end of a connection.
    for event in events.iter().filter(|event| event.call != "socket") {
        by_socket.entry((event.pid, event.conn)).or_default().push(event);
    }
    let moved = |event: &&Event| matches!(event.call.as_str(), "send" | "recv");
    let begun = |event: &&Event| matches!(event.call.as_str(), "accept" | "connect");
    // Another process may have inherited an accepted socket and made the calls on it. We can't tell which process.
    let inherited = by_socket.values().any(|all| all.iter().any(moved) && !all.iter().any(begun));
    let begins = |event: &&Event| event.call == call && event.error.is_none();
    events
        .iter()
        .filter(begins)
        .map(|first| &by_socket[&(first.pid, first.conn)])
        .filter(|all| call != "accept" || !inherited || all.iter().any(moved))
        .map(|all| all.iter().map(|event| (*event).clone()).collect())
        .collect()
}

/// The sockets that a relay accepted, and for each the one that it connected next. The latter is empty if it is unclear
/// which one that is, as when the relay accepted another socket first.
fn relayed(events: &[Event]) -> (Vec<Vec<Event>>, Vec<Vec<Event>>) {
    let (accepted, mut connected) = (sockets(events, "accept"), sockets(events, "connect"));
    let begun = |socket: &Vec<Event>| socket.first().map(|event| event.t_us);
    let mut then = Vec::new();
    for (index, accept) in accepted.iter().enumerate() {
        let next = accepted.get(index + 1).and_then(begun);
        let follows = |connect: &Vec<Event>| {
            begun(connect) >= begun(accept) && next.is_none_or(|next| begun(connect) < Some(next))
        };
        let connect = connected.iter().position(follows);
        then.push(connect.map(|at| take(&mut connected[at])).unwrap_or_default());
    }
    (accepted, then)
}

/// The segments between two addresses.
fn segments(events: &[Event], ends: (Option<&str>, Option<&str>)) -> Vec<Event> {
    let between = |event: &&Event| {
        let these = (event.local.as_deref(), event.peer.as_deref());
        event.call == "segment" && (these == ends || (these.1, these.0) == ends)
    };
    events.iter().filter(between).cloned().collect()
}

/// For each client the server that it talked to, where the addresses leave no doubt.
fn matches(clients: &[Vec<Event>], servers: &[Vec<Event>]) -> Vec<Option<usize>> {
    let could_meet = |client: &[Event], server: &[Event]| {
        let (local, peer) = addresses(client, "connect");
        let ends = addresses(server, "accept");
        // The kernel numbers Unix sockets: no two have the same number.
        let numbered = local.is_some_and(|local| local.starts_with("socket ")) && ends.1 == local;
        numbered || peer.is_some() && (peer, local) == ends
    };
    let server_of = |client: &Vec<Event>| {
        let mut candidates = (0..servers.len()).filter(|at| could_meet(client, &servers[*at]));
        let server = candidates.next()?;
        let rivals = clients.iter().filter(|client| could_meet(client, &servers[server])).count();
        (rivals == 1 && candidates.next().is_none()).then_some(server)
    };
    clients.iter().map(server_of).collect()
}

/// This end's address and the other end's, as recorded by the call that began the connection.
fn addresses<'a>(socket: &'a [Event], call: &str) -> (Option<&'a str>, Option<&'a str>) {
    let begin = socket.iter().find(|event| event.call == call);
    begin.map_or((None, None), |event| (event.local.as_deref(), event.peer.as_deref()))
}
