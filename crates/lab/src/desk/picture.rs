//! A case as a picture: what its peers sent, how the network cut it, and what the program called.

use stage::Scratch;
use timeline::Event;

use crate::labs::Lab;
use crate::play::{Form, Submission, Trial, watched};
use crate::verdict::{CaseFailure, Outcome, Report};

/// What went over the streams of a case.
pub struct Picture {
    /// The case.
    pub case: &'static str,
    /// SVG or HTML; empty if no bytes went.
    pub text: String,
}

/// Plays the first failed case of a report once more, and draws it: with the program's own calls where strace can see them.
/// `None` if no case failed.
///
/// # Errors
/// [`CaseFailure`] when there is no place for the recording.
pub fn draw(
    lab: &Lab,
    report: &Report,
    submission: &Submission,
    form: Form,
) -> Result<Option<Picture>, CaseFailure> {
    let failed = report.cases.iter().find(|case| case.outcome != Outcome::Passed);
    let case = failed.and_then(|failed| lab.cases.iter().find(|case| case.id == failed.id));
    let Some(case) = case else { return Ok(None) };
    let drawn = |trial: &Trial, seen: &[Event]| {
        let title = format!("{} {}", lab.name, case.id);
        Ok(Some(Picture { case: case.id, text: trial.picture(&title, form, seen) }))
    };
    let folder = Scratch::new().map_err(|error| CaseFailure::machine("make a directory", error))?;
    let file = folder.path().join("program.strace");
    if let Some(watched) = watched(submission, &file) {
        let mut trial = Trial::new(case.id, &watched, report.seed);
        if (case.play)(&mut trial).is_err() {
            trial.stop();
            // What can't be read was not seen: then only the peers are drawn.
            let seen = timeline::read_trace(&file).unwrap_or_default();
            return drawn(&trial, &seen.events);
        }
    }
    let mut trial = Trial::new(case.id, submission, report.seed);
    // Whether it fails again or not: this is what went over the streams.
    let _ = (case.play)(&mut trial);
    drawn(&trial, &[])
}
