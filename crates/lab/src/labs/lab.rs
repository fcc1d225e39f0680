//! What a lab consists of: rules, the cases that prove them, and the texts that a student sees.

use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// A program that the student writes.
#[derive(Debug)]
pub struct Lab {
    /// The name to type: `read-exactly`.
    pub name: &'static str,
    /// What to write, in one line.
    pub task: &'static str,
    /// What the program must do: every "must", "at most" and "any" of the lab's page.
    pub rules: &'static [Rule],
    /// What the checker does to the program, case by case.
    pub cases: &'static [Case],
    /// The files of the lab: starters, hints and solutions.
    pub texts: Texts,
}

impl Lab {
    /// The points of all cases.
    pub fn max_score(&self) -> u32 {
        self.cases.iter().map(|case| case.points).sum()
    }
}

/// One thing that a program must do, in the words of the lab's page.
///
/// A rule has an edge, where keeping it turns into breaking it, and each side of the edge is tested: a limit needs a
/// case that sends exactly the limit, and a case that sends one byte more.
#[derive(Debug)]
pub struct Rule {
    /// Its name: `limit`.
    pub id: &'static str,
    /// The rule, in one or two sentences.
    pub text: &'static str,
    /// The sides of its edge, each in a few words: `16,777,216 bytes are answered`, `16,777,217 bytes are refused`. Each
    /// needs a case that proves it.
    pub sides: &'static [&'static str],
}

/// One thing that the checker does to the program, and the rules that this tests.
#[derive(Debug)]
pub struct Case {
    /// Its name: short words with hyphens. It never changes, because grade books keep it.
    pub id: &'static str,
    /// How many points it is worth.
    pub points: u32,
    /// What the program has to do, in one sentence.
    pub rule: &'static str,
    /// Which rules it tests, and on which side: the id of a [`Rule`] and one of its sides.
    pub proves: &'static [(&'static str, &'static str)],
    /// What to think about when it fails. It doesn't give the answer away.
    pub hint: &'static str,
    /// The kinds of failure that the hint is about, besides [`Fault::Rule`]. Other kinds have a question of their own.
    pub fits: &'static [Fault],
    /// Plays it.
    pub play: fn(&mut Trial) -> Result<(), CaseFailure>,
}

/// The files of a lab, built in from `labs/NAME/`.
#[derive(Debug)]
pub struct Texts {
    /// The starter in Rust: the student's `src/main.rs`.
    pub starter_rust: &'static str,
    /// The starter in Python: the student's `NAME.py`, with `_` for `-`.
    pub starter_python: &'static str,
    /// The reference solution in Rust.
    pub solution_rust: &'static str,
    /// The reference solution in Python.
    pub solution_python: &'static str,
    /// Modules that the Rust starter comes with, such as `sha256.rs`: file names and texts.
    pub modules: &'static [(&'static str, &'static str)],
    /// Three hints with `---` between them, from a question to nearly the code.
    pub hints: &'static str,
}

/// `texts!("echo")`: the files of `labs/echo/`. Further names are modules of the Rust starter.
macro_rules! texts {
    ($lab:literal $(, $module:literal)*) => {
        $crate::labs::lab::Texts {
            starter_rust: include_str!(concat!("../../labs/", $lab, "/starter.rs")),
            starter_python: include_str!(concat!("../../labs/", $lab, "/starter.py")),
            solution_rust: include_str!(concat!("../../labs/", $lab, "/solution.rs")),
            solution_python: include_str!(concat!("../../labs/", $lab, "/solution.py")),
            modules: &[$(($module, include_str!(concat!("../../labs/", $lab, "/", $module)))),*],
            hints: include_str!(concat!("../../labs/", $lab, "/hints.md")),
        }
    };
}
pub(super) use texts;
