//! JSON: everything, for programs. Two gradings of the same submissions differ only in `seconds`.

use serde::Serialize;

use super::test_list::milliseconds;
use crate::desk::grade::{Graded, Grading};
use crate::verdict::{CaseReport, Failure, Outcome};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    seed: u64,
    seconds: f64,
    submissions: Vec<Submission<'a>>,
}

#[derive(Serialize)]
struct Submission<'a> {
    name: &'a str,
    lab: Option<&'a str>,
    score: u32,
    max_score: u32,
    error: Option<&'a str>,
    seconds: f64,
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    rule: &'a str,
    passed: bool,
    score: u32,
    max_score: u32,
    seconds: f64,
    failure: Option<&'a Failure>,
}

pub(super) fn render(grading: &Grading) -> String {
    let document = Document {
        version: 1,
        seed: grading.seed,
        seconds: milliseconds(grading.seconds),
        submissions: grading.submissions.iter().map(submission).collect(),
    };
    // The document holds only strings and finite numbers, so writing it can't fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn submission(graded: &Graded) -> Submission<'_> {
    Submission {
        name: &graded.name,
        lab: graded.lab.as_deref(),
        score: graded.score(),
        max_score: graded.max_score(),
        error: graded.error.as_deref(),
        seconds: milliseconds(graded.seconds),
        cases: graded.cases.iter().map(case).collect(),
    }
}

fn case(case: &CaseReport) -> Case<'_> {
    let failure = match &case.outcome {
        Outcome::Failed(failure) => Some(&**failure),
        Outcome::Passed => None,
    };
    Case {
        id: &case.id,
        rule: &case.rule,
        passed: failure.is_none(),
        score: case.score(),
        max_score: case.points,
        seconds: milliseconds(case.seconds),
        failure,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, samples};
    use super::*;
    use serde_json::Value;

    #[test]
    fn it_is_as_it_was() {
        samples::golden(Format::Json, "report.json");
    }

    #[test]
    fn nothing_is_lost_or_shortened() {
        let grading = samples::grading();
        let value: Value = serde_json::from_str(&render(&grading)).unwrap();
        let submissions = value["submissions"].as_array().unwrap();
        assert_eq!(submissions.len(), 4);
        assert_eq!(submissions[2]["name"], samples::HOSTILE);
        assert_eq!(submissions[2]["lab"], Value::Null);
        assert_eq!(submissions[2]["max_score"], 0);
        assert_eq!(
            (&submissions[1]["score"], &submissions[1]["max_score"]),
            (&1.into(), &3.into())
        );
        assert_eq!(submissions[3]["error"].as_str().unwrap().lines().count(), 2);
        let said = submissions[1]["cases"][1]["failure"]["said"][0].as_str().unwrap();
        assert!(said.len() > 100_000 && said.ends_with(samples::HOSTILE));
    }
}
