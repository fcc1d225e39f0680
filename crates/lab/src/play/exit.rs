//! Waits until the program has ended, or has served the next peer.

use std::rc::Rc;
use std::time::Duration;

use stage::Finished;

use super::connection::Connection;
use super::dial::{Buffers, dial};
use super::patience::PATIENCE;
use super::recording::SharedRecording;
use super::student;
use super::trial::Trial;
use crate::verdict::{CaseFailure, Fault};

impl Trial<'_> {
    /// Waits until the program has ended by itself.
    ///
    /// # Errors
    /// [`CaseFailure`] when it hasn't ended in time.
    pub fn wait_exit(&mut self) -> Result<Finished, CaseFailure> {
        self.wait_exit_within(PATIENCE)
    }

    /// Like [`wait_exit`](Trial::wait_exit), for a program that may still have a lot to read.
    ///
    /// # Errors
    /// [`CaseFailure`] when it hasn't ended within this time, or within the case's time.
    pub fn wait_exit_within(&mut self, within: Duration) -> Result<Finished, CaseFailure> {
        self.step("wait for the program to end");
        let Some(student) = self.student.take() else {
            return Err(CaseFailure::machine("wait", "the case has started no program"));
        };
        self.said = student.said();
        let finished = student.wait(&self.patience, within)?;
        self.said = student::last_lines(&finished.lines);
        Ok(finished)
    }

    /// Expects that the program either serves one more peer, which sends `request` and reads `answer`, or has ended.
    /// Returns how it ended, if it did.
    ///
    /// # Errors
    /// [`CaseFailure`] when it does neither in time, or crashed.
    pub fn serves_or_ends(
        &mut self,
        request: &[u8],
        answer: &[u8],
    ) -> Result<Option<Finished>, CaseFailure> {
        self.step("another peer comes: the program serves it, or it has ended");
        if let Some(Ok(socket)) = self.address.as_ref().map(|address| dial(address, Buffers::Usual))
        {
            let mut conn =
                Connection::new(socket, Rc::clone(&self.patience), SharedRecording::default());
            conn.send(request)?;
            conn.read_until(|received| received.len() >= answer.len());
            if conn.received == answer {
                return Ok(None);
            }
            if !answer.starts_with(&conn.received) {
                let what = "the next peer was sent something other than its answer";
                return Err(CaseFailure::differs(Fault::Wrong, what, answer, &conn.received));
            }
            if conn.ended.is_none() {
                return Err(CaseFailure::new(
                    Fault::Silent,
                    "the program neither serves the next peer nor ends",
                ));
            }
        }
        let finished = self.wait_exit()?;
        not_crashed(&finished)?;
        Ok(Some(finished))
    }
}

/// Checks that the program wasn't ended by a signal, a panic of Rust (101) or an abort.
///
/// # Errors
/// [`CaseFailure`] when it crashed.
pub(crate) fn not_crashed(finished: &Finished) -> Result<(), CaseFailure> {
    match (finished.signal, finished.code) {
        (Some(signal), _) => Err(CaseFailure::new(
            Fault::Ended,
            format!("the program was killed by signal {signal}"),
        )),
        (None, Some(101)) => {
            Err(CaseFailure::new(Fault::Ended, "the program panicked (exit code 101)"))
        }
        _ => Ok(()),
    }
}
