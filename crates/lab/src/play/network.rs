//! What lies between the program and its peers: a relay with a schedule, or nothing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use relay::{Direction, Endpoint, Plan, Relay, Schedule, Toward};
use socket2::{Domain, SockAddr, Socket, Type};

use super::patience::PATIENCE;
use super::peer::Peer;
use super::trial::Trial;
use crate::verdict::{CaseFailure, Fault};

impl Trial<'_> {
    /// Connects a peer to the server, through a relay with this schedule: `cut=1`, `cut=random:1..7`, `idle` for none. The
    /// seed is the trial's. Without `direction=` it is what the peer sends that is disturbed.
    ///
    /// # Errors
    /// [`CaseFailure`] when the server does not accept.
    pub fn connect(&mut self, schedule: &str) -> Result<Peer, CaseFailure> {
        let schedule = self.parse(schedule, Direction::ToServer)?;
        let Some(server) = self.address.clone() else {
            return Err(CaseFailure::machine("connect", "the case has started no server"));
        };
        let address = self.relayed(server, &schedule)?;
        self.step(format!("a peer connects{}", in_brackets(&schedule)));
        self.accepted(dial(&address, Buffers::Usual), &schedule)
    }

    /// Connects a peer whose kernel buffers are small, directly: some 300,000 bytes then fill everything between it and a
    /// program that has stopped reading. Usually that takes 8 MB (tcp(7), `tcp_rmem` and `tcp_wmem`), and how much fits
    /// is chance.
    ///
    /// # Errors
    /// [`CaseFailure`] when the server does not accept.
    pub fn connect_narrow(&mut self) -> Result<Peer, CaseFailure> {
        let Some(server) = self.address.clone() else {
            return Err(CaseFailure::machine("connect", "the case has started no server"));
        };
        self.step("a peer connects, with small buffers");
        self.accepted(dial(&server, Buffers::Small), &Schedule::default())
    }

    /// Connects a peer from another address and with the same port as this one: 127.0.0.2, which only Linux has without
    /// being told. Elsewhere, a peer as any other.
    ///
    /// # Errors
    /// [`CaseFailure`] when the server does not accept.
    pub fn connect_beside(&mut self, peer: &Peer) -> Result<Peer, CaseFailure> {
        let (Some(Endpoint::Ip(server)), Some(port), true) =
            (self.address.clone(), peer.port(), cfg!(target_os = "linux"))
        else {
            return self.connect("idle");
        };
        let from = SocketAddr::from(([127, 0, 0, 2], port));
        self.step(format!("a peer connects from {}, with the same port", from.ip()));
        self.accepted(dial_from(from, server), &Schedule::default())
    }

    fn accepted(
        &mut self,
        dialled: io::Result<Socket>,
        schedule: &Schedule,
    ) -> Result<Peer, CaseFailure> {
        let socket = dialled.map_err(|error| {
            let what = format!("the program does not accept a connection: {error}");
            self.or_ended(CaseFailure::new(Fault::Ended, what))
        })?;
        Ok(self.peer(socket, Plan::new(schedule, Toward::Server, 0)))
    }

    /// Another peer connects, and is to be served like this.
    ///
    /// # Errors
    /// Those of `ask`; but if the program has ended, that it has ([`or_ended`](Trial::or_ended)).
    pub fn next_peer(
        &mut self,
        ask: impl FnOnce(&mut Peer) -> Result<(), CaseFailure>,
    ) -> Result<(), CaseFailure> {
        let asked = self.connect("idle").and_then(|mut peer| ask(&mut peer));
        asked.map_err(|failure| self.or_ended(failure))
    }

    /// Why the next peer was not served: if the program has ended by itself, that it has. Else it would be chance whether
    /// the peer came just before its end or behind it, and what it saw.
    pub fn or_ended(&self, failure: CaseFailure) -> CaseFailure {
        match self.ended(Duration::from_millis(500)) {
            Some(how) => CaseFailure::new(
                Fault::Ended,
                format!("the program has ended ({how}), and serves no other peer"),
            ),
            None => failure,
        }
    }

    pub(crate) fn ended(&self, within: Duration) -> Option<String> {
        self.student.as_ref().and_then(|student| student.ended(within))
    }

    pub(crate) fn parse(
        &mut self,
        schedule: &str,
        usual: Direction,
    ) -> Result<Schedule, CaseFailure> {
        let mut parsed: Schedule = schedule
            .parse()
            .map_err(|error| CaseFailure::machine("understand the case's schedule", error))?;
        if parsed.direction == Direction::Both && parsed != Schedule::default() {
            parsed.direction = usual;
        }
        if parsed.has_chance() {
            parsed.seed = self.random.between(1, 999_999);
        }
        if parsed != Schedule::default() {
            self.schedule = parsed.clone();
        }
        Ok(parsed)
    }

    /// Where to connect to reach `to` with this schedule: behind a relay, or directly when nothing is to be disturbed.
    pub(crate) fn relayed(
        &mut self,
        to: Endpoint,
        schedule: &Schedule,
    ) -> Result<Endpoint, CaseFailure> {
        if *schedule == Schedule::default() {
            return Ok(to);
        }
        let listen = match &to {
            Endpoint::Ip(_) => Endpoint::Ip(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            Endpoint::Path(_) => {
                Endpoint::Path(self.folder()?.join(format!("relay-{}", self.relays.len())))
            }
        };
        let relay = Relay::start(listen, to, schedule.clone())
            .map_err(|error| CaseFailure::machine("start the relay", error))?;
        let address = relay.address().clone();
        self.relays.push(relay);
        Ok(address)
    }

    pub(crate) fn peer(&mut self, socket: Socket, plan: Plan) -> Peer {
        let name = self.next_name();
        let peer = Peer::new(name, socket, plan, Rc::clone(&self.steps), Rc::clone(&self.patience));
        self.recorded.push(peer.recorded());
        peer
    }

    /// What the report calls the next peer.
    pub(crate) fn next_name(&mut self) -> String {
        self.peers += 1;
        match self.peers {
            1 => "the peer".to_owned(),
            number => format!("peer {number}"),
        }
    }
}

/// How much the kernel keeps for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffers {
    Usual,
    Small,
}

/// A connection, or an error after five seconds.
pub(crate) fn dial(address: &Endpoint, buffers: Buffers) -> io::Result<Socket> {
    match address {
        Endpoint::Ip(address) => {
            let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
            if buffers == Buffers::Small {
                socket.set_recv_buffer_size(4 << 10)?;
                socket.set_send_buffer_size(4 << 10)?;
                // Segments as on an Ethernet: how large the program's own buffers grow depends on it, too.
                socket.set_tcp_mss(1448)?;
            }
            socket.connect_timeout(&SockAddr::from(*address), PATIENCE)?;
            Ok(socket)
        }
        Endpoint::Path(path) => {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            // Where the queue of the listener is full, connect waits as long as a write may; but one that must not block,
            // as connect_timeout has it, fails at once with EAGAIN.
            socket.set_write_timeout(Some(PATIENCE))?;
            socket.connect(&SockAddr::unix(path)?)?;
            Ok(socket)
        }
    }
}

/// As [`dial`], from this address.
fn dial_from(from: SocketAddr, to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    // Another check may have a connection with this port.
    socket.set_reuse_address(true)?;
    socket.bind(&from.into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    Ok(socket)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use stage::Scratch;

    use super::*;

    /// Elsewhere a full queue refuses at once.
    #[test]
    fn a_peer_waits_where_the_queue_of_a_unix_socket_is_full() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("socket");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        // One may wait all the same.
        listener.listen(0).unwrap();
        let address = Endpoint::Path(path);
        let _first = dial(&address, Buffers::Usual).unwrap();
        let (dials, dialling) = mpsc::channel();
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                dials.send(()).unwrap();
                dial(&address, Buffers::Usual)
            });
            dialling.recv().unwrap();
            thread::yield_now();
            listener.accept().unwrap();
            assert!(second.join().unwrap().is_ok());
        });
    }
}

/// A schedule behind a step; nothing for one that does nothing.
pub(crate) fn in_brackets(schedule: &Schedule) -> String {
    let schedule = schedule.to_string();
    if schedule == "idle" { String::new() } else { format!(" ({schedule})") }
}
