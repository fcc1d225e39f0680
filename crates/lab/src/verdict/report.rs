//! What a check found: one value that every format is written from.
//!
//! A check hands it to the grader, which refuses unknown members: nobody can add anything to a report.

use serde::{Deserialize, Serialize};

/// What a check found, case by case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The lab's name.
    pub lab: String,
    /// The seed. The same seed gives the same verdict.
    pub seed: u64,
    /// One entry for each case that was played, in the order of the lab.
    pub cases: Vec<CaseReport>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
}

/// The result of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseReport {
    /// The case's name in its lab: `cut-everywhere`. It never changes, so grades can be compared over the years.
    pub id: String,
    /// The rule it is about, in one sentence.
    pub rule: String,
    /// How many points it is worth.
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
    /// The program broke the rule.
    Failed(Box<Failure>),
}

/// Everything a student needs to understand a failure and to see it again. By default, nothing is known about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What happened, in one sentence.
    pub what: String,
    /// What was done so far, one entry for each step, without numbers. The last one failed.
    pub steps: Vec<String>,
    /// Expected above received, with a mark under the first wrong byte. Empty if the failure isn't about bytes.
    pub bytes: Vec<String>,
    /// The relay's schedule; `idle` if there was none.
    pub schedule: String,
    /// The command that plays just this case again.
    pub replay: String,
    /// What to think about.
    pub hint: String,
    /// The last lines that the program wrote to its standard error, and to its standard output unless that is the
    /// answer.
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
    /// Its points if it passed, otherwise 0.
    pub fn score(&self) -> u32 {
        if self.outcome == Outcome::Passed { self.points } else { 0 }
    }
}
