//! What happens to the datagrams of one direction of one flow. No socket, no clock.

use crate::direction::Toward;
use crate::random::Random;
use crate::schedule::Schedule;

/// The fates of the datagrams of one direction of one flow, one after the other.
///
/// Each call of `next` is for the next datagram. What happens to the k-th of them depends on the
/// schedule, the direction, the number of the flow, and k alone.
///
/// ```
/// use relay::{Fate, Fates, Toward};
///
/// let mut fates = Fates::new(&"drop=1".parse()?, Toward::Server, 0);
/// assert_eq!(fates.next(), Some(Fate { copies: 0, late: false }));
/// # Ok::<(), relay::NotASchedule>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fates {
    schedule: Schedule,
    random: Random,
}

/// What happens to one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// How often it arrives: 0 is lost, 2 is doubled.
    pub copies: u8,
    /// It arrives behind the next one.
    pub late: bool,
}

impl Fates {
    /// The fates for one direction of the flow with this number, counted from 0.
    pub fn new(schedule: &Schedule, toward: Toward, flow: u64) -> Fates {
        let covered = schedule.direction.covers(toward);
        let schedule = if covered { schedule.clone() } else { Schedule::default() };
        let random = Random::new(schedule.seed, flow, toward);
        Fates { schedule, random }
    }
}

impl Iterator for Fates {
    type Item = Fate;

    fn next(&mut self) -> Option<Fate> {
        // All three are drawn, whatever comes of them: so one fault does not shift the others.
        let [lost, doubled, late] =
            [self.schedule.drop, self.schedule.duplicate, self.schedule.reorder]
                .map(|chance| self.random.happens(chance.get()));
        let copies = match (lost, doubled) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        Some(Fate { copies, late: late && !lost })
    }
}
