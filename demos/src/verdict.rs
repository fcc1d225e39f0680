//! Whether a claim came out as stated, decided by what was observed.

use std::fmt::Debug;

/// What became of a claim.
pub enum Verdict {
    /// It holds; the sentence says what was seen.
    AsStated(String),
    /// It doesn't hold: what was expected, and what happened instead.
    NotAsStated(Vec<Difference>),
    /// This machine lacks what the experiment needs; the sentence says what.
    NotTested(String),
    /// A program or the system failed before anything could be seen.
    Stopped(String),
}

impl Verdict {
    /// Whether no observation contradicts the claim.
    pub fn is_fine(&self) -> bool {
        matches!(self, Verdict::AsStated(_) | Verdict::NotTested(_))
    }

    /// In a word or three.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::AsStated(_) => "as stated",
            Verdict::NotAsStated(_) => "not as stated",
            Verdict::NotTested(_) => "not tested",
            Verdict::Stopped(_) => "could not be tested",
        }
    }
}

/// An observation that contradicts the claim.
pub struct Difference {
    pub expected: String,
    pub came: String,
}

/// The observations of an experiment, compared with its claim.
#[derive(Default)]
pub struct Findings {
    differences: Vec<Difference>,
}

impl Findings {
    /// `what` must be exactly this.
    pub fn equal<T: PartialEq + Debug>(&mut self, what: &str, came: T, expected: T) {
        if came != expected {
            let (expected, came) = (format!("{what} {expected:?}"), format!("{came:?}"));
            self.differences.push(Difference { expected, came });
        }
    }

    /// For bounds: `truth` must hold, `expected` says it in words, `came` is what was observed.
    pub fn holds(&mut self, truth: bool, expected: &str, came: impl Debug) {
        if !truth {
            let (expected, came) = (expected.to_owned(), format!("{came:?}"));
            self.differences.push(Difference { expected, came });
        }
    }

    /// The verdict: `as_stated` unless an observation differed.
    pub fn verdict(self, as_stated: impl Into<String>) -> Verdict {
        match self.differences.is_empty() {
            true => Verdict::AsStated(as_stated.into()),
            false => Verdict::NotAsStated(self.differences),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_difference_decides() {
        let mut findings = Findings::default();
        findings.equal("the answer", 1, 1);
        findings.holds(true, "less", 0);
        assert!(
            matches!(Findings::default().verdict("so"), Verdict::AsStated(said) if said == "so")
        );
        findings.equal("the answer", 2, 3);
        let Verdict::NotAsStated(differences) = findings.verdict("so") else { panic!() };
        assert_eq!(differences[0].expected, "the answer 3");
        assert_eq!(differences[0].came, "2");
    }
}
