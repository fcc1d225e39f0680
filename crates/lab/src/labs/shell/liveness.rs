//! Whether anything that a command started is still running.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::answer::frame;
use crate::labs::fifo::make_fifo;
use crate::play::{PATIENCE, Peer, Trial, wait_readable};
use crate::verdict::{CaseFailure, Fault, quote};

/// How long a command may run, as the page says.
const TIME: Duration = Duration::from_secs(2);

/// A named pipe (fifo(7)). A command opens it for writing, and every process that it starts inherits it. The pipe ends
/// exactly when the last of them is gone, so there is no silence to wait for, and no process to look up.
pub(super) struct Liveness {
    path: PathBuf,
    pipe: File,
    /// Just before the command was sent, so the command started later.
    pub sent: Instant,
    /// When we saw it running, so the command started earlier.
    pub seen: Instant,
}

impl Liveness {
    pub fn begin(trial: &mut Trial) -> Result<Liveness, CaseFailure> {
        let failed = |error: &dyn std::fmt::Display| CaseFailure::machine("make a pipe", error);
        let folder = trial.folder()?;
        let path = (0..).map(|n| folder.join(format!("pipe-{n}"))).find(|path| !path.exists());
        let path = path.unwrap_or_default();
        make_fifo(&path)?;
        // Without NONBLOCK, open would wait for the command.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe = rustix::fs::open(&path, flags, Mode::empty()).map_err(|error| failed(&error))?;
        Ok(Liveness { path, pipe: File::from(pipe), sent: Instant::now(), seen: Instant::now() })
    }

    /// Sends the command, together with code that opens the pipe. The report shows only the command, because the name
    /// of the pipe is different each time.
    pub fn send(&mut self, peer: &mut Peer, command: &str) -> Result<(), CaseFailure> {
        let held = format!("exec 3>'{}'; echo >&3; {command}", self.path.display());
        let step = format!("sends the command {}", quote(command.as_bytes()));
        self.sent = Instant::now();
        peer.quietly(&step, |peer| peer.send(&frame(held)))
    }

    /// Waits until the command runs.
    pub fn wait_start(&mut self, trial: &Trial) -> Result<(), CaseFailure> {
        trial.step("waits until the command runs");
        match self.read(trial, PATIENCE) {
            Some(1..) => {
                self.seen = Instant::now();
                Ok(())
            }
            _ => Err(CaseFailure::new(
                Fault::Rule,
                format!("the command did not run within {} s", PATIENCE.as_secs()),
            )),
        }
    }

    /// Waits until the command, which we have seen running, and everything that it started are gone.
    pub fn wait_end(&mut self, trial: &Trial) -> Result<(), CaseFailure> {
        trial.step("waits until nothing that the command started is still running");
        let within = TIME + PATIENCE;
        if self.has_ended(trial, within) {
            return Ok(());
        }
        let after = self.sent.elapsed().as_secs_f32();
        Err(CaseFailure::new(
            Fault::Rule,
            format!(
                "{after:.1} s after the command was sent, a process that it started is still running"
            ),
        ))
    }

    /// Whether all of it is gone, now or within this time.
    pub fn has_ended(&mut self, trial: &Trial, within: Duration) -> bool {
        loop {
            match self.read(trial, within) {
                Some(0) => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// How many bytes arrived, 0 at the end; `None` if neither happens in time.
    fn read(&mut self, trial: &Trial, within: Duration) -> Option<usize> {
        let mut time = trial.patience.wait(within);
        loop {
            let left = time.until().saturating_duration_since(Instant::now());
            // Until the command opens the pipe, a read returns the end of the file; but poll waits.
            if wait_readable(&self.pipe, left)
                && let Ok(got) = self.pipe.read(&mut [0; 16])
            {
                return Some(got);
            }
            if time.is_over() {
                return None;
            }
        }
    }
}
