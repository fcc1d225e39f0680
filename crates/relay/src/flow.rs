//! One direction of one connection: what it waits for, and what it does next. The socket calls are
//! in [`tcp`](crate::tcp).

use std::time::{Duration, Instant};

use observe::{Socket, is_recording};

use crate::direction::Destination;
use crate::plan::{Decision, Plan};
use crate::queue::{Ending, Queue};
use crate::reader::Reader;
use crate::schedule::Schedule;
use crate::splice::Splice;

/// The bytes on their way from one side to the other.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) queue: Queue,
    pub(crate) state: State,
    /// Holds the bytes that pass without being copied.
    pub(crate) splice: Splice,
    /// Bytes pass at once, just as they arrive.
    idle: bool,
    plan: Plan,
    /// Only if something has to wait for the reader.
    reader: Option<Reader>,
    /// Until when the line is busy with the bytes that leave next, and how many there are.
    sending: Option<(Instant, usize)>,
    /// When the line was last busy.
    free: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Flowing,
    /// Nothing more passes, not even the end.
    Stalled,
    /// The end has passed, or the receiver is gone.
    Over,
}

/// What a flow does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Wait: for bytes, or until this moment.
    Wait(Option<Instant>),
    /// Send this many bytes as soon as the socket takes some.
    Send(usize),
    /// Pass the end of the stream on.
    End,
    /// Reset both sides.
    Reset,
    /// Send both sides the end of the stream.
    Close,
}

impl Flow {
    pub(crate) fn new(
        schedule: &Schedule,
        toward: Destination,
        connection: u64,
        to: &Socket,
    ) -> Flow {
        let plan = Plan::new(schedule, toward, connection);
        let covered = schedule.direction.covers(toward);
        let time = |millis: Duration| if covered { millis } else { Duration::ZERO };
        Flow {
            queue: Queue::new(time(schedule.merge.get()), time(schedule.slow_close.get())),
            state: State::Flowing,
            reader: plan.holds().then(|| Reader::of(to)),
            splice: Splice::default(),
            idle: plan.is_idle() && time(schedule.merge.get()).is_zero(),
            plan,
            sending: None,
            free: None,
        }
    }

    /// Whether there is room for more from its sender.
    pub(crate) fn wants_more(&self) -> bool {
        // Bytes go into the pipe only while nothing waits ahead of them, so the order stays.
        let room = if self.splice.is_open() {
            self.queue.is_empty() && self.splice.held() == 0
        } else {
            true
        };
        self.state == State::Flowing && self.queue.wants_more() && room
    }

    /// `n` bytes arrived, of the `asked` bytes for which the queue had room.
    pub(crate) fn arrived(&mut self, n: usize, asked: usize, now: Instant) {
        let delay = self.plan.delay();
        self.queue.arrived(n, now, delay);
        // These aren't short messages: from now on the bytes pass without being copied, unless somebody records them.
        if n == asked && self.idle && !is_recording() {
            self.splice.open();
        }
    }

    pub(crate) fn ended(&mut self, ending: Ending, now: Instant) {
        let delay = self.plan.delay();
        self.queue.ended(ending, now, delay);
    }

    /// What to do now. Reaching the limit of `stall-after` stalls the flow.
    pub(crate) fn action(&mut self, now: Instant) -> Action {
        if self.state != State::Flowing {
            return Action::Wait(None);
        }
        if let Some(later) = self.reader.as_mut().and_then(|reader| reader.look_again(now)) {
            return Action::Wait(Some(later));
        }
        if self.splice.held() > 0 {
            return Action::Send(self.splice.held());
        }
        let ready = self.queue.ready(now);
        match self.plan.next(ready) {
            Decision::Wait => match self.queue.ending(now) {
                Some(Ending::Orderly) => Action::End,
                Some(Ending::Reset) => Action::Reset,
                None => Action::Wait(self.queue.next_due()),
            },
            Decision::Send(n) => self.line(n, now),
            Decision::Stall => {
                self.state = State::Stalled;
                Action::Wait(None)
            }
            Decision::Reset => Action::Reset,
            Decision::Close => Action::Close,
        }
    }

    /// A slow line: bytes leave once the last of them has been transmitted, piece by piece.
    fn line(&mut self, n: usize, now: Instant) -> Action {
        let (through, n) = *self.sending.get_or_insert_with(|| {
            let start = self.free.map_or(now, |free| free.max(now));
            (start + self.plan.transmission(n), n)
        });
        if through > now { Action::Wait(Some(through)) } else { Action::Send(n) }
    }

    /// `n` of the bytes to send were sent.
    pub(crate) fn sent(&mut self, n: usize, now: Instant) {
        self.queue.left(n);
        let hold = self.plan.passed(n);
        if let Some(reader) = &mut self.reader {
            reader.sent(n, hold, now);
        }
        if let Some((through, many)) = self.sending {
            self.free = Some(through);
            // The kernel took only a part; the rest has already been on the line.
            self.sending = (n < many).then_some((through, many - n));
        }
    }
}
