//! Both sides of a time, whatever the machine does meanwhile.
//!
//! A command's start is somewhere between the moment in which it was sent and the one in which it was seen to run. Measured
//! from the first, no right program kills too early; measured from the second, it may still be the machine that is late. So
//! whatever is late is tried again: a program whose limit is a second too long is late each time.

use std::rc::Rc;
use std::time::Duration;

use super::answer::{Answer, EARLIEST, MOST, unhurried};
use super::liveness::Liveness;
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault};

/// When it must be gone, and its answer there.
const LATEST: Duration = Duration::from_secs(3);
/// When what happens at once must have happened.
const AT_ONCE: Duration = Duration::from_millis(1800);
/// Later than this is not worth another try.
const HOPELESS: Duration = Duration::from_secs(5);
/// How often something is tried that the machine may have made late; [`MOST`] is how often in all.
const TRIES: usize = 2;
/// What a program may take that moves a byte with each call, for 2 MiB or for 1,200 commands.
pub(super) const PACE: Duration = Duration::from_secs(24);
/// For whatever waits for a time-out, and may have to wait again.
pub(super) const ALLOWED: Duration = Duration::from_secs(20);

/// A command that does not end is killed when its time is over. This it had written by then.
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

/// A command whose peer leaves is gone when its time is over, or before.
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

/// A command is answered like this, and nothing of it is left.
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

/// A command of 1.5 s ends by itself: its answer is this.
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
        // Killed too early, it cannot have lived so long; killed in time, it was the machine that took so long.
        if !(answer.has_timed_out() && liveness.sent.elapsed() >= EARLIEST) {
            return answer.is(expected);
        }
    }
    Err(CaseFailure::new(
        Fault::Rule,
        format!("a command of 1.5 s was killed {MOST} times, each time after 1.9 s or more"),
    ))
}

/// Tries something that has to be done in time, until it once is.
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
        // One in which the program had to wait for a processor does not count.
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
