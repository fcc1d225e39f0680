//! One entry of a report: a case, or a submission that could not be judged, with a name, points and text.

use crate::desk::grade::{Graded, Grading};
use crate::verdict::{CaseReport, Outcome, escape, escape_lines, explain};

/// How wide the text in a report is: 80 columns, minus two for an indent.
const WIDTH: usize = 78;

/// One entry in a report that is a flat list of tests: a case, or a submission for which not even the lab is known.
pub(super) struct Test<'a> {
    pub graded: &'a Graded,
    pub case: Option<&'a CaseReport>,
    /// `1.2`: the second case of the first submission.
    pub number: String,
    /// Whether its name needs the submission's in front: when there are several submissions, and this one's name isn't
    /// just the name of its lab.
    one_of_many: bool,
}

pub(super) fn all_tests(grading: &Grading) -> Vec<Test<'_>> {
    let mut tests = Vec::new();
    for (first, graded) in (1..).zip(&grading.submissions) {
        let one_of_many =
            grading.submissions.len() > 1 && graded.lab.as_ref() != Some(&graded.name);
        if graded.cases.is_empty() {
            tests.push(Test { graded, case: None, number: format!("{first}"), one_of_many });
        }
        tests.extend((1..).zip(&graded.cases).map(|(second, case)| Test {
            graded,
            case: Some(case),
            number: format!("{first}.{second}"),
            one_of_many,
        }));
    }
    tests
}

impl Test<'_> {
    /// `echo/cut-everywhere`. It never changes. Where needed, the submission's name comes first.
    pub fn name(&self) -> String {
        let submission = &self.graded.name;
        match (self.case, &self.graded.lab) {
            (Some(case), Some(lab)) if self.one_of_many => {
                format!("{submission}: {lab}/{}", case.id)
            }
            (Some(case), Some(lab)) => format!("{lab}/{}", case.id),
            _ => submission.clone(),
        }
    }

    pub fn passed(&self) -> bool {
        self.graded.error.is_none() && self.case.is_some_and(|case| case.outcome == Outcome::Passed)
    }

    pub fn score(&self) -> u32 {
        self.case.map_or(0, CaseReport::score)
    }

    pub fn max_score(&self) -> u32 {
        self.case.map_or(0, |case| case.points)
    }

    pub fn seconds(&self) -> f64 {
        self.case.map_or(self.graded.seconds, |case| case.seconds)
    }

    /// What happened, in one line; empty for a test that passed.
    pub fn message(&self) -> String {
        let error = self.graded.error.as_deref().and_then(|error| error.lines().next());
        let failed = self.case.and_then(|case| match &case.outcome {
            Outcome::Failed(failure) => Some(failure.what.as_str()),
            Outcome::Passed => None,
        });
        escape(error.or(failed).unwrap_or_default())
    }

    /// Everything a student needs to understand a failure, in lines; empty for a test that passed.
    pub fn output(&self, most: usize) -> String {
        let text = match (&self.graded.error, self.case) {
            (Some(error), _) => error.clone(),
            (None, Some(case)) => explain(case, WIDTH).join("\n"),
            (None, None) => String::new(),
        };
        shortened(&escape_lines(&text), most)
    }
}

/// How long the explanation of one failure may be, in bytes. The checker's own have two or three thousand.
pub(super) const LONGEST: usize = 32 << 10;

/// The text, or its beginning followed by how much is missing.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = &text[..text.floor_char_boundary(most)];
    format!("{head}\n(... {} bytes more)", text.len() - head.len())
}

/// Seconds, rounded to the millisecond: anything finer is noise.
pub(super) fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn names_are_stable_and_lead_to_one_test() {
        let grading = samples::grading();
        let names: Vec<String> = all_tests(&grading).iter().map(Test::name).collect();
        assert_eq!(names[0], "alice: echo/hello");
        assert_eq!(names[4], samples::HOSTILE);
        let alone = Grading { submissions: grading.submissions[..1].to_vec(), ..grading };
        assert_eq!(all_tests(&alone)[1].name(), "echo/cut-everywhere");
        assert_eq!(all_tests(&alone)[1].number, "1.2");
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(shortened("aß", 2), "a\n(... 2 bytes more)");
        assert_eq!(shortened("aß", 3), "aß");
    }
}
