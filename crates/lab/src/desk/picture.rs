//! A case as a picture: what its peers sent, how the network cut it, and what the program called.

use stage::Scratch;
use timeline::Event;

use super::check::shown;
use crate::labs::Lab;
use crate::play::{Form, Submission, Trial, watched};
use crate::verdict::{CaseFailure, Outcome, Report};

/// What was sent and received in a case.
pub struct Picture {
    /// The case.
    pub case: &'static str,
    /// SVG or HTML; empty if no bytes were sent or received.
    pub text: String,
    /// Why the program's calls are missing or incomplete, one sentence each.
    pub remarks: Vec<String>,
}

/// Plays the first failed case of a report again and draws it, with the program's own calls if strace can see them.
/// `None` if no case failed.
///
/// # Errors
/// [`CaseFailure`] when there is nowhere to put the recording.
pub fn draw(
    lab: &Lab,
    report: &Report,
    submission: &Submission,
    form: Form,
) -> Result<Option<Picture>, CaseFailure> {
    let failed = report.cases.iter().find(|case| case.outcome != Outcome::Passed);
    let case = failed.and_then(|failed| lab.cases.iter().find(|case| case.id == failed.id));
    let (Some(case), Some(failed)) = (case, failed) else { return Ok(None) };
    let drawn = |trial: &Trial, seen: &[Event], remarks: Vec<String>| {
        let title = format!("{} {}", lab.name, case.id);
        let text = trial.picture(&title, form, seen);
        Ok(Some(Picture { case: case.id, text, remarks }))
    };
    let without = |why: &str| vec![format!("drawn without your program's calls: {why}")];
    let folder = Scratch::new().map_err(|error| CaseFailure::machine("make a directory", error))?;
    let file = folder.path().join("program.strace");
    let why = match watched(submission, &file) {
        None => "strace is not installed, or isn't allowed to trace programs here",
        Some(watched) => {
            let mut trial = Trial::new(case.id, &watched, report.seed);
            let again = (case.play)(&mut trial);
            if again.is_err_and(|again| is_same(&again, &failed.outcome)) {
                trial.stop();
                return match timeline::read_trace(&file) {
                    Ok(seen) => drawn(&trial, &seen.events, seen.remarks),
                    Err(error) => drawn(&trial, &[], without(&error.to_string())),
                };
            }
            "under strace, the program behaved differently"
        }
    };
    let mut trial = Trial::new(case.id, submission, report.seed);
    // Whether it fails again or not, this is what was sent and received.
    let _ = (case.play)(&mut trial);
    drawn(&trial, &[], without(why))
}

/// Whether it failed in the same way. Numbers may differ: times, process ids, how much fitted into a buffer.
fn is_same(again: &CaseFailure, before: &Outcome) -> bool {
    let Outcome::Failed(before) = before else { return false };
    let words = |text: &str| text.replace(|char: char| char.is_ascii_digit(), "");
    words(&shown(&again.what)) == words(&before.what)
}
