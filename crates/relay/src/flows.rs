//! Which peers a relay of datagrams remembers, and for how long. No socket, no clock.
//!
//! A datagram doesn't say whether more will come, and nobody says goodbye. So a flow is remembered
//! as long as it is used, as a router with address translation does it. It is forgotten after
//! [`IDLE`] without a datagram, and earlier if it is the one that rested longest and a new peer needs
//! its place.

use std::time::{Duration, Instant};

/// RFC 4787, REQ-5: a translator keeps a flow for two minutes at least.
pub(crate) const IDLE: Duration = Duration::from_secs(120);

/// The flows, each with its peer.
#[derive(Debug)]
pub(crate) struct Flows<P, F> {
    most: usize,
    begun: u64,
    flows: Vec<Entry<P, F>>,
}

#[derive(Debug)]
struct Entry<P, F> {
    peer: P,
    used: Instant,
    flow: F,
}

impl<P: PartialEq, F> Flows<P, F> {
    /// None yet, and at most so many.
    pub(crate) fn new(most: usize) -> Flows<P, F> {
        Flows { most, begun: 0, flows: Vec::new() }
    }

    /// The flow of this peer, if it is remembered.
    pub(crate) fn of(&mut self, peer: &P) -> Option<usize> {
        self.flows.iter().position(|entry| entry.peer == *peer)
    }

    /// A flow that a datagram uses now.
    pub(crate) fn used(&mut self, at: usize, now: Instant) -> Option<&mut F> {
        let entry = self.flows.get_mut(at)?;
        entry.used = now;
        Some(&mut entry.flow)
    }

    /// The number of the next flow, from 0. No flow gets it twice: it seeds what happens to its
    /// datagrams, and a peer that comes back must not meet the same chance again.
    pub(crate) fn next_number(&self) -> u64 {
        self.begun
    }

    /// A new flow, and where it is. There must be room.
    pub(crate) fn begin(&mut self, peer: P, flow: F, now: Instant) -> usize {
        self.begun += 1;
        self.flows.push(Entry { peer, used: now, flow });
        self.flows.len() - 1
    }

    /// Whether a new flow needs another one's place.
    pub(crate) fn is_full(&self) -> bool {
        self.flows.len() >= self.most
    }

    /// Forgets the flow that rested longest.
    pub(crate) fn forget_oldest(&mut self) -> Option<F> {
        let oldest = self.flows.iter().enumerate().min_by_key(|(_, entry)| entry.used)?.0;
        Some(self.flows.remove(oldest).flow)
    }

    /// Forgets the flows that rested too long.
    pub(crate) fn forget_idle(&mut self, now: Instant) -> Vec<F> {
        let idle = self.flows.extract_if(.., |entry| entry.used + IDLE <= now);
        idle.map(|entry| entry.flow).collect()
    }

    /// When the next flow will have rested too long.
    pub(crate) fn next_idle(&self) -> Option<Instant> {
        self.flows.iter().map(|entry| entry.used + IDLE).min()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &F> {
        self.flows.iter().map(|entry| &entry.flow)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut F> {
        self.flows.iter_mut().map(|entry| &mut entry.flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peers are letters here, and a flow is its number.
    fn three(most: usize, start: Instant) -> Flows<char, u64> {
        let mut flows = Flows::new(most);
        for (peer, second) in [('a', 0), ('b', 1), ('c', 2)] {
            let number = flows.next_number();
            flows.begin(peer, number, start + Duration::from_secs(second));
        }
        flows
    }

    #[test]
    fn a_flow_is_forgotten_after_its_time_without_a_datagram() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut flows = three(9, start);
        assert_eq!(flows.next_idle(), Some(start + IDLE));
        let before = start + IDLE - Duration::from_nanos(1);
        assert!(flows.forget_idle(before).is_empty());
        // A datagram of either direction keeps it.
        let at = flows.of(&'a').unwrap();
        assert_eq!(flows.used(at, start + 3 * second), Some(&mut 0));
        assert_eq!(flows.next_idle(), Some(start + second + IDLE));
        assert_eq!(flows.forget_idle(start + 2 * second + IDLE), [1, 2]);
        assert_eq!((flows.of(&'b'), flows.of(&'a')), (None, Some(0)));
        assert_eq!(flows.forget_idle(start + 3 * second + IDLE), [0]);
        assert_eq!(flows.next_idle(), None);
    }

    #[test]
    fn a_new_peer_takes_the_place_of_the_one_that_rested_longest() {
        let start = Instant::now();
        let mut flows = three(3, start);
        assert!(flows.is_full());
        flows.used(0, start + Duration::from_secs(3));
        assert_eq!(flows.forget_oldest(), Some(1));
        assert!(!flows.is_full());
        assert_eq!(flows.iter().copied().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(Flows::<char, u64>::new(3).forget_oldest(), None);
    }

    #[test]
    fn no_two_flows_have_one_number() {
        let start = Instant::now();
        let mut flows = three(3, start);
        flows.forget_oldest();
        assert_eq!(flows.next_number(), 3);
        flows.forget_idle(start + 2 * IDLE);
        let number = flows.next_number();
        assert_eq!((number, flows.begin('a', number, start)), (3, 0));
        assert_eq!(flows.next_number(), 4);
    }
}
