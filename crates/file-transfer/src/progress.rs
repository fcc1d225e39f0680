//! How far a long work is, for somebody who watches.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

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
    pub fn new(what: &str, all: u64) -> Progress {
        Progress { what: columns::visible(what), all, said: Instant::now(), shown: false }
    }

    /// This many bytes are done.
    pub fn show(&mut self, done: u64) {
        if self.said.elapsed() < OFTEN {
            return;
        }
        (self.said, self.shown) = (Instant::now(), true);
        let percent = done.saturating_mul(100).checked_div(self.all).unwrap_or(100);
        let text = format!("{}: {done} of {} bytes ({percent} %)", self.what, self.all);
        match io::stderr().is_terminal() {
            true => write(&format!("\r{text}")),
            false => write(&format!("{text}\n")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && io::stderr().is_terminal() {
            write("\n");
        }
    }
}

/// Whether anybody sees it doesn't matter to the work. So it isn't waited for: where nobody reads, the pipe is full after
/// 64 KiB, and what doesn't fit is left out. The next line says all of it.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let room = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&Timespec::default()));
    if room == Ok(1) {
        let _ = stderr.write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_paint_on_the_terminal() {
        assert_eq!(Progress::new("sending \u{1b}[31m", 1).what, r"sending \u{1b}[31m");
    }
}
