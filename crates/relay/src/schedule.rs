//! What the relay does to the bytes, as a value that prints, parses and repeats.

use std::fmt::{self, Display};
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::amount::{Chance, Delay, Millis};
use crate::cut::Cut;
use crate::direction::Direction;
use crate::parse::{NotASchedule, number};

/// What happens to the bytes on their way. The default, `idle`, lets them pass.
///
/// It reads like the relay's command line, with a word for each fault, and what is printed can be parsed:
///
/// ```
/// use relay::Schedule;
///
/// let schedule: Schedule = "cut=1 delay=25 direction=to-client seed=7".parse()?;
/// assert_eq!(schedule.to_string(), "cut=1 delay=25 direction=to-client seed=7");
/// assert_eq!(Schedule::default().to_string(), "idle");
/// # Ok::<(), relay::NotASchedule>(())
/// ```
///
/// Several faults act in this order: bytes are collected (`merge`), wait (`delay`), pass a slow
/// line (`rate`), are cut (`cut`), and at some byte it all ends (`stall`, `reset`, `close`: the one with
/// the smallest number, or the first in this list if the numbers are equal).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Where the stream is cut into pieces that the reader sees as separate reads.
    pub cut: Cut,
    /// After the first byte, collect for this long and pass all of it in one write.
    pub merge: Millis,
    /// How long each byte is delayed, one way. The order stays: it is a stream.
    pub delay: Delay,
    /// How many bytes pass per second, at most.
    pub rate: Option<NonZeroU64>,
    /// How much later than the last byte the end of the stream passes.
    pub slow_close: Millis,
    /// After this many bytes nothing more passes, not even the end. The connection stays open.
    pub stall_after: Option<u64>,
    /// After this many bytes both sides get a reset.
    pub reset_after: Option<u64>,
    /// After this many bytes both sides get the end of the stream.
    pub close_after: Option<u64>,
    /// Datagrams only: how many vanish.
    pub drop: Chance,
    /// Datagrams only: how many arrive twice.
    pub duplicate: Chance,
    /// Datagrams only: how many arrive after the next one.
    pub reorder: Chance,
    /// Which direction all this is for. The other direction is idle.
    pub direction: Direction,
    /// The seed of everything random: random cuts, a delay from a range, what happens to datagrams.
    pub seed: u64,
}

impl Schedule {
    /// Whether the seed changes anything.
    pub fn has_chance(&self) -> bool {
        self.cut.is_random()
            || self.delay.least != self.delay.most
            || [self.drop, self.duplicate, self.reorder].iter().any(|chance| chance.get() > 0.0)
    }

    /// Its words that are for streams, and its words that are for datagrams.
    pub(crate) fn words(&self) -> (Vec<String>, Vec<String>) {
        fn word<T: Display>(words: &mut Vec<String>, name: &str, value: Option<T>) {
            words.extend(value.map(|value| format!("{name}={value}")));
        }
        let (mut stream, mut datagram) = (Vec::new(), Vec::new());
        word(&mut stream, "cut", (self.cut != Cut::default()).then_some(&self.cut));
        word(&mut stream, "merge", self.merge.some());
        word(&mut stream, "delay", (self.delay != Delay::default()).then_some(self.delay));
        word(&mut stream, "rate", self.rate);
        word(&mut stream, "slow-close", self.slow_close.some());
        word(&mut stream, "stall-after", self.stall_after);
        word(&mut stream, "reset-after", self.reset_after);
        word(&mut stream, "close-after", self.close_after);
        word(&mut datagram, "drop", self.drop.some());
        word(&mut datagram, "duplicate", self.duplicate.some());
        word(&mut datagram, "reorder", self.reorder.some());
        (stream, datagram)
    }
}

impl Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut words, datagram) = self.words();
        words.extend(datagram);
        if self.direction != Direction::Both {
            words.push(format!("direction={}", self.direction));
        }
        if self.has_chance() || self.seed != 0 {
            words.push(format!("seed={}", self.seed));
        }
        f.write_str(if words.is_empty() { "idle" } else { "" })?;
        f.write_str(&words.join(" "))
    }
}

impl FromStr for Schedule {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Schedule, NotASchedule> {
        let mut schedule = Schedule::default();
        for word in text.split_whitespace().filter(|word| *word != "idle") {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            match name {
                "cut" => schedule.cut = value.parse()?,
                "merge" => schedule.merge = value.parse()?,
                "delay" => schedule.delay = value.parse()?,
                "rate" => {
                    schedule.rate =
                        Some(number(value, "rate: expected bytes in a second, 1 or more")?)
                }
                "slow-close" => schedule.slow_close = value.parse()?,
                "stall-after" => schedule.stall_after = Some(number(value, BYTES)?),
                "reset-after" => schedule.reset_after = Some(number(value, BYTES)?),
                "close-after" => schedule.close_after = Some(number(value, BYTES)?),
                "drop" => schedule.drop = value.parse()?,
                "duplicate" => schedule.duplicate = value.parse()?,
                "reorder" => schedule.reorder = value.parse()?,
                "direction" => schedule.direction = value.parse()?,
                "seed" => schedule.seed = number(value, "seed: expected a number")?,
                _ => {
                    return Err(NotASchedule(format!(
                        "no fault is called {name:?}: expected words such as cut=1, delay=25, merge, rate, slow-close, \
                         stall-after, reset-after, close-after, drop, duplicate, reorder, direction, seed"
                    )));
                }
            }
        }
        Ok(schedule)
    }
}

const BYTES: &str = "expected a number of bytes";
