//! Plays the cases of a lab against one program.

use std::any::Any;
use std::thread;
use std::time::Instant;

use stage::{shell_quote, shell_quote_path};

use crate::labs::{Case, Lab};
use crate::play::{Submission, Trial};
use crate::verdict::{
    CaseFailure, CaseReport, Failure, Fault, Outcome, ROW, Report, compare, escape,
};

/// Which cases to play, and with which seed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Selects the data and the random cuts. The default is 0, so that a student and a grader see the same.
    pub seed: u64,
    /// Only the case with this name.
    pub case: Option<String>,
    /// Show eight bytes in a line, not sixteen: for a terminal with fewer than 80 columns.
    pub narrow: bool,
}

/// Plays all cases at the same time and returns the report. Each case is passed to `tell` as soon as it and all the
/// cases before it are done.
///
/// The verdict of a case depends only on the program and the seed. Nothing that the program started keeps running.
pub fn check(
    lab: &Lab,
    submission: &Submission,
    options: &Options,
    tell: &mut dyn FnMut(&CaseReport),
) -> Report {
    let started = Instant::now();
    let wanted = |case: &&Case| options.case.as_ref().is_none_or(|only| only == case.id);
    let chosen: Vec<&Case> = lab.cases.iter().filter(wanted).collect();
    let mut cases = Vec::new();
    thread::scope(|scope| {
        let playing: Vec<_> = chosen
            .iter()
            .map(|case| (case, scope.spawn(move || play(lab, case, submission, options))))
            .collect();
        for (case, playing) in playing {
            let report = playing.join().unwrap_or_else(|panic| crashed(case, &*panic));
            tell(&report);
            cases.push(report);
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    Report { lab: lab.name.to_owned(), seed: options.seed, cases, seconds }
}

fn play(lab: &Lab, case: &Case, submission: &Submission, options: &Options) -> CaseReport {
    let started = Instant::now();
    let mut trial = Trial::new(case.id, submission, options.seed);
    let result = (case.play)(&mut trial);
    let outcome = match result {
        Ok(()) => Outcome::Passed,
        Err(failure) => {
            Outcome::Failed(Box::new(explain(lab, case, submission, failure, &trial, options)))
        }
    };
    drop(trial);
    report(case, outcome, started.elapsed().as_secs_f64())
}

fn explain(
    lab: &Lab,
    case: &Case,
    submission: &Submission,
    failure: CaseFailure,
    trial: &Trial,
    options: &Options,
) -> Failure {
    let difference = failure.bytes.as_ref();
    let row = if options.narrow { ROW / 2 } else { ROW };
    Failure {
        what: shown(&failure.what),
        steps: trial.steps().iter().map(|step| shown(step)).collect(),
        bytes: difference.map_or_else(Vec::new, |b| compare(&b.expected, &b.received, row)),
        schedule: trial.schedule(),
        replay: replay(lab, case, submission, trial.seed()),
        hint: hint(case, &failure, trial).to_owned(),
        said: trial.said(),
    }
}

/// What to think about: the case's own hint, if it is about this kind of failure.
fn hint(case: &Case, failure: &CaseFailure, trial: &Trial) -> &'static str {
    // A program that crashes closes its connections, too. What it printed then says more than any hint about
    // connections.
    let closes = matches!(
        failure.fault,
        Fault::Short | Fault::Reset | Fault::Silent | Fault::SilentAfterEnd
    );
    match failure.hint {
        Some(hint) => hint,
        None if closes && trial.has_failed() => Fault::Ended.question(),
        None if failure.fault == Fault::Rule || case.fits.contains(&failure.fault) => case.hint,
        None => failure.fault.question(),
    }
}

/// A sentence of the report. It may quote what the program sent, which must neither change the terminal nor fill pages.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 1_000;
    let head: String = text.chars().take(MOST).collect();
    escape(&head) + if head.len() < text.len() { "…" } else { "" }
}

/// The command that plays only this case, with the same data and the same cuts.
fn replay(lab: &Lab, case: &Case, submission: &Submission, seed: u64) -> String {
    let options = format!("--case {} --seed {seed}", case.id);
    match &submission.folder {
        Some(folder) => {
            format!("scripts/lab.sh check {} {options}", shell_quote_path(folder))
        }
        None => {
            format!(
                "scripts/lab.sh check {} {options} -- {}",
                lab.name,
                shell_quote(&submission.command)
            )
        }
    }
}

/// A case that panicked is a bug of ours. The student still gets a report, and the points for the other cases.
fn crashed(case: &Case, panic: &(dyn Any + Send)) -> CaseReport {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref().copied()).unwrap_or("it does not say why");
    let failure = Failure {
        what: format!(
            "the checker itself failed in this case, not your program: {text}. Please report it"
        ),
        ..Failure::default()
    };
    report(case, Outcome::Failed(Box::new(failure)), 0.0)
}

fn report(case: &Case, outcome: Outcome, seconds: f64) -> CaseReport {
    CaseReport {
        id: case.id.to_owned(),
        rule: case.rule.to_owned(),
        points: case.points,
        outcome,
        seconds,
    }
}
