//! Which sockets of which processes were the ends of one connection.

use crate::{Stream, StreamError};
use observe::Event;
use std::mem::take;

/// One connection, as everyone recorded it who took part.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The calls on the socket that connected; empty when nobody recorded them.
    pub client: Vec<Event>,
    /// The calls on the socket that was accepted; empty when nobody recorded them.
    pub server: Vec<Event>,
    /// What stood in between, if anything was recorded there.
    pub relay: Option<Relayed>,
}

/// The two connections of a relay that make one for those who talk through it.
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

/// Finds the connections in what clients and servers recorded, and in what a relay between them did.
///
/// The two ends know each other by their addresses. The client's end of a Unix socket has none: there, a client and a
/// server belong together only where no other could be meant. An end that nobody recorded is empty. The connections are
/// in the order of their first events.
pub fn connections(ends: &[Event], relay: &[Event]) -> Vec<Connection> {
    let (mut clients, mut servers) = (sockets(ends, "connect"), sockets(ends, "accept"));
    let (accepted, connected) = relayed(relay);
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
        });
    }
    for (client, server) in clients.into_iter().zip(direct) {
        if !client.is_empty() {
            let server = server.map(|at| take(&mut servers[at])).unwrap_or_default();
            all.push(Connection { client, server, relay: None });
        }
    }
    let unmatched = servers.into_iter().filter(|server| !server.is_empty());
    all.extend(unmatched.map(|server| Connection { server, ..Connection::default() }));
    all.sort_by_key(Connection::begun);
    all
}

impl Connection {
    /// One of its two byte streams: what one end sent, what travelled, and what the other end received.
    ///
    /// # Errors
    /// [`StreamError`] when the recordings contradict each other.
    pub fn stream(&self, direction: Direction) -> Result<Stream, StreamError> {
        let (stream, relay) = match direction {
            Direction::ToServer => (
                Stream::from_events(&self.client, &self.server)?.between("client", "server"),
                self.relay.as_ref().map(|relay| &relay.to_server),
            ),
            Direction::ToClient => (
                Stream::from_events(&self.server, &self.client)?.between("server", "client"),
                self.relay.as_ref().map(|relay| &relay.to_client),
            ),
        };
        relay.map_or(Ok(stream.clone()), |relay| stream.via("relay", relay))
    }

    /// The addresses of its two ends, where somebody recorded them: `127.0.0.1:51412 to 127.0.0.1:8888`.
    pub fn ends(&self) -> String {
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

/// The sockets whose life begins with this call, each with all its events.
fn sockets(events: &[Event], call: &str) -> Vec<Vec<Event>> {
    let of = |first: &Event| {
        let same = |event: &&Event| (event.pid, event.conn) == (first.pid, first.conn);
        events.iter().filter(same).cloned().collect::<Vec<_>>()
    };
    let begins = |event: &&Event| event.call == call && event.error.is_none();
    events.iter().filter(begins).map(of).filter(|socket| !passed_on(socket, events)).collect()
}

/// Whether another process made the calls on an accepted socket: it inherited it, so nothing tells us which one.
fn passed_on(socket: &[Event], events: &[Event]) -> bool {
    let moved = |event: &&Event| matches!(event.call.as_str(), "send" | "recv");
    let begun = |moving: &Event| {
        events.iter().any(|event| {
            (event.pid, event.conn) == (moving.pid, moving.conn)
                && matches!(event.call.as_str(), "accept" | "connect")
        })
    };
    !socket.iter().any(|event| moved(&event)) && events.iter().filter(moved).any(|it| !begun(it))
}

/// The sockets that a relay accepted, and for each the one that it then connected; none if it did not come to that.
fn relayed(events: &[Event]) -> (Vec<Vec<Event>>, Vec<Vec<Event>>) {
    let (accepted, mut connected) = (sockets(events, "accept"), sockets(events, "connect"));
    let then = |accept: &Vec<Event>| {
        let follows = |connect: &Vec<Event>| {
            connect.first().zip(accept.first()).is_some_and(|(connect, accept)| {
                connect.pid == accept.pid && connect.t_us >= accept.t_us
            })
        };
        connected.iter().position(follows).map(|at| take(&mut connected[at])).unwrap_or_default()
    };
    let then = accepted.iter().map(then).collect();
    (accepted, then)
}

/// For each client the server that it talked to, where the addresses leave no doubt.
fn matches(clients: &[Vec<Event>], servers: &[Vec<Event>]) -> Vec<Option<usize>> {
    let could_meet = |client: &[Event], server: &[Event]| {
        let (local, peer) = addresses(client, "connect");
        peer.is_some() && (peer, local) == addresses(server, "accept")
    };
    let server_of = |client: &Vec<Event>| {
        let mut candidates = (0..servers.len()).filter(|at| could_meet(client, &servers[*at]));
        let server = candidates.next()?;
        let rivals = clients.iter().filter(|client| could_meet(client, &servers[server])).count();
        (rivals == 1 && candidates.next().is_none()).then_some(server)
    };
    clients.iter().map(server_of).collect()
}

/// This end's address and the other end's, as the call recorded them that began the connection.
fn addresses<'a>(socket: &'a [Event], call: &str) -> (Option<&'a str>, Option<&'a str>) {
    let begin = socket.iter().find(|event| event.call == call);
    begin.map_or((None, None), |event| (event.local.as_deref(), event.peer.as_deref()))
}
