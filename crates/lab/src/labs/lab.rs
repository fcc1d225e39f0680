//! What a lab consists of: rules, the cases that prove them, and the texts that a student sees.

use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// A program to write.
#[derive(Debug)]
pub struct Lab {
    /// What one types: `read-exactly`.
    pub name: &'static str,
    /// What is to be written, in one line.
    pub task: &'static str,
    /// What the program must do: every "must", "at most" and "any" of the lab's page.
    pub rules: &'static [Rule],
    /// What the checker does to the program.
    pub cases: &'static [Case],
    /// What is copied, hinted and shown.
    pub texts: Texts,
}

impl Lab {
    /// The points of all cases.
    pub fn max_score(&self) -> u32 {
        self.cases.iter().map(|case| case.points).sum()
    }
}

/// One thing that a program must do, as the lab's page says it.
///
/// A rule has an edge, where keeping it turns into breaking it, and each side of the edge is tried: a limit needs a case that
/// sends exactly the limit, and a case that sends one byte more.
#[derive(Debug)]
pub struct Rule {
    /// Its name: `limit`.
    pub id: &'static str,
    /// The rule, in a sentence or two.
    pub text: &'static str,
    /// The sides of its edge, each in a few words: `16,777,216 bytes are answered`, `16,777,217 bytes are refused`. Each
    /// needs a case that proves it.
    pub sides: &'static [&'static str],
}

/// One thing that the checker does to the program, and the rules the program has to keep.
#[derive(Debug)]
pub struct Case {
    /// Its name: short words with hyphens. It never changes: grade books keep it.
    pub id: &'static str,
    /// What it is worth.
    pub points: u32,
    /// What it asks of the program, in one sentence.
    pub rule: &'static str,
    /// Which rules it proves, and on which side: the id of a [`Rule`] and one of its sides.
    pub proves: &'static [(&'static str, &'static str)],
    /// What to think about when it fails. It does not give the answer away.
    pub hint: &'static str,
    /// The failures that the hint is about, beside [`Fault::Rule`]. Others have a question of their own.
    pub fits: &'static [Fault],
    /// Plays it.
    pub play: fn(&mut Trial) -> Result<(), CaseFailure>,
}

/// The files of a lab, as they are built in from `labs/NAME/`.
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
    /// Modules that the Rust starter is given ready-made, `sha256.rs` for example: file names and texts.
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
