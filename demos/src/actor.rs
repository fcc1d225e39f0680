//! The programs of an experiment: while they run, and what they leave when they have ended.

use crate::setup_error::SetupError;
use observe::Event;
use stage::{Finished, Program, Signal};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How long a program may take to do its work, on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// A running program, and where it records its socket calls.
pub struct Actor {
    label: String,
    program: Program,
    trace: PathBuf,
}

impl Actor {
    /// Starts the command, which records its socket calls in `trace`.
    pub fn start(label: &str, command: &mut Command, trace: PathBuf) -> Result<Actor, SetupError> {
        Ok(Actor { label: label.to_owned(), program: Program::start(label, command)?, trace })
    }

    /// Waits until it has made the call `name` `count` times.
    pub fn wait_for_calls(&self, name: &str, count: usize) -> Result<(), SetupError> {
        let call = format!(" {name} conn=");
        let called =
            |line: &&stage::Line| line.whole && String::from_utf8_lossy(&line.text).contains(&call);
        let what = format!("{count} times {name}");
        Ok(self.program.wait_until(&what, TIMEOUT, |lines| {
            (lines.iter().filter(called).count() >= count).then_some(())
        })?)
    }

    /// Tells a server to stop, and waits until it has.
    pub fn stop(self) -> Result<Ended, SetupError> {
        self.program.signal(Signal::TERM);
        self.end()
    }

    /// Waits until the program has ended by itself, successfully.
    pub fn end(self) -> Result<Ended, SetupError> {
        let label = self.label.clone();
        let ended = self.end_somehow()?;
        match ended.code {
            Some(0) => Ok(ended),
            code => {
                let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                Err(SetupError::Failed { label, how, said: ended.complaint() })
            }
        }
    }

    /// Waits until the program has ended, with whatever exit code.
    pub fn end_somehow(self) -> Result<Ended, SetupError> {
        let finished = self.program.wait(TIMEOUT)?;
        // A program that refused its arguments never opened its trace. If it was killed, the last line of its trace may be
        // cut off, but the lines before it are still right.
        let events = match self.trace.exists() {
            true => timeline::read_trace(&self.trace)?.events,
            false => Vec::new(),
        };
        Ok(Ended { finished, events })
    }
}

impl Deref for Actor {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Actor {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// A program that has ended: what it said, and every socket call it made.
pub struct Ended {
    finished: Finished,
    pub events: Vec<Event>,
}

impl Ended {
    /// What it said on standard output, as text.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What a server said after its first line, `listening on`.
    pub fn said_then(&self) -> String {
        self.said().split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }

    /// What it said on standard error, without the log.
    pub fn complaint(&self) -> String {
        let log = |line: &&str| [" WARN ", " conn="].iter().any(|part| line.contains(part));
        let said = String::from_utf8_lossy(&self.stderr);
        said.lines().filter(|line| !log(line)).map(|line| format!("{line}\n")).collect()
    }

    /// The bytes that each call of this name moved, in order.
    pub fn moved(&self, call: &str) -> Vec<Vec<u8>> {
        let calls = self.events.iter().filter(|event| event.call == call);
        calls.filter_map(|event| event.data.clone()).collect()
    }
}

impl Deref for Ended {
    type Target = Finished;

    fn deref(&self) -> &Finished {
        &self.finished
    }
}
