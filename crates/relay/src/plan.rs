//! What happens to one direction of one connection: bytes in, decisions out. No socket, no clock.

use std::time::Duration;

use crate::amount::Delay;
use crate::cut::Cut;
use crate::direction::Destination;
use crate::random::Random;
use crate::schedule::Schedule;

/// The decisions for one direction of one connection.
///
/// Ask [`next`](Plan::next) what to do with the bytes at hand, do it, and tell
/// [`passed`](Plan::passed) how many were sent. Where the stream is cut depends only on the schedule,
/// the direction and the number of the connection, not on how the bytes arrive.
///
/// ```
/// use relay::{Decision, Destination, Plan};
///
/// let schedule = "cut=3,1,* reset-after=6".parse()?;
/// let mut plan = Plan::new(&schedule, Destination::Server, 0);
/// assert_eq!(plan.next(10), Decision::Send(3));
/// assert!(plan.passed(3), "a whole piece: the next one must wait until the reader has this one");
/// assert_eq!(plan.next(7), Decision::Send(1));
/// plan.passed(1);
/// assert_eq!(plan.next(6), Decision::Send(2));
/// plan.passed(2);
/// assert_eq!(plan.next(4), Decision::Reset);
/// # Ok::<(), relay::NotASchedule>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    cut: Cut,
    /// How many pieces have begun, and how many bytes of the current one are left.
    piece: usize,
    left: Option<u64>,
    cuts: Random,
    delay: Delay,
    delays: Random,
    rate: Option<u64>,
    /// After how many bytes something happens, and what.
    limit: Option<(u64, Decision)>,
    passed: u64,
}

/// What to do with the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: there are none.
    Wait,
    /// Send this many of them in one call.
    Send(usize),
    /// Nothing passes from here on, not even the end.
    Stall,
    /// Both sides get a reset.
    Reset,
    /// Both sides get the end of the stream.
    Close,
}

impl Plan {
    /// The plan for one direction of the connection with this number, counted from 0.
    pub fn new(schedule: &Schedule, toward: Destination, connection: u64) -> Plan {
        let idle = Schedule::default();
        let covered = schedule.direction.covers(toward);
        let schedule = if covered { schedule } else { &idle };
        // Two sequences: the number of arrivals must not change where the cuts are.
        let mut cuts = Random::new(schedule.seed, connection, toward);
        let delays = cuts.fork();
        let limits = [
            (schedule.stall_after, Decision::Stall),
            (schedule.reset_after, Decision::Reset),
            (schedule.close_after, Decision::Close),
        ];
        let limits = limits.into_iter().filter_map(|(after, step)| Some((after?, step)));
        let mut plan = Plan {
            cut: schedule.cut.clone(),
            piece: 0,
            left: None,
            cuts,
            delay: schedule.delay,
            delays,
            rate: schedule.rate.map(u64::from),
            limit: limits.min_by_key(|(after, _)| *after),
            passed: 0,
        };
        plan.begin();
        plan
    }

    fn begin(&mut self) {
        self.left = self.cut.piece(self.piece, &mut self.cuts);
        self.piece += 1;
    }

    /// What to do now that `ready` bytes may pass.
    pub fn next(&self, ready: usize) -> Decision {
        let room = match self.limit {
            Some((after, step)) if self.passed >= after => return step,
            Some((after, _)) => after - self.passed,
            None => u64::MAX,
        };
        // A slow line gets slices of 20 ms, so that the rate holds within a second, too.
        let slice = self.rate.map_or(u64::MAX, |rate| (rate / 50).max(1));
        match room.min(slice).min(self.left.unwrap_or(u64::MAX)).min(ready as u64) {
            0 => Decision::Wait,
            n => Decision::Send(n as usize),
        }
    }

    /// Call it when the first `n` bytes have been sent. Returns true at a cut: the next byte
    /// must wait until the reader has taken these.
    pub fn passed(&mut self, n: usize) -> bool {
        self.passed += n as u64;
        self.left = self.left.map(|left| left.saturating_sub(n as u64));
        let cut = self.left == Some(0);
        if cut {
            self.begin();
        }
        cut || self.is_over()
    }

    /// Whether the limit is reached: nothing more will be sent.
    pub fn is_over(&self) -> bool {
        self.limit.is_some_and(|(after, _)| self.passed >= after)
    }

    /// Whether all bytes pass at once, just as they arrive.
    pub(crate) fn is_idle(&self) -> bool {
        !self.holds() && self.rate.is_none() && self.delay == Delay::default()
    }

    /// Whether anything will ever have to wait for the reader.
    pub(crate) fn holds(&self) -> bool {
        self.cut != Cut::default() || self.limit.is_some()
    }

    /// How long the bytes that arrive next are delayed.
    pub fn delay(&mut self) -> Duration {
        let Delay { least, most } = self.delay;
        Duration::from_millis(self.delays.between(least.0.into(), most.0.into()))
    }

    /// How long the line takes to transmit `n` bytes.
    pub fn transmission(&self, n: usize) -> Duration {
        self.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(n as f64 / rate as f64))
    }
}
