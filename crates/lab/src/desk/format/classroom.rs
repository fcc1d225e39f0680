//! GitHub Classroom: the step output `result` that `classroom-resources/autograding-grading-reporter` reads, in the
//! form in which its own graders write it: JSON in base64, on one line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::test_list::{Test, all_tests, milliseconds};
use crate::desk::grade::Grading;
use crate::verdict::escape;

/// How long all messages together may be, in bytes. The reporter gets the result as an environment variable, and Linux
/// accepts none above 128 KiB (execve(2), MAX_ARG_STRLEN). Escapes and base64 make the text longer.
const MESSAGES: usize = 32 << 10;

#[derive(Serialize)]
struct Results {
    version: u32,
    status: &'static str,
    max_score: u32,
    tests: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    status: &'static str,
    score: u32,
    /// `null` for a test that passed.
    message: Option<String>,
    test_code: String,
    filename: &'static str,
    /// Always 0, which tells the reporter to print no line number.
    line_no: u32,
    duration: f64,
}

pub(super) fn render(grading: &Grading) -> String {
    let tests = all_tests(grading);
    let most = MESSAGES / tests.len().max(1);
    let status = if grading.submissions.iter().any(|graded| graded.error.is_some()) {
        "error"
    } else if tests.iter().all(Test::passed) {
        "pass"
    } else {
        "fail"
    };
    let results = Results {
        version: 1,
        status,
        max_score: tests.iter().map(Test::max_score).sum(),
        tests: tests.iter().map(|test| entry(test, most)).collect(),
    };
    STANDARD.encode(serde_json::to_vec(&results).unwrap_or_default()) + "\n"
}

fn entry(test: &Test<'_>, most: usize) -> Entry {
    let status = match &test.graded.error {
        Some(_) => "error",
        None if test.passed() => "pass",
        None => "fail",
    };
    Entry {
        name: escape(&test.name()),
        status,
        score: test.score(),
        message: (!test.passed()).then(|| test.output(most)),
        test_code: test.case.map_or_else(String::new, |case| case.rule.clone()),
        filename: "",
        line_no: 0,
        duration: milliseconds(test.seconds()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, samples};
    use super::*;
    use serde_json::Value;

    fn decoded(grading: &Grading) -> Value {
        let text = render(grading);
        assert_eq!(text.lines().count(), 1);
        serde_json::from_slice(&STANDARD.decode(text.trim_end()).unwrap()).unwrap()
    }

    #[test]
    fn it_is_as_it_was() {
        samples::golden(Format::Classroom, "classroom.txt");
    }

    #[test]
    fn every_field_is_there_and_of_its_type() {
        let results = decoded(&samples::grading());
        assert_eq!(results["version"], 1);
        assert_eq!(results["status"], "error");
        assert_eq!(results["max_score"], 9);
        let tests = results["tests"].as_array().unwrap();
        let statuses: Vec<_> = tests.iter().map(|test| test["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["pass", "pass", "pass", "fail", "error", "error", "error"]);
        for test in tests {
            assert!(test["score"].is_u64() && test["duration"].is_number());
            assert!(test["name"].is_string() && test["test_code"].is_string());
            assert_eq!(test["message"].is_null(), test["status"] == "pass");
            assert_eq!((&test["filename"], &test["line_no"]), (&"".into(), &0.into()));
        }
    }

    #[test]
    fn the_status_is_that_of_the_worst() {
        let mut grading = samples::small();
        assert_eq!(decoded(&grading)["status"], "fail");
        grading.submissions[0].cases.truncate(1);
        assert_eq!(decoded(&grading)["status"], "pass");
    }

    #[test]
    fn it_fits_into_an_environment_variable() {
        let hostile = "\"\\".repeat(100_000);
        let cases = (0..12).map(|_| samples::failed("case", 1, &hostile)).collect();
        let submissions = vec![samples::graded("alice", cases, None)];
        let text = render(&Grading { submissions, ..samples::small() });
        assert!(text.len() < 128 << 10, "{} bytes", text.len());
    }
}
