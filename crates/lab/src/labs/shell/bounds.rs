//! Both sides of a time, whatever the machine does meanwhile.
//!
//! A command's start is somewhere between the moment in which it was sent and the one in which it was seen to run. Measured
//! from the first, no right program kills too early; measured from the second, it may still be the machine that is late. So
//! whatever is late is tried again: a program whose limit is a second too long is late each time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::life::Life;
use crate::play::{Patience, Peer, Trial};
use crate::verdict::{Broken, Fault};

/// When a command may be killed whose time is over.
pub(super) const EARLIEST: Duration = Duration::from_millis(1900);
/// When it must be gone, and its answer there.
const LATEST: Duration = Duration::from_secs(3);
/// When what happens at once must have happened.
const AT_ONCE: Duration = Duration::from_millis(1800);
/// Later than this is not worth another try.
const HOPELESS: Duration = Duration::from_secs(5);
/// How often something is tried that the machine may have made late, and how often in all.
const TRIES: usize = 2;
const MOST: usize = 6;
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
) -> Result<(), Broken> {
    in_time(trial, LATEST, |trial| {
        let mut life = Life::begin(trial)?;
        life.send(peer, command)?;
        life.wait_start(trial)?;
        life.wait_end(trial)?;
        let ended = life.sent.elapsed();
        let answer = Answer::receive(peer)?;
        answer.is_timed_out(written)?;
        if ended < EARLIEST {
            return Err(Broken::new(
                Fault::Rule,
                format!(
                    "the command was gone {:.1} s after it was sent, and it has 2 s",
                    ended.as_secs_f32()
                ),
            ));
        }
        Ok(answer.begun - life.seen)
    })
}

/// A command whose peer leaves is gone when its time is over, or before.
pub(super) fn expect_gone(
    trial: &mut Trial,
    command: &str,
    leave: impl Fn(Peer),
) -> Result<(), Broken> {
    in_time(trial, LATEST, |trial| {
        let mut peer = trial.connect("idle")?;
        let mut life = Life::begin(trial)?;
        life.send(&mut peer, command)?;
        life.wait_start(trial)?;
        leave(peer);
        life.wait_end(trial)?;
        Ok(life.seen.elapsed())
    })
}

/// A command is answered like this, and nothing of it is left.
pub(super) fn expect_at_once(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    judge: impl Fn(&Answer) -> Result<(), Broken>,
) -> Result<(), Broken> {
    in_time(trial, AT_ONCE, |trial| {
        let patience = Rc::clone(&trial.patience);
        let mut took = Duration::ZERO;
        let answer = unhurried(&patience, || {
            let mut life = Life::begin(trial)?;
            life.send(peer, command)?;
            life.wait_end(trial)?;
            let answer = Answer::receive(peer)?;
            took = answer.begun - life.sent;
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
) -> Result<(), Broken> {
    for _ in 0..MOST {
        let mut life = Life::begin(trial)?;
        life.send(peer, command)?;
        let answer = Answer::receive(peer)?;
        // Killed too early, it cannot have lived so long; killed in time, it was the machine that took so long.
        if !(answer.has_timed_out() && life.sent.elapsed() >= EARLIEST) {
            return answer.is(expected);
        }
    }
    Err(Broken::new(
        Fault::Rule,
        format!("a command of 1.5 s was killed {MOST} times, each time after 1.9 s or more"),
    ))
}

/// The answer to a command that has time enough. If the 2 s are over all the same, and the program had to wait for a
/// processor meanwhile, it was the machine, and the command is run again.
pub(super) fn unhurried(
    patience: &Patience,
    mut attempt: impl FnMut() -> Result<Answer, Broken>,
) -> Result<Answer, Broken> {
    for _ in 1..MOST {
        let sent = Instant::now();
        let answer = attempt()?;
        let late = answer.has_timed_out() && sent.elapsed() >= EARLIEST;
        if !late || patience.wait(Duration::ZERO).is_over() {
            return Ok(answer);
        }
    }
    attempt()
}

/// Tries something that has to be done in time, until it once is.
fn in_time(
    trial: &mut Trial,
    within: Duration,
    mut attempt: impl FnMut(&mut Trial) -> Result<Duration, Broken>,
) -> Result<(), Broken> {
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
    Err(Broken::new(
        Fault::Rule,
        format!(
            "it took {:.1} s until the command was gone and answered: at most {:.1} s are allowed",
            late.as_secs_f32(),
            within.as_secs_f32()
        ),
    ))
}
