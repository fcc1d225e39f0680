//! Rounds: each contender runs once in each, and ratios are taken within a round.

use std::fmt;
use std::time::Duration;

/// One way to do the work of a row; running it returns how long that took.
pub struct Contender<'a> {
    pub name: &'static str,
    pub run: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, run: impl FnMut() -> Duration + 'a) -> Self {
        Contender { name, run: Box::new(run) }
    }
}

/// What came of one comparison: `proto` against each other contender.
pub struct Row {
    /// What was done.
    pub what: String,
    /// The size of a frame's body.
    pub size: usize,
    /// How much faster `proto` was than each of the others in the same round: 2 is half the time.
    pub ratios: Vec<(&'static str, Spread)>,
    /// The same for the fastest round of each: what is left when nobody disturbs.
    pub undisturbed: Vec<f64>,
    /// How long each took for one frame, in nanoseconds.
    pub times: Vec<(&'static str, Spread)>,
}

impl Row {
    /// The first contender is ours. Who begins changes from round to round.
    pub fn measure(what: &str, size: usize, frames: usize, rounds: usize, mut contenders: Vec<Contender>) -> Row {
        let mut times = vec![Vec::new(); contenders.len()];
        for round in 0..rounds + 1 {
            for i in 0..contenders.len() {
                let i = (i + round) % contenders.len();
                let time = (contenders[i].run)().as_secs_f64();
                // The first round warms up caches and buffers.
                if round > 0 {
                    times[i].push(time * 1e9 / frames as f64);
                }
            }
        }
        let ratio = |theirs: &Vec<f64>| {
            Spread::of(theirs.iter().zip(&times[0]).map(|(theirs, ours)| theirs / ours).collect())
        };
        let fastest = |times: &Vec<f64>| times.iter().copied().fold(f64::INFINITY, f64::min);
        let names = contenders.iter().map(|contender| contender.name);
        Row {
            what: what.into(),
            size,
            ratios: names.clone().zip(times.iter().map(ratio)).skip(1).collect(),
            undisturbed: times[1..].iter().map(|theirs| fastest(theirs) / fastest(&times[0])).collect(),
            times: names.zip(times.iter().cloned().map(Spread::of)).collect(),
        }
    }
}

/// The median of several rounds, and the least and the most.
#[derive(Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        Spread { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.least, self.most)
    }
}
