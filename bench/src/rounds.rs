//! Rounds: each contender runs once in each, and ratios are taken within a round.
//!
//! Other programs on the machine disturb a measurement. So the contenders alternate, and what counts is the ratio of two
//! that ran within the same round.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// How long a run in this process took.
#[derive(Clone, Copy)]
pub struct Times {
    /// Elapsed time, including other programs' share.
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

/// One way to do the work of a row, and what one run measures.
pub struct Contender<'a, T> {
    name: &'static str,
    run: Box<dyn FnMut() -> io::Result<T> + 'a>,
}

impl<'a, T> Contender<'a, T> {
    pub fn new(name: &'static str, run: impl FnMut() -> io::Result<T> + 'a) -> Self {
        Contender { name, run: Box::new(run) }
    }
}

/// What was measured for each contender in each round.
pub struct Rounds<T> {
    names: Vec<&'static str>,
    measured: Vec<Vec<T>>,
}

/// A different contender begins each round. The first `warm_ups` rounds don't count.
pub fn play<T>(
    warm_ups: usize,
    rounds: usize,
    mut contenders: Vec<Contender<T>>,
) -> io::Result<Rounds<T>> {
    let names: Vec<_> = contenders.iter().map(|contender| contender.name).collect();
    let mut measured: Vec<Vec<T>> = names.iter().map(|_| Vec::new()).collect();
    for round in 0..warm_ups + rounds {
        for i in 0..contenders.len() {
            let i = (i + round) % contenders.len();
            let one = (contenders[i].run)()
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", names[i])))?;
            if round >= warm_ups {
                measured[i].push(one);
            }
        }
    }
    Ok(Rounds { names, measured })
}

/// Whether a larger number is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    More,
    Less,
}

/// The result of one comparison.
pub struct Row {
    /// What was done.
    pub what: String,
    /// The unit of the values.
    pub unit: &'static str,
    pub ratios: Vec<Ratio>,
    pub values: Vec<Value>,
    better: Better,
    series: Vec<Vec<f64>>,
}

/// How many times as good as another program one of ours was, in the same round: 2 is half the time.
pub struct Ratio {
    pub name: String,
    pub spread: Spread,
    /// The same for the best round of each, which other programs disturbed least.
    pub best: f64,
    /// It should be at least this.
    pub goal: Option<f64>,
}

/// What was measured for one contender.
pub struct Value {
    pub name: &'static str,
    pub spread: Spread,
    /// It should be at most this.
    pub goal: Option<f64>,
}

impl Row {
    pub fn new<T>(
        what: impl Into<String>,
        unit: &'static str,
        better: Better,
        rounds: &Rounds<T>,
        value: impl Fn(&T) -> f64,
    ) -> Row {
        let series: Vec<Vec<f64>> =
            rounds.measured.iter().map(|all| all.iter().map(&value).collect()).collect();
        let values = rounds.names.iter().zip(&series).map(|(&name, series)| Value {
            name,
            spread: Spread::of(series.clone()),
            goal: None,
        });
        let values = values.collect();
        Row { what: what.into(), unit, ratios: Vec::new(), values, better, series }
    }

    /// Compares two contenders, if both were there.
    pub fn compare(mut self, ours: &str, other: &str, goal: impl Into<Option<f64>>) -> Row {
        let series = |name| {
            let at = self.values.iter().position(|value| value.name == name)?;
            Some(&self.series[at])
        };
        let (Some(us), Some(them)) = (series(ours), series(other)) else { return self };
        let (over, under) = if self.better == Better::More { (us, them) } else { (them, us) };
        let best = |values: &[f64]| match self.better {
            Better::More => values.iter().copied().fold(0.0, f64::max),
            Better::Less => values.iter().copied().fold(f64::INFINITY, f64::min),
        };
        let ratio = Ratio {
            name: format!("{ours} / {other}"),
            spread: Spread::of(over.iter().zip(under).map(|(over, under)| over / under).collect()),
            best: best(over) / best(under),
            goal: goal.into(),
        };
        self.ratios.push(ratio);
        self
    }

    /// Compares the first contender, which is ours, with each of the others.
    pub fn compare_all(self) -> Row {
        let names: Vec<_> = self.values.iter().map(|value| value.name).collect();
        names[1..].iter().fold(self, |row, other| row.compare(names[0], other, None))
    }

    pub fn has_goal(&self) -> bool {
        self.ratios.iter().any(|ratio| ratio.goal.is_some())
            || self.values.iter().any(|value| value.goal.is_some())
    }

    /// Sets the most that a contender should need.
    pub fn at_most(mut self, name: &str, goal: f64) -> Row {
        self.values
            .iter_mut()
            .filter(|value| value.name == name)
            .for_each(|it| it.goal = Some(goal));
        self
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
        let Spread { median, least, most } = self;
        let digits = match median.abs() {
            0.0..20.0 => 2,
            20.0..200.0 => 1,
            _ => 0,
        };
        write!(f, "{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}
