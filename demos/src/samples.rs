//! What was measured: never a single number, but the median and the spread.

use std::fmt::{self, Display, Formatter};

/// The values of repeated trials, in milliseconds or whatever the unit says.
#[derive(Clone, Debug)]
pub struct Samples {
    sorted: Vec<f64>,
    unit: &'static str,
}

impl Samples {
    /// `values` in any order, at least one.
    pub fn new(mut values: Vec<f64>, unit: &'static str) -> Samples {
        values.sort_by(f64::total_cmp);
        Samples { sorted: values, unit }
    }

    /// The middle one, or the lower of two. NaN if there are none.
    pub fn median(&self) -> f64 {
        let middle = self.sorted.len().saturating_sub(1) / 2;
        self.sorted.get(middle).copied().unwrap_or(f64::NAN)
    }

    pub fn least(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(f64::NAN)
    }

    pub fn most(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(f64::NAN)
    }

    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    pub fn unit(&self) -> &'static str {
        self.unit
    }
}

impl Display for Samples {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Samples { unit, .. } = self;
        let places = if self.most() < 10.0 { 2 } else { 1 };
        write!(
            f,
            "median {:.places$}{unit} ({:.places$} to {:.places$}, {} trials)",
            self.median(),
            self.least(),
            self.most(),
            self.count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_comes_with_its_spread() {
        let samples = Samples::new(vec![44.0, 41.25, 47.0], " ms");
        assert_eq!(samples.to_string(), "median 44.0 ms (41.2 to 47.0, 3 trials)");
        assert_eq!(Samples::new(vec![2.0, 1.0], "").median(), 1.0);
    }
}
