//! What a check found: one value, from which every format is written.
//!
//! A check hands it to the grader. A member that is not known is refused there: nobody adds to a report.

use serde::{Deserialize, Serialize};

/// What a check found, case by case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The lab's name.
    pub lab: String,
    /// The seed: the same one gives the same verdict.
    pub seed: u64,
    /// One entry for each case that was played, in the lab's order.
    pub cases: Vec<CaseReport>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
}

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseReport {
    /// The case's name in its lab: `cut-everywhere`. It never changes, so grades compare over the years.
    pub id: String,
    /// The rule it is about, in one sentence.
    pub rule: String,
    /// What it is worth.
    pub points: u32,
    /// Whether it passed.
    pub outcome: Outcome,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Whether a case passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// The program kept the rule.
    Passed,
    /// It did not.
    Failed(Box<Failure>),
}

/// All that a student needs to understand a failure, and to see it again. By default nothing is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What happened, in one sentence.
    pub what: String,
    /// What was done so far, one step each, without numbers; the last one failed.
    pub steps: Vec<String>,
    /// Expected above received, with a mark under the first wrong byte. Empty when no bytes decide.
    pub bytes: Vec<String>,
    /// The relay's schedule, `idle` for none.
    pub schedule: String,
    /// The command that plays just this case again.
    pub replay: String,
    /// What to think about.
    pub hint: String,
    /// The last lines the program wrote to its standard error (and to its standard output, where that is not the answer).
    pub said: Vec<String>,
}

impl Report {
    /// The points of the cases that passed.
    pub fn score(&self) -> u32 {
        self.cases.iter().map(CaseReport::score).sum()
    }

    /// The points of all cases.
    pub fn max_score(&self) -> u32 {
        self.cases.iter().map(|case| case.points).sum()
    }

    /// Whether every case passed.
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| case.outcome == Outcome::Passed)
    }
}

impl CaseReport {
    /// Its points if it passed, or 0.
    pub fn score(&self) -> u32 {
        if self.outcome == Outcome::Passed { self.points } else { 0 }
    }
}
