//! One direction of one connection: what it waits for, and what it does next. The socket calls stand
//! in [`tcp`](crate::tcp).

use std::time::{Duration, Instant};

use observe::{Socket, is_recording};

use crate::bulk::Bulk;
use crate::direction::Toward;
use crate::plan::{Plan, Step};
use crate::queue::{Ending, Queue};
use crate::schedule::Schedule;
use crate::taken::Reader;

/// The bytes on their way from one side to the other.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) queue: Queue,
    pub(crate) state: State,
    /// Where bytes are that pass without being looked at.
    pub(crate) bulk: Bulk,
    /// Bytes pass at once and as they come.
    idle: bool,
    plan: Plan,
    /// There only when something has to wait for the reader.
    reader: Option<Reader>,
    /// Until when the line is busy with the bytes that leave next, and how many these are.
    sending: Option<(Instant, usize)>,
    /// When the line was last busy.
    free: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Flowing,
    /// Nothing passes any more, and nothing is said.
    Stalled,
    /// The end has passed, or there is nobody to pass anything to.
    Over,
}

/// What a way does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Wait: for bytes, or until this moment.
    Wait(Option<Instant>),
    /// Send so many bytes as soon as the socket takes some.
    Send(usize),
    /// Pass the end of the stream on.
    End,
    /// Reset both sides.
    Reset,
    /// End both directions, in order.
    Close,
}

impl Way {
    pub(crate) fn new(schedule: &Schedule, toward: Toward, connection: u64, to: &Socket) -> Way {
        let plan = Plan::new(schedule, toward, connection);
        let covered = schedule.direction.covers(toward);
        let time = |millis: Duration| if covered { millis } else { Duration::ZERO };
        Way {
            queue: Queue::new(time(schedule.merge.get()), time(schedule.slow_close.get())),
            state: State::Flowing,
            reader: plan.holds().then(|| Reader::behind(to)),
            bulk: Bulk::default(),
            idle: plan.is_idle() && time(schedule.merge.get()).is_zero(),
            plan,
            sending: None,
            free: None,
        }
    }

    /// Whether it has room for what its sender sends.
    pub(crate) fn wants_more(&self) -> bool {
        // Into the pipe goes only what finds the way before it empty: the order stays.
        let room =
            if self.bulk.is_open() { self.queue.is_empty() && self.bulk.held() == 0 } else { true };
        self.state == State::Flowing && self.queue.wants_more() && room
    }

    /// So many bytes arrived in the queue's room for `asked` bytes.
    pub(crate) fn arrived(&mut self, n: usize, asked: usize, now: Instant) {
        let delay = self.plan.delay();
        self.queue.arrived(n, now, delay);
        // More than short messages: from now on it may pass without being copied, if nobody looks.
        if n == asked && self.idle && !is_recording() {
            self.bulk.open();
        }
    }

    pub(crate) fn ended(&mut self, ending: Ending, now: Instant) {
        let delay = self.plan.delay();
        self.queue.ended(ending, now, delay);
    }

    /// What to do now. A limit that is reached turns the way into a stalled one by itself.
    pub(crate) fn act(&mut self, now: Instant) -> Act {
        if self.state != State::Flowing {
            return Act::Wait(None);
        }
        if let Some(later) = self.reader.as_mut().and_then(|reader| reader.look_again(now)) {
            return Act::Wait(Some(later));
        }
        if self.bulk.held() > 0 {
            return Act::Send(self.bulk.held());
        }
        let ready = self.queue.ready(now);
        match self.plan.next(ready) {
            Step::Wait => match self.queue.ending(now) {
                Some(Ending::Orderly) => Act::End,
                Some(Ending::Reset) => Act::Reset,
                None => Act::Wait(self.queue.next_due()),
            },
            Step::Send(n) => self.line(n, now),
            Step::Stall => {
                self.state = State::Stalled;
                Act::Wait(None)
            }
            Step::Reset => Act::Reset,
            Step::Close => Act::Close,
        }
    }

    /// A narrow line: bytes leave when the last of them is through, and one after the other.
    fn line(&mut self, n: usize, now: Instant) -> Act {
        let (through, n) = *self.sending.get_or_insert_with(|| {
            let start = self.free.map_or(now, |free| free.max(now));
            (start + self.plan.transmission(n), n)
        });
        if through > now { Act::Wait(Some(through)) } else { Act::Send(n) }
    }

    /// So many of the bytes to send went.
    pub(crate) fn sent(&mut self, n: usize, now: Instant) {
        self.queue.left(n);
        let hold = self.plan.passed(n);
        if let Some(reader) = &mut self.reader {
            reader.sent(n, hold, now);
        }
        if let Some((through, many)) = self.sending {
            self.free = Some(through);
            // The kernel took a part: the rest was on the line with it.
            self.sending = (n < many).then_some((through, many - n));
        }
    }
}
