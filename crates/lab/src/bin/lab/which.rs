//! Which lab is meant, and what was reached so far.

use std::io::{self, Write};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use lab::Progress;
use lab::labs::{self, LABS, Lab};

/// Takes the name of a lab; any other word is an error that names all labs, and the nearest.
pub fn lab() -> impl TypedValueParser<Value = &'static Lab> {
    let names = PossibleValuesParser::new(LABS.iter().map(|lab| lab.name));
    names.try_map(|name| labs::find(&name).ok_or("no lab has this name"))
}

/// The student's progress; says so on standard error where its file could not be used.
pub fn progress() -> io::Result<Progress> {
    let progress = Progress::open()?;
    if let Some(notice) = progress.notice() {
        writeln!(io::stderr(), "lab: {notice}")?;
    }
    Ok(progress)
}
