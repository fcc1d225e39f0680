//! How far a long work is, for somebody who watches.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Says on stderr how far a work is: nothing in its first second, then a line a second. On a terminal it's always the
/// same line.
#[derive(Debug)]
pub struct Progress {
    what: String,
    all: u64,
    said: Instant,
    shown: bool,
}

/// How often. Writing a line for every 64 KiB would take longer than sending them.
const OFTEN: Duration = Duration::from_secs(1);

impl Progress {
    /// Of `what`, as in `sending a.bin`, with `all` bytes.
    pub fn new(what: String, all: u64) -> Progress {
        Progress { what, all, said: Instant::now(), shown: false }
    }

    /// This many bytes are done.
    pub fn show(&mut self, done: u64) {
        if self.said.elapsed() < OFTEN {
            return;
        }
        (self.said, self.shown) = (Instant::now(), true);
        let percent = done.saturating_mul(100).checked_div(self.all).unwrap_or(100);
        let text = format!("{}: {done} of {} bytes ({percent} %)", self.what, self.all);
        // Whether anybody sees it doesn't matter to the work.
        let mut stderr = io::stderr().lock();
        let _ = match stderr.is_terminal() {
            true => write!(stderr, "\r{text}").and_then(|()| stderr.flush()),
            false => writeln!(stderr, "{text}"),
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && io::stderr().is_terminal() {
            let _ = writeln!(io::stderr());
        }
    }
}
