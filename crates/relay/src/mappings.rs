//! Which peers a relay of datagrams remembers, and for how long. No socket, no clock.
//!
//! A datagram doesn't say whether more will follow, and UDP has no goodbye. So a relay does what a router
//! with address translation does (RFC 4787 calls it a mapping): it remembers a peer as long as datagrams
//! arrive. It forgets the peer after [`IDLE`] without one, or earlier, if a new peer needs the place of the
//! one that has been idle longest.

use std::time::{Duration, Instant};

/// RFC 4787, REQ-5: a mapping lives for at least two minutes.
pub(crate) const IDLE: Duration = Duration::from_secs(120);

/// The mappings, each with its peer.
#[derive(Debug)]
pub(crate) struct Mappings<P, M> {
    most: usize,
    begun: u64,
    mappings: Vec<Entry<P, M>>,
}

#[derive(Debug)]
struct Entry<P, M> {
    peer: P,
    used: Instant,
    mapping: M,
}

impl<P: PartialEq, M> Mappings<P, M> {
    /// None yet, and at most `most`.
    pub(crate) fn new(most: usize) -> Mappings<P, M> {
        Mappings { most, begun: 0, mappings: Vec::new() }
    }

    /// The mapping of this peer, if it is remembered.
    pub(crate) fn of(&mut self, peer: &P) -> Option<usize> {
        self.mappings.iter().position(|entry| entry.peer == *peer)
    }

    /// The mapping at this index, for a datagram that uses it now.
    pub(crate) fn used(&mut self, at: usize, now: Instant) -> Option<&mut M> {
        let entry = self.mappings.get_mut(at)?;
        entry.used = now;
        Some(&mut entry.mapping)
    }

    /// The number of the next mapping, from 0. Numbers are never reused: they seed what happens to the
    /// datagrams, and a peer that comes back should not get the same random faults again.
    pub(crate) fn next_number(&self) -> u64 {
        self.begun
    }

    /// Adds a mapping, and returns its index. There must be room.
    pub(crate) fn begin(&mut self, peer: P, mapping: M, now: Instant) -> usize {
        self.begun += 1;
        self.mappings.push(Entry { peer, used: now, mapping });
        self.mappings.len() - 1
    }

    /// Whether a new mapping needs the place of another.
    pub(crate) fn is_full(&self) -> bool {
        self.mappings.len() >= self.most
    }

    /// Forgets the mapping that has been idle longest.
    pub(crate) fn forget_oldest(&mut self) -> Option<M> {
        let oldest = self.mappings.iter().enumerate().min_by_key(|(_, entry)| entry.used)?.0;
        Some(self.mappings.remove(oldest).mapping)
    }

    /// Forgets the mappings that have been idle for too long.
    pub(crate) fn forget_idle(&mut self, now: Instant) -> Vec<M> {
        let idle = self.mappings.extract_if(.., |entry| entry.used + IDLE <= now);
        idle.map(|entry| entry.mapping).collect()
    }

    /// When the next mapping will have been idle for too long.
    pub(crate) fn next_idle(&self) -> Option<Instant> {
        self.mappings.iter().map(|entry| entry.used + IDLE).min()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &M> {
        self.mappings.iter().map(|entry| &entry.mapping)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut M> {
        self.mappings.iter_mut().map(|entry| &mut entry.mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peers are letters here, and a mapping is its number.
    fn three(most: usize, start: Instant) -> Mappings<char, u64> {
        let mut mappings = Mappings::new(most);
        for (peer, second) in [('a', 0), ('b', 1), ('c', 2)] {
            let number = mappings.next_number();
            mappings.begin(peer, number, start + Duration::from_secs(second));
        }
        mappings
    }

    #[test]
    fn a_mapping_is_forgotten_after_its_time_without_a_datagram() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut mappings = three(9, start);
        assert_eq!(mappings.next_idle(), Some(start + IDLE));
        let before = start + IDLE - Duration::from_nanos(1);
        assert!(mappings.forget_idle(before).is_empty());
        // A datagram of either direction keeps it.
        let at = mappings.of(&'a').unwrap();
        assert_eq!(mappings.used(at, start + 3 * second), Some(&mut 0));
        assert_eq!(mappings.next_idle(), Some(start + second + IDLE));
        assert_eq!(mappings.forget_idle(start + 2 * second + IDLE), [1, 2]);
        assert_eq!((mappings.of(&'b'), mappings.of(&'a')), (None, Some(0)));
        assert_eq!(mappings.forget_idle(start + 3 * second + IDLE), [0]);
        assert_eq!(mappings.next_idle(), None);
    }

    #[test]
    fn a_new_peer_takes_the_place_of_the_one_that_has_been_idle_longest() {
        let start = Instant::now();
        let mut mappings = three(3, start);
        assert!(mappings.is_full());
        mappings.used(0, start + Duration::from_secs(3));
        assert_eq!(mappings.forget_oldest(), Some(1));
        assert!(!mappings.is_full());
        assert_eq!(mappings.iter().copied().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(Mappings::<char, u64>::new(3).forget_oldest(), None);
    }

    #[test]
    fn no_two_mappings_have_one_number() {
        let start = Instant::now();
        let mut mappings = three(3, start);
        mappings.forget_oldest();
        assert_eq!(mappings.next_number(), 3);
        mappings.forget_idle(start + 2 * IDLE);
        let number = mappings.next_number();
        assert_eq!((number, mappings.begin('a', number, start)), (3, 0));
        assert_eq!(mappings.next_number(), 4);
    }
}
