//! Writes a grading in the form that its reader needs: a person, a grade book, a platform.

mod classroom;
mod csv;
mod gradescope;
mod human;
mod json;
mod junit;
mod tap;
mod test_list;

use clap::ValueEnum;

use crate::desk::folder::Owner;
use crate::desk::grade::Grading;

/// A form of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal: everyone's points, what failed, and how often each case failed
    Human,
    /// Gradescope's results.json
    Gradescope,
    /// The step output that GitHub Classroom's grading reporter takes: JSON in base64, one line
    Classroom,
    /// JUnit's XML
    Junit,
    /// The Test Anything Protocol, version 14
    Tap,
    /// Everything, for programs
    Json,
    /// One row per submission, for a grade book
    Csv,
}

impl Format {
    /// Whose work a report in this form is about: the two platforms grade one student at a time.
    pub fn owner(self) -> Owner {
        match self {
            Format::Gradescope | Format::Classroom => Owner::Student,
            Format::Human | Format::Junit | Format::Tap | Format::Json | Format::Csv => {
                Owner::Class
            }
        }
    }

    /// The whole report, with a newline at its end.
    pub fn render(self, grading: &Grading) -> String {
        match self {
            Format::Human => human::render(grading),
            Format::Gradescope => gradescope::render(grading),
            Format::Classroom => classroom::render(grading),
            Format::Junit => junit::render(grading),
            Format::Tap => tap::render(grading),
            Format::Json => json::render(grading),
            Format::Csv => csv::render(grading),
        }
    }
}

#[cfg(test)]
mod samples;
