//! How the program has to end: with one line for each whole frame, and an exit code that says whether all went well.

use std::time::Duration;

use stage::Finished;

use super::digests::{lines_are_right, some_lines_are_right};
use super::frame;
use crate::play::{PATIENCE, Trial, not_crashed};
use crate::verdict::{CaseFailure, Fault};

/// From this many bytes on, about 6 MB may still be waiting in the kernel after the last byte was sent, and a program
/// that reads one byte with each call needs this long for them.
const LARGE: usize = 2 << 20;
const LARGE_TAKES: Duration = Duration::from_secs(12);
const ENDED: &str = "The server has ended its side, or will send nothing more. What is your program waiting for, and what \
                     does recv return there?";

/// All bodies are sent, then the end of the stream. The program has to print a line for each, and end normally.
pub(super) fn all_arrive(
    trial: &mut Trial,
    schedule: &str,
    bodies: &[&[u8]],
) -> Result<(), CaseFailure> {
    let mut server = trial.start_client(schedule)?;
    if !bodies.is_empty() {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
        server.send(&stream)?;
    }
    server.end()?;
    are_printed(trial, bodies)
}

/// The program has to print a line for each body, and end normally.
pub(super) fn are_printed(trial: &mut Trial, bodies: &[&[u8]]) -> Result<(), CaseFailure> {
    let large = bodies.iter().map(|body| body.len()).sum::<usize>() > LARGE;
    let finished = wait_exit(trial, if large { LARGE_TAKES } else { PATIENCE })?;
    trial.step(match bodies.len() {
        0 => "expects nothing on stdout, and exit code 0".to_owned(),
        1 => "expects 1 line on stdout, and exit code 0".to_owned(),
        lines => format!("expects {lines} lines on stdout, and exit code 0"),
    });
    // The exit code is looked at first, because a program that failed says why on stderr.
    if let Some(code) = finished.code.filter(|code| *code != 0) {
        return Err(CaseFailure::new(
            Fault::Ended,
            format!("the stream ended normally, but the exit code was {code}"),
        ));
    }
    lines_are_right(&finished, bodies)
}

/// The program has to print the lines of the whole frames, and report that something is wrong.
pub(super) fn fails(trial: &mut Trial, whole: &[&[u8]], why: &str) -> Result<(), CaseFailure> {
    let finished = wait_exit(trial, PATIENCE)?;
    trial.step(match whole.len() {
        0 => "expects nothing on stdout, a line on stderr, and an exit code other than 0",
        _ => "expects 1 line on stdout, a line on stderr, and an exit code other than 0",
    });
    says_so(&finished, why)?;
    lines_are_right(&finished, whole)
}

/// Like [`fails`], but the connection broke so early that the last lines may be missing.
pub(super) fn breaks(trial: &mut Trial, whole: &[&[u8]], why: &str) -> Result<(), CaseFailure> {
    let finished = wait_exit(trial, PATIENCE)?;
    trial.step(format!(
        "expects at most {} lines on stdout, a line on stderr, and an exit code other than 0",
        whole.len()
    ));
    says_so(&finished, why)?;
    some_lines_are_right(&finished, whole).map(|_| ())
}

fn says_so(finished: &Finished, why: &str) -> Result<(), CaseFailure> {
    if finished.code == Some(0) {
        let what = format!("{why}, but the exit code was 0, as if all were well");
        return Err(CaseFailure::new(Fault::Rule, what));
    }
    if finished.stderr.is_empty() {
        return Err(CaseFailure::new(Fault::Form, format!("{why}, and nothing on stderr says so")));
    }
    Ok(())
}

fn wait_exit(trial: &mut Trial, within: Duration) -> Result<Finished, CaseFailure> {
    let finished = trial.wait_exit_within(within).map_err(|failure| match failure.fault {
        Fault::Open => CaseFailure { hint: Some(ENDED), ..failure },
        _ => failure,
    })?;
    not_crashed(&finished)?;
    Ok(finished)
}
