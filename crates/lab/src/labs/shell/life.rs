//! Whether anything that a command started still runs.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::answer::frame;
use crate::bytes::quote;
use crate::{Broken, Fault, PATIENCE, Peer, Trial, connection};

/// How long a command may run, as the page says.
const TIME: Duration = Duration::from_secs(2);

/// A pipe with a name (fifo(7)). A command opens it to write, and every process that it starts has it open, too. When the
/// last of them is gone, and not before, the pipe has an end: there is no silence to wait for, and no process to look up.
pub(super) struct Life {
    path: PathBuf,
    pipe: File,
}

impl Life {
    pub fn begin(trial: &mut Trial) -> Result<Life, Broken> {
        let failed = |error: &dyn std::fmt::Display| Broken::machine("make a pipe", error);
        let folder = trial.folder()?;
        let path = (0..).map(|n| folder.join(format!("pipe-{n}"))).find(|path| !path.exists());
        let path = path.unwrap_or_default();
        let made = Command::new("mkfifo").arg(&path).status().map_err(|error| failed(&error))?;
        if !made.success() {
            return Err(failed(&made));
        }
        // Without NONBLOCK open would wait for the command.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe = rustix::fs::open(&path, flags, Mode::empty()).map_err(|error| failed(&error))?;
        Ok(Life { path, pipe: File::from(pipe) })
    }

    /// Sends the command, with the pipe open. The report shows it without: the name differs each time.
    pub fn send(&self, peer: &mut Peer, command: &str) -> Result<(), Broken> {
        let held = format!("exec 3>'{}'; echo >&3; {command}", self.path.display());
        let step = format!("sends the command {}", quote(command.as_bytes()));
        peer.quietly(&step, |peer| peer.send(&frame(held)))
    }

    /// Waits until the command runs.
    pub fn wait_start(&mut self, trial: &Trial) -> Result<(), Broken> {
        trial.step("waits until the command runs");
        match self.read(trial, PATIENCE) {
            Some(1..) => Ok(()),
            _ => Err(Broken::new(
                Fault::Rule,
                format!("it did not run within {} s", PATIENCE.as_secs()),
            )),
        }
    }

    /// Waits until the command, which has run, and all that it started are gone.
    pub fn wait_end(&mut self, trial: &Trial) -> Result<(), Broken> {
        trial.step("waits until nothing runs any more that the command started");
        loop {
            match self.read(trial, TIME + PATIENCE) {
                Some(0) => return Ok(()),
                Some(_) => {}
                None => {
                    return Err(Broken::new(
                        Fault::Rule,
                        "a process that the command started still runs",
                    ));
                }
            }
        }
    }

    /// How many bytes came, 0 at the end; nothing when there is neither in time.
    fn read(&mut self, trial: &Trial, within: Duration) -> Option<usize> {
        let mut time = trial.patience.wait(within);
        loop {
            let left = time.until().saturating_duration_since(Instant::now());
            connection::wait_readable(&self.pipe, left);
            match self.pipe.read(&mut [0; 16]) {
                // Before the first opens it, the pipe has no end either; but then poll waits.
                Ok(got) => return Some(got),
                Err(_) if time.is_over() => return None,
                Err(_) => {}
            }
        }
    }
}
