//! What is between the program and its peers: relays with a schedule, or nothing; and the random numbers, which depend
//! on the seed.

use std::net::SocketAddr;

use relay::{Direction, Endpoint, Random, Relay, Schedule};

use crate::verdict::CaseFailure;

/// The network of one case.
pub(crate) struct Network {
    /// Decides the seeds of the schedules and the data that is sent, so that a replay does the same.
    pub chance: Random,
    /// The last schedule that does something, for the report.
    schedule: Schedule,
    relays: Vec<Relay>,
}

impl Network {
    pub fn seeded(seed: u64) -> Network {
        Network { chance: Random::seeded(seed), schedule: Schedule::default(), relays: Vec::new() }
    }

    /// The last schedule that does something; `idle` if none did.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Parses a schedule as a case writes it. If it leaves anything to chance, its seed comes from the case's random
    /// numbers. Without `direction=`, it disturbs the `usual` direction.
    pub fn parse(&mut self, schedule: &str, usual: Direction) -> Result<Schedule, CaseFailure> {
        let mut parsed: Schedule = schedule
            .parse()
            .map_err(|error| CaseFailure::machine("understand the case's schedule", error))?;
        if parsed.direction == Direction::Both && parsed != Schedule::default() {
            parsed.direction = usual;
        }
        if parsed.has_chance() {
            parsed.seed = self.chance.between(1, 999_999);
        }
        if parsed != Schedule::default() {
            self.schedule = parsed.clone();
        }
        Ok(parsed)
    }

    /// Where to connect to reach `to` through a relay that listens at `listen`.
    pub fn relay(
        &mut self,
        listen: Endpoint,
        to: Endpoint,
        schedule: &Schedule,
    ) -> Result<Endpoint, CaseFailure> {
        let relay = Relay::start(listen, to, schedule.clone())
            .map_err(|error| CaseFailure::machine("start the relay", error))?;
        let address = relay.address().clone();
        self.relays.push(relay);
        Ok(address)
    }

    /// Like [`relay`](Network::relay), for datagrams.
    pub fn relay_udp(
        &mut self,
        listen: SocketAddr,
        to: SocketAddr,
        schedule: &Schedule,
    ) -> Result<SocketAddr, CaseFailure> {
        let relay = Relay::start_udp(listen, to, schedule.clone())
            .map_err(|error| CaseFailure::machine("start the relay", error))?;
        let address = match relay.address() {
            Endpoint::Ip(address) => *address,
            Endpoint::Path(_) => {
                return Err(CaseFailure::machine("start the relay", "it has no port"));
            }
        };
        self.relays.push(relay);
        Ok(address)
    }

    /// How many relays have been started.
    pub fn relays(&self) -> usize {
        self.relays.len()
    }
}

/// A schedule in brackets, to append to a step; empty if it does nothing.
pub(crate) fn in_brackets(schedule: &Schedule) -> String {
    let schedule = schedule.to_string();
    if schedule == "idle" { String::new() } else { format!(" ({schedule})") }
}
