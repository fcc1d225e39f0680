//! One direction of the line. Packets in, packets out: no device, no clock, no thread.

use crate::Conditions;
use relay::Random;
use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// How many packets may be under way. This bounds our memory; no real line holds as many.
const MOST: usize = 20_000;

/// The packets that are under way in one direction.
///
/// Time is a parameter: counted from any start, it never goes backwards. With the same seed, the same packets at the same
/// times give the same result.
///
/// ```
/// use link::{Conditions, Wire};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let mut wire = Wire::new(&Conditions { delay: ms(25), ..Conditions::default() }, 0);
/// wire.send(ms(100), b"packet".to_vec());
/// assert_eq!(wire.due(), Some(ms(125)));
/// assert_eq!(wire.receive(ms(124)), None);
/// assert_eq!(wire.receive(ms(125)), Some(b"packet".to_vec()));
/// ```
#[derive(Clone, Debug)]
pub struct Wire {
    conditions: Conditions,
    random: Random,
    /// In the order in which they arrive.
    under_way: VecDeque<(Duration, Vec<u8>)>,
    counts: Counts,
}

/// What happened to the packets of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were sent.
    pub sent: u64,
    /// How many of them were lost.
    pub dropped: u64,
    /// How many arrived twice.
    pub duplicated: u64,
    /// How many overtook another.
    pub reordered: u64,
}

impl Wire {
    /// A wire without packets. `direction`, 0 or 1, gives each direction its own random numbers.
    pub fn new(conditions: &Conditions, direction: u64) -> Wire {
        let mut seeds = Random::seeded(conditions.seed);
        let seed = (0..=direction).fold(0, |_, _| seeds.draw());
        Wire {
            conditions: conditions.clone(),
            random: Random::seeded(seed),
            under_way: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Sends a packet.
    pub fn send(&mut self, now: Duration, packet: Vec<u8>) {
        let Conditions { delay, drop, duplicate, reorder, .. } = self.conditions;
        self.counts.sent += 1;
        // Each packet draws three numbers, whatever they decide, so that one option doesn't shift the others.
        let [drop, duplicate, reorder] =
            [drop, duplicate, reorder].map(|probability| self.random.happens(probability));
        if drop || self.under_way.len() >= MOST {
            self.counts.dropped += 1;
            return;
        }
        let copy = duplicate.then(|| packet.clone());
        self.counts.duplicated += u64::from(duplicate);
        // Only a packet that takes no time can overtake: all others take equally long.
        let due = if reorder { now } else { now + delay };
        let at = self.under_way.partition_point(|(other, _)| *other <= due);
        self.counts.reordered += u64::from(at < self.under_way.len());
        for packet in copy.into_iter().chain([packet]) {
            self.under_way.insert(at, (due, packet));
        }
    }

    /// When the next packet arrives; `None` when none is under way.
    pub fn due(&self) -> Option<Duration> {
        self.under_way.front().map(|(due, _)| *due)
    }

    /// The next packet that has arrived by now.
    pub fn receive(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.under_way.pop_front_if(|(due, _)| *due <= now).map(|(_, packet)| packet)
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Counts { sent, dropped, duplicated, reordered } = self;
        write!(
            f,
            "{sent} packets, {dropped} dropped, {duplicated} duplicated, {reordered} reordered"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends packets 0, 1, … one a millisecond; returns (arrival in ms, packet) of each that arrives.
    fn carry(conditions: &Conditions, many: u64) -> (Vec<(u128, u64)>, Counts) {
        let mut wire = Wire::new(conditions, 0);
        let mut arrived = Vec::new();
        let mut number = 0;
        while number < many || wire.due().is_some() {
            let next = Duration::from_millis(number);
            let now = wire.due().filter(|due| number == many || *due <= next).unwrap_or(next);
            while let Some(packet) = wire.receive(now) {
                let packet = u64::from_le_bytes(packet.try_into().unwrap());
                arrived.push((now.as_millis(), packet));
            }
            if now == next && number < many {
                wire.send(now, number.to_le_bytes().to_vec());
                number += 1;
            }
        }
        (arrived, wire.counts())
    }

    fn delayed(ms: u64) -> Conditions {
        Conditions { delay: Duration::from_millis(ms), seed: 7, ..Conditions::default() }
    }

    #[test]
    fn a_delay_keeps_the_order_and_the_distances() {
        let (arrived, _) = carry(&delayed(25), 100);
        let wanted: Vec<_> = (0..100).map(|number| (u128::from(number) + 25, number)).collect();
        assert_eq!(arrived, wanted);
    }

    #[test]
    fn each_chance_comes_as_often_as_it_should_and_changes_nothing_else() {
        let (arrived, counts) = carry(&Conditions { drop: 0.1, ..delayed(25) }, 10_000);
        assert!((900..1100).contains(&counts.dropped), "{counts}");
        assert_eq!(arrived.len() as u64, 10_000 - counts.dropped);
        assert!(arrived.is_sorted());

        let (twice, counts) = carry(&Conditions { duplicate: 0.1, ..delayed(25) }, 10_000);
        assert!((900..1100).contains(&counts.duplicated), "{counts}");
        assert_eq!(twice.len() as u64, 10_000 + counts.duplicated);
        assert!(twice.is_sorted());
        let mut once = twice.clone();
        once.dedup();
        assert_eq!(once.len(), 10_000);

        let (mixed, counts) = carry(&Conditions { reorder: 0.1, ..delayed(25) }, 10_000);
        assert!((900..1100).contains(&counts.reordered), "{counts}");
        let mut numbers: Vec<u64> = mixed.iter().map(|(_, number)| *number).collect();
        assert!(!numbers.is_sorted());
        numbers.sort_unstable();
        assert_eq!(numbers, Vec::from_iter(0..10_000));

        // With a second chance on, the first one falls as before.
        let both = Conditions { drop: 0.1, duplicate: 0.1, ..delayed(25) };
        let mut kept: Vec<_> = carry(&both, 10_000).0;
        kept.dedup();
        assert_eq!(kept, arrived);
    }

    #[test]
    fn a_seed_replays_and_another_does_not() {
        let all = Conditions { drop: 0.1, duplicate: 0.1, reorder: 0.1, ..delayed(25) };
        assert_eq!(carry(&all, 1000), carry(&all, 1000));
        assert_ne!(carry(&all, 1000), carry(&Conditions { seed: 8, ..all }, 1000));
    }

    #[test]
    fn the_directions_have_chances_of_their_own() {
        let half = Conditions { drop: 0.5, ..Conditions::default() };
        let [there, back] = [0, 1].map(|direction| {
            let mut wire = Wire::new(&half, direction);
            (0..64).for_each(|_| wire.send(Duration::ZERO, Vec::new()));
            (0..64).map(|_| wire.random.draw()).collect::<Vec<_>>()
        });
        assert_ne!(there, back);
    }

    #[test]
    fn what_is_under_way_has_a_bound() {
        let mut wire = Wire::new(&delayed(1), 0);
        (0..=MOST).for_each(|_| wire.send(Duration::ZERO, Vec::new()));
        assert_eq!(wire.counts().dropped, 1);
    }
}
