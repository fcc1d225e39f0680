//! The bytes that have arrived and must not leave yet. Time is a parameter, so a test needs no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How much one direction of a connection holds. The rest waits in the sender's kernel, so a slow reader
/// slows the sender, as without a relay. With a delay of 25 ms, this size lets 40 MB pass in a second.
const CAPACITY: usize = 1 << 20;
/// How much one `recv` takes. An idle relay writes at once what it reads: more than fits the processor's
/// cache would only be slower.
const READ: usize = 64 << 10;

/// The bytes of one direction, each with the moment before which it must not leave.
#[derive(Debug)]
pub(crate) struct Queue {
    bytes: Box<[u8]>,
    /// What is in it: `bytes[start..end]`.
    start: usize,
    end: usize,
    /// How many bytes at the front may leave, and when the ones after them may.
    ready: usize,
    arrivals: VecDeque<(usize, Instant)>,
    merge: Duration,
    /// Until when arrivals are collected, and when all of them leave.
    window: Option<(Instant, Instant)>,
    /// Nothing leaves before what arrived earlier.
    last: Option<Instant>,
    ending: Option<(Ending, Instant)>,
    slow_close: Duration,
    /// When the end passes: known once all bytes have left.
    closes: Option<Instant>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The sender ended its stream.
    Orderly,
    /// The sender or the network reset the connection.
    Reset,
}

impl Queue {
    pub(crate) fn new(merge: Duration, slow_close: Duration) -> Queue {
        Queue {
            // Zeroed memory costs nothing until it is touched.
            bytes: vec![0; CAPACITY].into_boxed_slice(),
            start: 0,
            end: 0,
            ready: 0,
            arrivals: VecDeque::new(),
            merge,
            window: None,
            last: None,
            ending: None,
            slow_close,
            closes: None,
        }
    }

    /// Whether there is room for a whole `recv`, and the stream goes on. With less room, each byte that leaves would let
    /// one in, and move all the others to the front.
    pub(crate) fn wants_more(&self) -> bool {
        self.ending.is_none() && self.end - self.start <= CAPACITY - READ
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room for the next arrival.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && CAPACITY - self.end < READ {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let until = CAPACITY.min(self.end + READ);
        &mut self.bytes[self.end..until]
    }

    /// `n` bytes arrived in the room; they are delayed for `delay`.
    pub(crate) fn arrived(&mut self, n: usize, now: Instant, delay: Duration) {
        self.end += n;
        let due = match self.window {
            Some((until, due)) if now < until => due,
            _ => {
                let due = self.not_before(now + self.merge + delay);
                self.window = Some((now + self.merge, due));
                due
            }
        };
        self.arrivals.push_back((n, due));
    }

    /// The stream ended; its end is delayed for `delay`.
    pub(crate) fn ended(&mut self, ending: Ending, now: Instant, delay: Duration) {
        self.ending = Some((ending, self.not_before(now + delay)));
    }

    fn not_before(&mut self, due: Instant) -> Instant {
        let due = self.last.map_or(due, |last| last.max(due));
        self.last = Some(due);
        due
    }

    /// How many bytes may leave now.
    pub(crate) fn ready(&mut self, now: Instant) -> usize {
        while let Some((n, _)) = self.arrivals.pop_front_if(|(_, due)| *due <= now) {
            self.ready += n;
        }
        self.ready
    }

    /// The first `n` of them.
    pub(crate) fn front(&self, n: usize) -> &[u8] {
        &self.bytes[self.start..self.start + n.min(self.ready)]
    }

    /// `n` of them have left.
    pub(crate) fn left(&mut self, n: usize) {
        self.start += n;
        self.ready -= n;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// How the stream ended, once all its bytes have left and the end may follow. Only an orderly end
    /// can be a slow one.
    pub(crate) fn ending(&mut self, now: Instant) -> Option<Ending> {
        let (ending, _) = self.ending.filter(|(_, due)| self.start == self.end && *due <= now)?;
        let closes = *self.closes.get_or_insert(match ending {
            Ending::Orderly => now + self.slow_close,
            Ending::Reset => now,
        });
        (closes <= now).then_some(ending)
    }

    /// When the next thing is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let arrival = self.arrivals.front().map(|(_, due)| *due);
        arrival.or(self.closes).or_else(|| self.ending.map(|(_, due)| due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn put(queue: &mut Queue, bytes: &[u8], now: Instant, delay: Duration) {
        queue.room()[..bytes.len()].copy_from_slice(bytes);
        queue.arrived(bytes.len(), now, delay);
    }

    fn take(queue: &mut Queue, now: Instant) -> Vec<u8> {
        let n = queue.ready(now);
        let bytes = queue.front(n).to_vec();
        queue.left(n);
        bytes
    }

    #[test]
    fn bytes_leave_in_order_whatever_their_delays() {
        let start = Instant::now();
        let mut queue = Queue::new(Duration::ZERO, Duration::ZERO);
        put(&mut queue, b"slow", start, 30 * MS);
        put(&mut queue, b"fast", start + MS, 2 * MS);
        assert_eq!(queue.next_due(), Some(start + 30 * MS));
        assert_eq!(take(&mut queue, start + 29 * MS), b"");
        assert_eq!(take(&mut queue, start + 30 * MS), b"slowfast");
    }

    #[test]
    fn what_comes_within_the_window_leaves_together() {
        let start = Instant::now();
        let mut queue = Queue::new(20 * MS, Duration::ZERO);
        put(&mut queue, b"a", start, Duration::ZERO);
        put(&mut queue, b"b", start + 19 * MS, Duration::ZERO);
        put(&mut queue, b"c", start + 20 * MS, Duration::ZERO);
        assert_eq!(take(&mut queue, start + 19 * MS), b"");
        assert_eq!(take(&mut queue, start + 20 * MS), b"ab");
        assert_eq!(take(&mut queue, start + 39 * MS), b"");
        assert_eq!(take(&mut queue, start + 40 * MS), b"c");
    }

    #[test]
    fn the_end_follows_the_last_byte_and_an_orderly_one_slowly() {
        for (ending, pause) in [(Ending::Orderly, 10 * MS), (Ending::Reset, Duration::ZERO)] {
            let start = Instant::now();
            let mut queue = Queue::new(Duration::ZERO, 10 * MS);
            put(&mut queue, b"x", start, 5 * MS);
            queue.ended(ending, start, Duration::ZERO);
            assert!(!queue.wants_more());
            assert_eq!(queue.ending(start + 5 * MS), None, "a byte is still there");
            assert_eq!(take(&mut queue, start + 5 * MS), b"x");
            let left = start + 6 * MS;
            assert_eq!(queue.ending(left).is_some(), pause.is_zero());
            assert_eq!(queue.ending(left + pause), Some(ending));
        }
    }

    #[test]
    fn a_full_queue_waits_until_there_is_room_for_a_whole_read() {
        let start = Instant::now();
        let mut queue = Queue::new(Duration::ZERO, Duration::ZERO);
        while queue.wants_more() {
            let n = queue.room().len();
            queue.arrived(n, start, Duration::ZERO);
        }
        assert_eq!(queue.ready(start), CAPACITY);
        queue.left(1);
        assert!(!queue.wants_more());
        queue.left(READ - 1);
        assert!(queue.wants_more());
        assert_eq!(queue.room().len(), READ);
    }

    #[test]
    fn a_full_queue_takes_no_more_and_gives_all_back() {
        let start = Instant::now();
        let mut queue = Queue::new(Duration::ZERO, Duration::ZERO);
        let mut next = 0u8;
        let mut expected = 0u8;
        // Filled and half emptied again and again, so that the bytes move to the front.
        for _ in 0..10 {
            while queue.wants_more() {
                let room = queue.room();
                let n = room.len().min(50_001);
                room[..n].fill_with(|| {
                    next = next.wrapping_add(1);
                    next
                });
                queue.arrived(n, start, Duration::ZERO);
            }
            assert!(queue.ready(start) > CAPACITY - READ);
            let half = CAPACITY / 2 + 7;
            for byte in queue.front(half) {
                expected = expected.wrapping_add(1);
                assert_eq!(*byte, expected);
            }
            queue.left(half);
        }
    }
}
