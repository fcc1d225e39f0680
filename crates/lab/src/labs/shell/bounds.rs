//! Both sides of a time, whatever the machine does meanwhile.
//!
//! A command's start is somewhere between the moment in which it was sent and the one in which it was seen to run. Measured
//! from the first, no right program kills too early; measured from the second, it may still be the machine that is late. So
//! whatever is late is tried once more: a program whose limit is a second too long is late each time.

use std::time::Duration;

use super::answer::Answer;
use super::life::Life;
use crate::{Broken, Fault, Peer, Trial};

/// When a command may be killed whose time is over.
const EARLIEST: Duration = Duration::from_millis(1900);
/// When it must be gone, and its answer there.
const LATEST: Duration = Duration::from_secs(3);
/// When what happens at once must have happened.
const AT_ONCE: Duration = Duration::from_millis(1500);
/// Later than this is not the machine.
const HOPELESS: Duration = Duration::from_secs(5);
/// What a program may take that moves a byte with each call, for 2 MiB or for 1,200 commands.
pub(super) const PACE: Duration = Duration::from_secs(24);
/// For whatever waits for a time-out: twice the longest that is tried again.
pub(super) const ALLOWED: Duration = Duration::from_secs(20);

/// A command that does not end is killed when its time is over. This it had written by then.
pub(super) fn expect_timed_out(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    written: &str,
) -> Result<(), Broken> {
    tried_twice(LATEST, || {
        let mut life = Life::begin(trial)?;
        life.send(peer, command)?;
        life.wait_start(trial)?;
        life.wait_end(trial)?;
        let ended = life.since_sent();
        Answer::receive(peer)?.is_timed_out(written)?;
        if ended < EARLIEST {
            return Err(Broken::new(
                Fault::Rule,
                format!(
                    "the command was gone {:.1} s after it was sent, and it has 2 s",
                    ended.as_secs_f32()
                ),
            ));
        }
        Ok(life.since_seen())
    })
}

/// A command whose peer leaves is gone when its time is over, or before.
pub(super) fn expect_gone(
    trial: &mut Trial,
    command: &str,
    leave: impl Fn(Peer),
) -> Result<(), Broken> {
    tried_twice(LATEST, || {
        let mut peer = trial.connect("idle")?;
        let mut life = Life::begin(trial)?;
        life.send(&mut peer, command)?;
        life.wait_start(trial)?;
        leave(peer);
        life.wait_end(trial)?;
        Ok(life.since_seen())
    })
}

/// A command is answered like this, and nothing of it is left.
pub(super) fn expect_at_once(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    judge: impl Fn(&Answer) -> Result<(), Broken>,
) -> Result<(), Broken> {
    tried_twice(AT_ONCE, || {
        let mut life = Life::begin(trial)?;
        life.send(peer, command)?;
        judge(&Answer::receive(peer)?)?;
        life.wait_end(trial)?;
        Ok(life.since_sent())
    })
}

/// A command of 1.5 s ends by itself: its answer is this.
pub(super) fn expect_in_time(
    trial: &mut Trial,
    peer: &mut Peer,
    command: &str,
    expected: &str,
) -> Result<(), Broken> {
    for _ in 0..2 {
        let mut life = Life::begin(trial)?;
        life.send(peer, command)?;
        let answer = Answer::receive(peer)?;
        // Killed too early, it cannot have lived so long; killed in time, it was the machine that took so long.
        if !(answer.has_timed_out() && life.since_sent() >= EARLIEST) {
            return answer.is(expected);
        }
    }
    Err(Broken::new(Fault::Rule, "a command of 1.5 s was killed twice; is the machine very busy?"))
}

fn tried_twice(
    within: Duration,
    mut attempt: impl FnMut() -> Result<Duration, Broken>,
) -> Result<(), Broken> {
    let mut late = Duration::ZERO;
    for _ in 0..2 {
        late = attempt()?;
        if late <= within {
            return Ok(());
        }
        if late > HOPELESS {
            break;
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
