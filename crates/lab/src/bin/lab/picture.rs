//! `lab check --picture`: the first failed case, drawn.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use lab::labs::Lab;
use lab::{Form, Report, Submission, draw, shown_name};

/// Plays the first failed case again and draws it, and says on standard error whether that worked.
pub fn save(lab: &Lab, report: &Report, submission: &Submission, file: &Path) -> io::Result<()> {
    let name = shown_name(file);
    let form = match file.extension() {
        Some(kind) if kind == "html" => Form::Html,
        _ => Form::Svg,
    };
    let drawn = draw(lab, report, submission, form);
    if let Ok(Some(picture)) = &drawn {
        for remark in &picture.remarks {
            writeln!(io::stderr(), "{remark}")?;
        }
    }
    let said = match drawn {
        Ok(None) => format!("no case failed, so there is nothing to draw: {name} was not written"),
        Ok(Some(picture)) if picture.text.is_empty() => {
            format!("in {}, no bytes went over a stream, so {name} was not written", picture.case)
        }
        Ok(Some(picture)) => match fs::write(file, picture.text) {
            Ok(()) => format!("drew {}: {name}", picture.case),
            Err(error) => format!("lab: cannot write {name}: {error}"),
        },
        Err(failure) => format!("lab: cannot draw the case: {}", failure.what),
    };
    writeln!(io::stderr(), "{said}")
}
