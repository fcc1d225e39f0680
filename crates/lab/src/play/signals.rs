//! The program as a process: a second one beside it, one that is killed, one that is stopped for a moment.

use std::path::Path;
use std::time::{Duration, Instant};

use stage::{Finished, Signal, shell_quote};

use super::patience::{PATIENCE, Patience, START_TIMEOUT};
use super::student::{self, Student};
use super::trial::{Trial, with_address};
use super::waits::{MOMENT, outwait};
use crate::verdict::{CaseFailure, Fault};

/// How long we watch whether it waits.
const WINDOW: Duration = Duration::from_millis(300);
/// How often we check whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long it may keep running after it has said that it is listening.
const AFTERTHOUGHT: Duration = Duration::from_secs(1);

impl<'a> Trial<'a> {
    /// Starts the program at a path where it must not serve, beside the one that may already be running, and waits
    /// until it has refused: exit code 3, and an error on stderr.
    ///
    /// # Errors
    /// [`CaseFailure`] when it keeps running, ends in another way, or says nothing.
    pub fn expect_refusal(&mut self, path: &Path) -> Result<Finished, CaseFailure> {
        let again = if self.student.is_some() { "start a second one" } else { "start" };
        self.step(format!("{again}: {} ADDRESS", shell_quote(&self.submission.command)));
        self.step("expects it to end with exit code 3 and an error on stderr");
        let started = Student::start(self.submission, path)?;
        let patience = Patience::new();
        patience.with(started.pid());
        let mut time = patience.wait_ready(START_TIMEOUT);
        let ended = loop {
            if started.ended(LOOK).is_some() {
                break started.wait(&patience, PATIENCE);
            }
            if time.is_over() {
                break Err(CaseFailure::new(
                    Fault::Rule,
                    format!("it is still running after {} s", START_TIMEOUT.as_secs()),
                ));
            }
            // It might still notice what is at the path.
            if started.says_it_listens() && started.ended(AFTERTHOUGHT).is_none() {
                started.stop();
                break Err(CaseFailure::new(Fault::Rule, "it says that it is listening"));
            }
        };
        let finished = ended.map_err(|failure| {
            CaseFailure::new(
                Fault::Rule,
                format!("it should have refused to serve there, but {}", failure.what),
            )
        })?;
        let said = with_address(student::last_lines(&finished.lines), &path.to_string_lossy());
        if self.student.is_some() {
            for line in &said {
                self.step(format!("the second one says on {line}"));
            }
        }
        self.said = said;
        let how = match (finished.code, finished.signal) {
            (Some(3), _) if finished.stderr.is_empty() => "without a word on stderr".to_owned(),
            (Some(3), _) => return Ok(finished),
            (Some(code), _) => format!("with exit code {code}"),
            (None, signal) => format!("by signal {}", signal.unwrap_or_default()),
        };
        Err(CaseFailure::new(
            Fault::Rule,
            format!("it should have ended with exit code 3 and an error, but it ended {how}"),
        ))
    }

    /// Kills the program as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// [`CaseFailure`] when it was not running.
    pub fn kill(&mut self) -> Result<(), CaseFailure> {
        self.step("the program is killed (kill -9)");
        let Some(student) = self.student.take() else {
            return Err(CaseFailure::machine("kill", "the case has started no program"));
        };
        student.kill();
        student.wait(&self.patience, PATIENCE).map(|_| ())
    }

    /// Does `what` while the program is stopped (SIGSTOP), as if the machine were too busy to run it. The kernel keeps
    /// working.
    ///
    /// # Errors
    /// Those of `what`.
    pub fn while_stopped<T>(
        &mut self,
        what: impl FnOnce(&mut Trial<'a>) -> Result<T, CaseFailure>,
    ) -> Result<T, CaseFailure> {
        self.step("stop the program for a moment (SIGSTOP)");
        self.signal(Signal::STOP);
        self.wait_stopped();
        let done = what(self);
        self.signal(Signal::CONT);
        let done = done?;
        self.step("let the program run on (SIGCONT)");
        Ok(done)
    }

    /// Expects that the program, which now has nothing to do, waits. Linux only: on other systems nothing is checked.
    ///
    /// # Errors
    /// [`CaseFailure`] when it keeps the processor busy.
    pub fn expect_idle(&self) -> Result<(), CaseFailure> {
        self.step("expects the program to wait without keeping the processor busy");
        // Gives the program time to clean up.
        let busy = (0..5).map(|_| self.busy_for(WINDOW)).find(|busy| *busy < WINDOW / 2);
        match busy {
            Some(_) => Ok(()),
            None => Err(CaseFailure::new(
                Fault::Spins,
                format!(
                    "nobody was asking for anything, but the program kept the processor busy for {:.1} s",
                    (WINDOW * 5).as_secs_f32()
                ),
            )),
        }
    }

    /// Waits while nothing happens, for longer than the program seems ready to wait: see `waits.rs`. If it is a peer
    /// that stays silent, `Peer::keep_silent` can look more closely. Here all we can say is whether the program ends: a
    /// client that sends nothing may have ended its side of the connection, and a server may have nobody to answer.
    ///
    /// # Errors
    /// [`CaseFailure`] when the program ends meanwhile.
    pub fn keep_silent(&self, what: &str) -> Result<(), CaseFailure> {
        self.step(what);
        match outwait(&self.patience, &self.steps, |silent| Some((silent, self.ended(MOMENT)?)))? {
            None => Ok(()),
            Some((silent, how)) => Err(CaseFailure::new(
                Fault::Impatient,
                format!(
                    "the program ended ({how}) after a silence of {:.1} s",
                    silent.as_secs_f32()
                ),
            )),
        }
    }

    /// For how much of this time the program and everything it started ran, or waited for a processor.
    fn busy_for(&self, window: Duration) -> Duration {
        let before = self.patience.busy();
        std::thread::sleep(window);
        self.patience.busy().saturating_sub(before)
    }

    /// Waits until every thread of the program has stopped: a SIGCONT that comes too early cancels the SIGSTOP
    /// (signal(7)). We don't wait for a thread in an uninterruptible call, and on systems other than Linux we can't
    /// tell.
    fn wait_stopped(&self) {
        let until = Instant::now() + Duration::from_secs(1);
        while self.patience.runs() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(student) = &self.student {
            student.signal(signal);
        }
    }
}
