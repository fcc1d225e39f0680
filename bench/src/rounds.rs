//! Rounds: each contender runs once in each, and ratios are taken within a round.

use std::fmt;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// How long a run took.
#[derive(Clone, Copy)]
pub struct Times {
    /// By the clock on the wall, other programs' share included.
    pub elapsed: Duration,
    /// On a processor, all threads of the run together.
    pub cpu: Duration,
}

/// Runs it once. Nothing else may run in this process meanwhile.
pub fn timed(run: impl FnOnce()) -> Times {
    let cpu = || {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
    };
    let (start, start_cpu) = (Instant::now(), cpu());
    run();
    Times { elapsed: start.elapsed(), cpu: cpu() - start_cpu }
}

/// One way to do the work of a row.
pub struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Contender { name, run: Box::new(run) }
    }
}

/// What each contender took in each round.
pub struct Rounds {
    names: Vec<&'static str>,
    times: Vec<Vec<Times>>,
}

/// The first contender is ours. Who begins changes from round to round.
pub fn play(rounds: usize, mut contenders: Vec<Contender>) -> Rounds {
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..rounds + 1 {
        for i in 0..contenders.len() {
            let i = (i + round) % contenders.len();
            let time = timed(&mut contenders[i].run);
            // The first round warms up caches.
            if round > 0 {
                times[i].push(time);
            }
        }
    }
    Rounds { names: contenders.iter().map(|contender| contender.name).collect(), times }
}

/// What came of one comparison: `proto` against each other contender.
pub struct Row {
    /// What was done.
    pub what: String,
    /// How much faster `proto` was than each of the others in the same round: 2 is half the time.
    pub ratios: Vec<(&'static str, Spread)>,
    /// The same for the fastest round of each: what is left when nobody disturbs.
    pub fastest: Vec<f64>,
    /// How long each took for one frame, in nanoseconds.
    pub times: Vec<(&'static str, Spread)>,
}

impl Row {
    pub fn new(
        what: String,
        frames: usize,
        rounds: &Rounds,
        clock: impl Fn(&Times) -> Duration,
    ) -> Row {
        let a_frame = |times: &Times| clock(times).as_secs_f64() * 1e9 / frames as f64;
        let times: Vec<Vec<f64>> =
            rounds.times.iter().map(|times| times.iter().map(a_frame).collect()).collect();
        let ratio = |theirs: &Vec<f64>| {
            Spread::of(theirs.iter().zip(&times[0]).map(|(theirs, ours)| theirs / ours).collect())
        };
        let fastest = |times: &Vec<f64>| times.iter().copied().fold(f64::INFINITY, f64::min);
        let names = || rounds.names.iter().copied();
        Row {
            what,
            ratios: names().zip(times.iter().map(ratio)).skip(1).collect(),
            fastest: times[1..].iter().map(|theirs| fastest(theirs) / fastest(&times[0])).collect(),
            times: names().zip(times.iter().cloned().map(Spread::of)).collect(),
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
        Spread {
            median: values[values.len() / 2],
            least: values[0],
            most: values[values.len() - 1],
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.least, self.most)
    }
}
