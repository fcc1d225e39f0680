//! `lab check --picture`: the bytes of the first failed case as an SVG file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use lab::{Outcome, Report, shown_name};

/// Draws the first failed case, and says on standard error what became of it.
pub fn draw(report: &Report, file: &Path) -> io::Result<()> {
    let failed = report.cases.iter().find_map(|case| match &case.outcome {
        Outcome::Failed(failure) => Some((&case.id, &failure.picture)),
        Outcome::Passed => None,
    });
    let name = shown_name(file);
    match failed {
        None => writeln!(io::stderr(), "no case failed: {name} was not written"),
        Some((id, picture)) if picture.is_empty() => {
            writeln!(io::stderr(), "in {id}, no bytes went over a stream: {name} was not written")
        }
        Some((id, picture)) => match fs::write(file, picture) {
            Ok(()) => writeln!(io::stderr(), "the bytes of {id}: {name}"),
            Err(error) => writeln!(io::stderr(), "lab: cannot write {name}: {error}"),
        },
    }
}
