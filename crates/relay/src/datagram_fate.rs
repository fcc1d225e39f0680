//! What happens to the datagrams between one client and the server, in one direction. No socket, no clock.

use crate::direction::Destination;
use crate::random::Random;
use crate::schedule::Schedule;

/// The fates of the datagrams of one client in one direction, one after the other.
///
/// Each call of `next` is for the next datagram. What happens to the k-th of them depends only on the
/// schedule, the direction, the number of the client, and k.
///
/// ```
/// use relay::{DatagramFate, DatagramFates, Destination};
///
/// let mut fates = DatagramFates::new(&"drop=1".parse()?, Destination::Server, 0);
/// assert_eq!(fates.next(), Some(DatagramFate { copies: 0, late: false }));
/// # Ok::<(), relay::NotASchedule>(())
/// ```
#[derive(Clone, Debug)]
pub struct DatagramFates {
    schedule: Schedule,
    random: Random,
}

/// What happens to one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramFate {
    /// How often it arrives: 0 is lost, 2 is duplicated.
    pub copies: u8,
    /// It arrives after the next one.
    pub late: bool,
}

impl DatagramFates {
    /// The fates in one direction for the client with this number, counted from 0.
    pub fn new(schedule: &Schedule, toward: Destination, client: u64) -> DatagramFates {
        let covered = schedule.direction.covers(toward);
        let schedule = if covered { schedule.clone() } else { Schedule::default() };
        let random = Random::new(schedule.seed, client, toward);
        DatagramFates { schedule, random }
    }
}

impl Iterator for DatagramFates {
    type Item = DatagramFate;

    fn next(&mut self) -> Option<DatagramFate> {
        // All three are drawn every time, so that one fault doesn't shift the others.
        let [lost, doubled, late] =
            [self.schedule.drop, self.schedule.duplicate, self.schedule.reorder]
                .map(|chance| self.random.happens(chance.get()));
        let copies = match (lost, doubled) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        Some(DatagramFate { copies, late: late && !lost })
    }
}
