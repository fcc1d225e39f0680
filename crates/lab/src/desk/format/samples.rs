//! A grading with everything that is hard to write down. Every format is tested on it.

use super::Format;
use crate::desk::grade::{Graded, Grading};
use crate::verdict::{CaseReport, Failure, Outcome};

/// A folder's name may hold anything but `/` and NUL.
pub(super) const HOSTILE: &str = "=1+1,\"]]>&'<\u{1b}[31m\n# SKIP\u{1f600}\u{ffff}";

pub(super) fn grading() -> Grading {
    let unknown = Graded {
        name: HOSTILE.to_owned(),
        lab: None,
        cases: Vec::new(),
        error: Some(format!("there is no {HOSTILE}/lab.toml")),
        seconds: 0.001,
    };
    let alice = graded("alice", vec![passed("hello", 1), passed("cut-everywhere", 2)], None);
    let failed = failed("cut-everywhere", 2, &format!("{}{HOSTILE}", "long ".repeat(20_000)));
    let bob = graded("bob", vec![passed("hello", 1), failed], None);
    let broken = |id, points| self::failed(id, points, "the submission could not be judged");
    let carol = graded(
        "carol",
        vec![broken("hello", 1), broken("cut-everywhere", 2)],
        Some("the build command ended with exit code 1: cc\n  stderr: no".to_owned()),
    );
    Grading { seed: 7, submissions: vec![alice, bob, unknown, carol], seconds: 1.5 }
}

pub(super) fn graded(name: &str, cases: Vec<CaseReport>, error: Option<String>) -> Graded {
    Graded { name: name.to_owned(), lab: Some("echo".to_owned()), cases, error, seconds: 0.75 }
}

pub(super) fn passed(id: &str, points: u32) -> CaseReport {
    let rule = "what is sent comes back".to_owned();
    CaseReport { id: id.to_owned(), rule, points, outcome: Outcome::Passed, seconds: 0.25 }
}

pub(super) fn failed(id: &str, points: u32, said: &str) -> CaseReport {
    let failure = Failure {
        what: "the stream ended after 3 of 5 bytes".to_owned(),
        steps: vec!["start: ./echo ADDRESS".to_owned(), "the peer expects \"hello\"".to_owned()],
        bytes: vec!["expected  68 65  |he|".to_owned()],
        schedule: "cut=1 direction=to-server".to_owned(),
        replay: "scripts/lab.sh check echo".to_owned(),
        hint: "When does your loop end?".to_owned(),
        said: vec![said.to_owned()],
    };
    CaseReport { outcome: Outcome::Failed(Box::new(failure)), ..passed(id, points) }
}

/// A small grading. Each format has a golden file with what it writes for this one.
pub(super) fn small() -> Grading {
    let alice =
        graded("alice", vec![passed("hello", 1), failed("cut-everywhere", 2, "it's")], None);
    Grading { seed: 0, submissions: vec![alice], seconds: 1.5 }
}

/// Compares with `golden/NAME`; `UPDATE_GOLDEN=1` writes it instead.
pub(super) fn golden(format: Format, name: &str) {
    let text = format.render(&small());
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{}: UPDATE_GOLDEN=1 writes it again", path.display());
}
