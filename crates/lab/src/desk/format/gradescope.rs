//! Gradescope's `results.json`: <https://gradescope-autograders.readthedocs.io/en/latest/specs/>, section "Output format".
//!
//! It holds one student's results. The total is the sum of the tests' scores.

use serde::Serialize;

use super::test_list::{LONGEST, Test, all_tests, milliseconds};
use crate::desk::grade::Grading;
use crate::verdict::escape;

#[derive(Serialize)]
struct Results {
    execution_time: f64,
    output: String,
    output_format: &'static str,
    visibility: &'static str,
    stdout_visibility: &'static str,
    tests: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    score: u32,
    max_score: u32,
    status: &'static str,
    name: String,
    number: String,
    output: String,
    output_format: &'static str,
    tags: Vec<String>,
    visibility: &'static str,
}

pub(super) fn render(grading: &Grading) -> String {
    let tests = all_tests(grading);
    let passed = tests.iter().filter(|test| test.passed()).count();
    let results = Results {
        execution_time: milliseconds(grading.seconds),
        output: format!("{passed} of {} cases passed (seed {})", tests.len(), grading.seed),
        output_format: "text",
        visibility: "visible",
        // Only instructors see what the grader itself prints: it names folders of the autograder.
        stdout_visibility: "hidden",
        tests: tests.iter().map(entry).collect(),
    };
    serde_json::to_string_pretty(&results).unwrap_or_default() + "\n"
}

fn entry(test: &Test<'_>) -> Entry {
    Entry {
        score: test.score(),
        max_score: test.max_score(),
        status: if test.passed() { "passed" } else { "failed" },
        name: escape(&test.name()),
        number: test.number.clone(),
        output: if test.passed() {
            test.case.map_or_else(String::new, |case| format!("the rule: {}", case.rule))
        } else {
            test.output(LONGEST)
        },
        output_format: "text",
        tags: test.graded.lab.iter().cloned().collect(),
        visibility: "visible",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, samples};
    use super::render;
    use serde_json::Value;

    #[test]
    fn it_is_as_it_was() {
        samples::golden(Format::Gradescope, "results.json");
    }

    #[test]
    fn every_field_is_there_and_of_its_type() {
        let results: Value = serde_json::from_str(&render(&samples::grading())).unwrap();
        assert!(results["execution_time"].is_number());
        assert_eq!(results["output"], "3 of 7 cases passed (seed 7)");
        let tests = results["tests"].as_array().unwrap();
        assert_eq!(tests.len(), 7);
        for test in tests {
            assert!(test["score"].as_u64() <= test["max_score"].as_u64());
            assert!(["passed", "failed"].contains(&test["status"].as_str().unwrap()));
            for text in ["name", "number", "output"] {
                assert!(test[text].is_string(), "{text}");
            }
            assert!(test["output"].as_str().unwrap().len() < 40_000);
            assert_eq!(test["output_format"], "text");
            assert!(test["tags"].is_array());
            assert_eq!(test["visibility"], "visible");
        }
        assert!(tests[3]["output"].as_str().unwrap().ends_with("bytes more)"));
        assert_eq!(tests[4]["status"], "failed");
        assert!(tests[5]["output"].as_str().unwrap().starts_with("the build command"));
    }
}
