//! Peers connect to the program, directly or through a relay with a schedule.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use relay::{Destination, Direction, Endpoint, Plan, Schedule};
use socket2::Socket;

use super::dial::{Buffers, dial, dial_from};
use super::network::in_brackets;
use super::peer::Peer;
use super::trial::Trial;
use crate::verdict::{CaseFailure, Fault};

impl Trial<'_> {
    /// Connects a peer to the server, through a relay with this schedule: `cut=1`, `cut=random:1..7`, `idle` for no
    /// relay. The seed is the trial's. Without `direction=`, the relay disturbs what the peer sends.
    ///
    /// # Errors
    /// [`CaseFailure`] when the server doesn't accept.
    pub fn connect(&mut self, schedule: &str) -> Result<Peer, CaseFailure> {
        let schedule = self.network.parse(schedule, Direction::ToServer)?;
        let Some(server) = self.address.clone() else {
            return Err(CaseFailure::machine("connect", "the case has started no server"));
        };
        let address = self.relayed(server, &schedule)?;
        self.step(format!("a peer connects{}", in_brackets(&schedule)));
        self.accepted(dial(&address, Buffers::Usual), &schedule)
    }

    /// Connects a peer with small kernel buffers directly to the server. About 300,000 bytes are then enough to fill
    /// everything between it and a program that has stopped reading. With the usual buffers that takes 8 MB (tcp(7),
    /// `tcp_rmem` and `tcp_wmem`), and how much fits is chance.
    ///
    /// # Errors
    /// [`CaseFailure`] when the server doesn't accept.
    pub fn connect_narrow(&mut self) -> Result<Peer, CaseFailure> {
        let Some(server) = self.address.clone() else {
            return Err(CaseFailure::machine("connect", "the case has started no server"));
        };
        self.step("a peer connects, with small buffers");
        self.accepted(dial(&server, Buffers::Small), &Schedule::default())
    }

    /// Connects a peer from another address but with the same port as this one: 127.0.0.2, which only Linux has without
    /// any setup. On other systems, an ordinary peer.
    ///
    /// # Errors
    /// [`CaseFailure`] when the server doesn't accept.
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
        Ok(self.peer(socket, Plan::new(schedule, Destination::Server, 0)))
    }

    /// Connects another peer, which is served by `ask`.
    ///
    /// # Errors
    /// Those of `ask`; if the program has ended, the error says that instead ([`or_ended`](Trial::or_ended)).
    pub fn next_peer(
        &mut self,
        ask: impl FnOnce(&mut Peer) -> Result<(), CaseFailure>,
    ) -> Result<(), CaseFailure> {
        let asked = self.connect("idle").and_then(|mut peer| ask(&mut peer));
        asked.map_err(|failure| self.or_ended(failure))
    }

    /// Why the next peer was not served. If the program has ended by itself, that is the reason: otherwise it would be
    /// chance whether the peer connected just before or just after the end, and what it saw.
    pub fn or_ended(&self, failure: CaseFailure) -> CaseFailure {
        match self.ended(Duration::from_millis(500)) {
            Some(how) => CaseFailure::new(
                Fault::Ended,
                format!("the program has ended ({how}), and can't serve another peer"),
            ),
            None => failure,
        }
    }
}
