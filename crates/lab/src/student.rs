//! The student's program, while a case is played.

use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use stage::{Finished, Line, Program, Signal, StageError, Stream};

use crate::{Broken, READY, Submission};

/// What it may write to stdout and stderr together, in bytes; more, and it has run away.
const OUTPUT: usize = 8 << 20;
/// How often the kernel's tables are looked at while we wait.
const LOOK: Duration = Duration::from_millis(3);

/// It runs in a process group of its own and is ended, with the group, when this is dropped.
pub(crate) struct Student(Program);

impl Student {
    /// Starts it with the address as its last argument.
    pub(crate) fn start(
        submission: &Submission,
        address: impl AsRef<OsStr>,
    ) -> Result<Student, Broken> {
        let mut command = Command::new("/bin/sh");
        // The shell sets what only a process can set for itself, and becomes the program: no core files, no file above
        // 256 MiB, a minute of processor time.
        command.args(["-c", "ulimit -c 0; ulimit -f 524288; ulimit -t 60; exec \"$@\"", "sh"]);
        command.args(&submission.command).arg(address);
        if let Some(folder) = &submission.folder {
            command.current_dir(folder);
        }
        match Program::start_bounded("the program", &mut command, OUTPUT) {
            Ok(program) => Ok(Student(program)),
            Err(error) => Err(Broken::machine("start the program", error)),
        }
    }

    /// Waits until it listens: the kernel says so (`bound`), or the program does (`listening on ...`).
    pub(crate) fn wait_ready(&self, mut bound: impl FnMut() -> bool) -> Result<(), Broken> {
        let deadline = Instant::now() + READY;
        let says = |lines: &[Line]| lines.iter().any(|l| l.text.starts_with(b"listening on "));
        while Instant::now() < deadline {
            if bound() {
                return Ok(());
            }
            match self.0.wait_until("it to listen", LOOK, |lines| says(lines).then_some(())) {
                Ok(()) => return Ok(()),
                Err(StageError::TimedOut { .. }) => {}
                Err(StageError::Ended { how, .. }) => {
                    return Err(Broken::new(format!(
                        "the program ended ({how}) before it listened"
                    )));
                }
                Err(error) => return Err(Broken::new(error.to_string())),
            }
        }
        Err(Broken::new(format!(
            "the program did not listen on the address (its last argument) within {} s",
            READY.as_secs()
        )))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<String> {
        match self.0.wait_until("", Duration::ZERO, |_| None::<()>) {
            Err(StageError::Ended { how, .. }) => Some(how),
            _ => None,
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(self, within: Duration) -> Result<Finished, Broken> {
        self.0.wait(within).map_err(|error| match error {
            StageError::TimedOut { .. } => {
                Broken::new(format!("the program was still running after {} s", within.as_secs()))
            }
            error => Broken::new(error.to_string()),
        })
    }

    /// Sends a signal to it and to all it started.
    pub(crate) fn signal(&self, signal: Signal) {
        self.0.signal_group(signal);
    }

    /// Its last lines, harmless to a terminal.
    pub(crate) fn said(&self) -> Vec<String> {
        last_lines(&self.0.said())
    }
}

/// The last twelve lines, shortened, with control characters escaped: a program must not paint over the report.
pub(crate) fn last_lines(lines: &[Line]) -> Vec<String> {
    let shown = |line: &Line| {
        let stream = if line.stream == Stream::Stdout { "stdout" } else { "stderr" };
        let text: String = String::from_utf8_lossy(&line.text).chars().take(200).collect();
        let harmless: String = text
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect();
        format!("{stream}: {harmless}")
    };
    lines[lines.len().saturating_sub(12)..].iter().map(shown).collect()
}
