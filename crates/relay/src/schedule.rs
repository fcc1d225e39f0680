//! What the relay is to do, as a value: it prints, it parses, and it does the same again.

use std::fmt::{self, Display};
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use crate::cut::Cut;

/// What happens to the bytes on their way. The default, `idle`, lets them pass.
///
/// It reads like the relay's command line, one word a fault, and what was printed can be parsed:
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
/// Several faults act in this order: bytes are collected (`merge`), wait (`delay`), pass a narrow
/// line (`rate`), are cut (`cut`), and at some byte it all ends (`stall`, `reset`, `close`; of
/// several the one with the smallest number, and of equals the first in this list).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Where the stream is cut into pieces that the reader sees as separate reads.
    pub cut: Cut,
    /// After the first byte, collect for this long and pass all of it in one write.
    pub merge: Millis,
    /// How long each byte travels, one way. The order stays: it is a stream.
    pub delay: Delay,
    /// How many bytes pass in a second, at most.
    pub rate: Option<NonZeroU64>,
    /// How much later than the last byte the end of the stream passes.
    pub slow_close: Millis,
    /// After this many bytes nothing passes any more, not even the end. The connection stays open.
    pub stall_after: Option<u64>,
    /// After this many bytes both sides get a reset.
    pub reset_after: Option<u64>,
    /// After this many bytes both sides get the end of the stream.
    pub close_after: Option<u64>,
    /// Datagrams only: how many vanish.
    pub drop: Chance,
    /// Datagrams only: how many come twice.
    pub duplicate: Chance,
    /// Datagrams only: how many come behind the next one.
    pub reorder: Chance,
    /// Which way all this happens. The other way is idle.
    pub direction: Direction,
    /// What chance is drawn from: random cuts, a delay from a range, and what happens to datagrams.
    pub seed: u64,
}

impl Schedule {
    /// Whether the seed changes anything.
    pub fn has_chance(&self) -> bool {
        self.cut.is_random()
            || self.delay.least != self.delay.most
            || [self.drop, self.duplicate, self.reorder].iter().any(|chance| chance.get() > 0.0)
    }

    /// The words for streams and the words for datagrams that stand in it.
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

fn number<T: FromStr>(text: &str, expected: &str) -> Result<T, NotASchedule> {
    text.parse().map_err(|_| NotASchedule(format!("{expected}, not {text:?}")))
}

/// The text was not a schedule, or not a part of one; it says what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotASchedule(pub(crate) String);

impl Display for NotASchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotASchedule {}

/// A time in milliseconds, written `25` or `25ms`. 0 is no time at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u32);

impl Millis {
    /// The same as a [`Duration`].
    pub fn get(self) -> Duration {
        Duration::from_millis(self.0.into())
    }

    fn some(self) -> Option<Millis> {
        (self.0 > 0).then_some(self)
    }
}

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Millis {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Millis, NotASchedule> {
        number(text.strip_suffix("ms").unwrap_or(text), "expected milliseconds, such as 25 or 25ms")
            .map(Millis)
    }
}

/// How long a byte travels: always the same (`25`), or drawn from a range for each arrival
/// (`20..30`, both included).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// The shortest.
    pub least: Millis,
    /// The longest.
    pub most: Millis,
}

impl From<Millis> for Delay {
    fn from(always: Millis) -> Delay {
        Delay { least: always, most: always }
    }
}

impl Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Delay { least, most } if least == most => least.fmt(f),
            Delay { least, most } => write!(f, "{least}..{most}"),
        }
    }
}

impl FromStr for Delay {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Delay, NotASchedule> {
        let Some((least, most)) = text.split_once("..") else {
            return text.parse::<Millis>().map(Delay::from);
        };
        let delay = Delay { least: least.parse()?, most: most.parse()? };
        let wrong = || {
            NotASchedule(format!(
                "delay: expected the shorter time first, as in 20..30, not {text}"
            ))
        };
        (delay.least <= delay.most).then_some(delay).ok_or_else(wrong)
    }
}

/// How often something happens: from 0, never, to 1, always.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance(f64);

impl Chance {
    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }

    fn some(self) -> Option<f64> {
        (self.0 > 0.0).then_some(self.0)
    }
}

impl FromStr for Chance {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Chance, NotASchedule> {
        let expected = "expected a probability from 0 to 1, such as 0.2";
        let chance: f64 = number(text, expected)?;
        if !(0.0..=1.0).contains(&chance) {
            return Err(NotASchedule(format!("{expected}, not {text}")));
        }
        Ok(Chance(chance))
    }
}

/// Where one direction of a connection leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// What the client sends.
    Server,
    /// What the server answers.
    Client,
}

/// Which directions a schedule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server answers.
    ToClient,
    /// Both, each counted on its own.
    #[default]
    Both,
}

impl Direction {
    /// Whether the way toward this side is meant.
    pub fn covers(self, toward: Toward) -> bool {
        match self {
            Direction::ToServer => toward == Toward::Server,
            Direction::ToClient => toward == Toward::Client,
            Direction::Both => true,
        }
    }
}

impl Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::ToServer => "to-server",
            Direction::ToClient => "to-client",
            Direction::Both => "both",
        })
    }
}

impl FromStr for Direction {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Direction, NotASchedule> {
        let all = [Direction::ToServer, Direction::ToClient, Direction::Both];
        let wrong = || {
            NotASchedule(format!("direction: expected to-server, to-client or both, not {text:?}"))
        };
        all.into_iter().find(|direction| direction.to_string() == text).ok_or_else(wrong)
    }
}
