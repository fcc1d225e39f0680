//! The student's program, while a case is played.

use std::cell::Cell;
use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use stage::{Finished, Keep, Line, Program, Signal, StageError, Stream};

use super::patience::{Patience, START_TIMEOUT};
use super::port::lock_starts;
use super::submission::{Submission, startable};
use super::turn::Turn;
use crate::verdict::{CaseFailure, Fault, escape};

/// How much we keep of what it writes to stdout and stderr, in bytes. It may write more: we keep the latest.
const OUTPUT: usize = 8 << 20;
/// How often we look at the kernel's tables while we wait, at first and later on. They may have thousands of lines, and
/// twenty cases look at once: without a pause they would keep the programs from starting.
const LOOK: Duration = Duration::from_millis(3);
const SELDOM: Duration = Duration::from_millis(50);
/// What only a process can set for itself: no core files, no file above 64 MiB (in blocks of 512 bytes), a minute of
/// processor time, 1,024 descriptors, so that a program that leaks them fails on every machine, and the usual umask,
/// because files have modes. It doesn't get the files that our caller has left open, as far as any shell can close
/// them. Then the shell becomes the program. A limit that is already lower stays.
const LIMITS: &str = "umask 022; { ulimit -c 0; ulimit -f 131072; ulimit -t 60; ulimit -n 1024; } 2>/dev/null; \
    exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$@\"";

/// How long it may take to end after it was told to.
const GRACE: Duration = Duration::from_millis(300);

/// It runs in a process group of its own and is ended, with the group, when this is dropped.
pub(crate) struct Student {
    program: Program,
    /// Its turn to start, which lasts until it is ready: some others have to wait that long.
    starting: Cell<Option<Turn>>,
}

impl Student {
    /// Starts it with the address as its last argument.
    pub(crate) fn start(
        submission: &Submission,
        address: impl AsRef<OsStr>,
    ) -> Result<Student, CaseFailure> {
        startable(submission).map_err(|why| {
            CaseFailure::early(why, "Does the command work in a terminal, in that folder?")
        })?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", LIMITS, "sh"]).args(&submission.command).arg(address);
        if let Some(folder) = &submission.folder {
            command.current_dir(folder);
        }
        let turn = Turn::wait();
        let _no_port_is_tried = lock_starts();
        match Program::start_keeping("the program", &mut command, Keep::Latest(OUTPUT)) {
            Ok(program) => Ok(Student { program, starting: Cell::new(Some(turn)) }),
            Err(error) => Err(CaseFailure::machine("start the program", error)),
        }
    }

    /// Waits until it listens: either the kernel says so (`bound`), or the program does (`listening on ...`) and can be
    /// `believed`.
    pub(crate) fn wait_ready(
        &self,
        mut bound: impl FnMut() -> bool,
        believed: impl Fn() -> bool,
        patience: &Patience,
    ) -> Result<(), CaseFailure> {
        let (mut time, mut look) = (patience.wait_ready(START_TIMEOUT), LOOK);
        loop {
            // We look once more after the time is over: on a busy machine, it may have been the checker that had to
            // wait.
            let over = time.is_over();
            if bound() || (self.says_it_listens() && believed()) {
                self.end_turn();
                return Ok(());
            }
            if over {
                break;
            }
            match self.program.wait_until("it to listen", look, |_| None::<()>) {
                Ok(()) => return Ok(()),
                Err(StageError::TimedOut { .. }) => look = (look * 2).min(SELDOM),
                Err(StageError::Ended { how, .. }) => {
                    let what = format!("the program ended ({how}) before it listened");
                    return Err(CaseFailure::ended(what));
                }
                Err(error) => return Err(CaseFailure::new(Fault::Rule, error.to_string())),
            }
        }
        let claim = if self.says_it_listens() { "says that it is listening, but it " } else { "" };
        let what = format!(
            "the program {claim}did not listen on the address (its last argument) within {} s",
            START_TIMEOUT.as_secs()
        );
        Err(CaseFailure::early(
            what,
            "The address is different each time. Where does your program get it from?",
        ))
    }

    pub(crate) fn says_it_listens(&self) -> bool {
        self.program.said().iter().any(|line| line.text.starts_with(b"listening on "))
    }

    /// It has started, so the next one may start.
    pub(crate) fn end_turn(&self) {
        self.starting.set(None);
    }

    /// How it ended, if it has, or if it does within this time.
    pub(crate) fn ended(&self, within: Duration) -> Option<String> {
        match self.program.wait_until("", within, |_| None::<()>) {
            Err(StageError::Ended { how, .. }) => Some(how),
            _ => None,
        }
    }

    /// Whether it has ended, or ends in a moment, with anything but exit code 0.
    pub(crate) fn has_failed(&self) -> bool {
        self.ended(GRACE).is_some_and(|how| how != "exit code 0")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Ends it as `kill -9` does, with its group.
    pub(crate) fn kill(&self) {
        self.program.signal_group(Signal::KILL);
    }

    /// Tells it to end, and kills it if it doesn't.
    pub(crate) fn stop(&self) {
        self.program.signal_group(Signal::TERM);
        self.ended(GRACE);
        self.program.signal_group(Signal::KILL);
    }

    /// Waits for its end.
    pub(crate) fn wait(
        mut self,
        patience: &Patience,
        within: Duration,
    ) -> Result<Finished, CaseFailure> {
        self.program.close_stdin();
        let mut time = patience.wait(within);
        while !time.is_over() {
            let left = time.until().saturating_duration_since(Instant::now());
            match self.program.wait_until("its end", left, |_| None::<()>) {
                Err(StageError::TimedOut { .. }) => {}
                _ => {
                    let finished = self.program.wait(Duration::ZERO);
                    return finished
                        .map_err(|error| CaseFailure::new(Fault::Rule, error.to_string()));
                }
            }
        }
        let seconds = within.as_secs();
        Err(CaseFailure::new(
            Fault::Open,
            format!("the program was still running after {seconds} s"),
        ))
    }

    /// Sends a signal to its process group.
    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal_group(signal);
    }

    /// Its last lines, escaped.
    pub(crate) fn said(&self) -> Vec<String> {
        last_lines(&self.program.said())
    }
}

/// The last twelve lines, shortened, with control characters escaped: a program must not be able to garble the report.
pub(crate) fn last_lines(lines: &[Line]) -> Vec<String> {
    let shown = |line: &Line| {
        let stream = if line.stream == Stream::Stdout { "stdout" } else { "stderr" };
        let text: String = String::from_utf8_lossy(&line.text).chars().take(200).collect();
        format!("{stream}: {}", escape(&text))
    };
    lines[lines.len().saturating_sub(12)..].iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_cannot_paint_over_the_report() {
        let line = |text: &str| Line {
            stream: Stream::Stderr,
            text: text.as_bytes().to_vec(),
            whole: true,
            when: Instant::now(),
        };
        let escapes = line("\u{1b}[2J\rpassed \u{202e}é");
        assert_eq!(last_lines(&[escapes]), ["stderr: \\u{1b}[2J\\rpassed \\u{202e}é"]);
        let shown = last_lines(&vec![line(&"x".repeat(10_000)); 50]);
        assert_eq!((shown.len(), shown[0].len()), (12, "stderr: ".len() + 200));
    }
}
