//! Which lab the student means, and their progress so far.

use std::io::{self, Write};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use lab::Progress;
use lab::labs::{self, LABS, Lab};

/// Accepts the name of a lab. For any other word, the error lists the labs and suggests the closest name.
pub fn lab() -> impl TypedValueParser<Value = &'static Lab> {
    let names = PossibleValuesParser::new(LABS.iter().map(|lab| lab.name));
    names.try_map(|name| labs::find(&name).ok_or("no lab has this name"))
}

/// The student's progress. Says on standard error if its file can't be used.
pub fn progress() -> io::Result<Progress> {
    let progress = Progress::open()?;
    if let Some(notice) = progress.notice() {
        writeln!(io::stderr(), "lab: {notice}")?;
    }
    Ok(progress)
}
