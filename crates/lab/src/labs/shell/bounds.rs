//! Tests both sides of a time limit, however busy the machine is.
//!
//! A command starts at some moment between the one when we sent it and the one when we saw it running. Measured from
//! the first, no correct program kills too early. Measured from the second, it may still be the machine that is late.
//! So anything late is tried again: a program whose limit is a second too long is late each time.

use std::rc::Rc;
use std::time::Duration;

use super::answer::{Answer, EARLIEST, MOST, unhurried};
use super::liveness::Liveness;
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault};

/// When the command must be gone and its answer must be there.
const LATEST: Duration = Duration::from_secs(3);
/// When something that happens at once must have happened.
const AT_ONCE: Duration = Duration::from_millis(1800);
/// Later than this is not worth another try.
const HOPELESS: Duration = Duration::from_secs(5);
/// How many times we try something that was late although the program never waited for a processor; [`MOST`] is for all
/// tries together.
const TRIES: usize = 2;
/// How long a program that moves one byte with each call may take, for 2 MiB or for 1,200 commands.
pub(super) const PACE: Duration = Duration::from_secs(24);
/// For cases that wait for a timeout, and may have to wait again.
pub(super) const ALLOWED: Duration = Duration::from_secs(20);

/// A command that doesn't end is killed when its time is over. By then it had written this.
pub(super) fn expect_timed_out(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    written: &str,
) -> Result<(), CaseFailure> {
    in_time(trial, LATEST, |trial| {
        let mut liveness = Liveness::begin(trial)?;
        liveness.send(peer, command)?;
        liveness.wait_start(trial)?;
        liveness.wait_end(trial)?;
        let ended = liveness.sent.elapsed();
        let answer = Answer::receive(peer)?;
        answer.is_timed_out(written)?;
        if ended < EARLIEST {
            return Err(CaseFailure::new(
                Fault::Rule,
                format!(
                    "the command was gone {:.1} s after it was sent, but it has 2 s",
                    ended.as_secs_f32()
                ),
            ));
        }
        Ok(answer.begun - liveness.seen)
    })
}

/// A command whose peer leaves is gone when its time is over, or earlier.
pub(super) fn expect_gone(
    trial: &mut Trial,
    command: &str,
    leave: impl Fn(Peer),
) -> Result<(), CaseFailure> {
    in_time(trial, LATEST, |trial| {
        let mut peer = trial.connect("idle")?;
        let mut liveness = Liveness::begin(trial)?;
        liveness.send(&mut peer, command)?;
        liveness.wait_start(trial)?;
        leave(peer);
        liveness.wait_end(trial)?;
        Ok(liveness.seen.elapsed())
    })
}

/// A command gets an answer that `judge` accepts, and no process of it is left.
pub(super) fn expect_at_once(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    judge: impl Fn(&Answer) -> Result<(), CaseFailure>,
) -> Result<(), CaseFailure> {
    in_time(trial, AT_ONCE, |trial| {
        let patience = Rc::clone(&trial.patience);
        let mut took = Duration::ZERO;
        let answer = unhurried(&patience, || {
            let mut liveness = Liveness::begin(trial)?;
            liveness.send(peer, command)?;
            liveness.wait_end(trial)?;
            let answer = Answer::receive(peer)?;
            took = answer.begun - liveness.sent;
            Ok(answer)
        })?;
        judge(&answer)?;
        Ok(took)
    })
}

/// A command of 1.5 s ends by itself, and this is its answer.
pub(super) fn expect_in_time(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    expected: &str,
) -> Result<(), CaseFailure> {
    for _ in 0..MOST {
        let mut liveness = Liveness::begin(trial)?;
        liveness.send(peer, command)?;
        let answer = Answer::receive(peer)?;
        // A command that was killed too early can't have lived this long. If it was killed in time, it was the machine
        // that took so long.
        if !(answer.has_timed_out() && liveness.sent.elapsed() >= EARLIEST) {
            return answer.is(expected);
        }
    }
    Err(CaseFailure::new(
        Fault::Rule,
        format!("a command of 1.5 s was killed {MOST} times, each time after 1.9 s or more"),
    ))
}

/// Tries something that has to be done in time until it succeeds.
fn in_time(
    trial: &mut Trial,
    within: Duration,
    mut attempt: impl FnMut(&mut Trial) -> Result<Duration, CaseFailure>,
) -> Result<(), CaseFailure> {
    let (mut late, mut tries) = (Duration::ZERO, 0);
    for _ in 0..MOST {
        late = attempt(trial)?;
        if late <= within {
            return Ok(());
        }
        // A try in which the program had to wait for a processor doesn't count.
        if trial.patience.wait(Duration::ZERO).is_over() {
            tries += 1;
            if tries == TRIES || late > HOPELESS {
                break;
            }
        }
    }
    Err(CaseFailure::new(
        Fault::Rule,
        format!(
            "it took {:.1} s until the command was gone and answered: at most {:.1} s are allowed",
            late.as_secs_f32(),
            within.as_secs_f32()
        ),
    ))
}
