//! Lines for people: what a program says while it works. They are never waited for.
//!
//! A pipe that nobody reads is full after 64 KiB, and the next write waits until somebody reads. So one unread line
//! could stop a server for everyone. That's why a line that doesn't fit is dropped and counted, and the count is
//! printed as soon as somebody reads again.
//!
//! What a program prints because it was asked to (an answer, a report) isn't such a line: it is
//! written with `write!`, and waited for.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// How long a write waits for a reader that has kept up so far, and how often that may happen. A
/// reader that takes one line at a time would otherwise hold up each of them.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
const SELDOM: Duration = Duration::from_secs(5);

/// From now on this process waits for no reader at all. For one of many processes that share a terminal or a
/// pipe: otherwise each of them would wait.
pub fn never_wait_for_readers() {
    let mut streams = streams();
    let Streams { stdout, stderr } = &mut *streams;
    (stdout.hurried, stderr.hurried) = (true, true);
}

/// How much a pipe that `poll` calls writable accepts without blocking (POSIX: PIPE_BUF).
const AT_ONCE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Prints a line on standard output. If nobody reads, it is dropped and counted.
pub fn say(line: fmt::Arguments<'_>) {
    let mut streams = streams();
    streams.stdout.line(line);
    streams.report();
}

/// As [`say`], for a line that may not be text.
pub fn say_bytes(line: &[u8]) {
    let mut streams = streams();
    streams.stdout.write(&[line, b"\n"].concat());
    streams.report();
}

/// Prints a line on standard error, in the same way.
pub(crate) fn to_stderr(line: fmt::Arguments<'_>) {
    let mut streams = streams();
    streams.stderr.line(line);
    streams.report();
}

/// For the end of a program: says how many lines were dropped, if any.
pub fn say_what_was_dropped() {
    let mut streams = streams();
    streams.stdout.unread = false;
    streams.report();
}

/// The log's way to standard error: each write is a line.
#[derive(Default)]
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut streams = streams();
        streams.stderr.write(line);
        streams.report();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Streams {
    stdout: Stream,
    stderr: Stream,
}

fn streams() -> MutexGuard<'static, Streams> {
    static STREAMS: Mutex<Streams> =
        Mutex::new(Streams { stdout: Stream::new("stdout"), stderr: Stream::new("stderr") });
    STREAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// Says on standard error how many lines were dropped, once that is known.
    fn report(&mut self) {
        if self.stdout.unread && !std::mem::replace(&mut self.stdout.said, true) {
            self.stderr
                .line(format_args!("nobody reads stdout: its lines are dropped, and counted"));
        }
        if let Some(error) = self.stdout.failure.take() {
            self.stderr.line(format_args!("nothing more is said on stdout: {error}"));
        }
        for dropped in [self.stdout.dropped_by_now(), self.stderr.dropped_by_now()] {
            let Some((name, count)) = dropped else { continue };
            let lines = if count == 1 { "line was" } else { "lines were" };
            self.stderr.line(format_args!("{count} {lines} dropped: nobody read {name}"));
        }
    }
}

struct Stream {
    name: &'static str,
    way: Option<Way>,
    /// The last line didn't fit.
    unread: bool,
    /// That was reported.
    said: bool,
    dropped: u64,
    /// The last line was written only in part.
    torn: bool,
    /// Why a line could not be written, until that has been reported; it's reported once.
    failure: Option<io::Error>,
    failed: bool,
    /// When it last waited.
    waited: Option<Instant>,
    hurried: bool,
}

/// How to write without waiting.
enum Way {
    /// Through a non-blocking descriptor of our own. Changing the one we were given would change
    /// it for everybody who shares it, such as the shell that started us.
    Own(File),
    /// Through the one we were given, as long as it is writable. A regular file always is.
    Given,
}

impl Stream {
    const fn new(name: &'static str) -> Stream {
        Stream {
            name,
            way: None,
            unread: false,
            said: false,
            dropped: 0,
            torn: false,
            failure: None,
            failed: false,
            waited: None,
            hurried: false,
        }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        let mut text = String::new();
        // Only a Display that fails could make this fail; what it wrote up to then is printed.
        let _ = writeln!(text, "{line}");
        self.write(text.as_bytes());
    }

    fn write(&mut self, line: &[u8]) {
        let torn = std::mem::take(&mut self.torn);
        let line = if torn { [b"\n", line].concat() } else { line.to_vec() };
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            match self.write_some(&rest[..rest.len().min(AT_ONCE)]) {
                Ok(0) => break,
                Ok(took) => rest = &rest[took..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // A closed stdout is not an error here: nobody can read it. A full disk is an error.
                Err(error) => {
                    let closed = [ErrorKind::BrokenPipe, ErrorKind::NotConnected];
                    let is_news = !closed.contains(&error.kind()) && !self.failed;
                    if is_news {
                        self.failed = true;
                        self.failure = Some(error);
                    }
                    return;
                }
            }
        }
        self.unread = !rest.is_empty();
        self.dropped += u64::from(self.unread);
        self.torn = self.unread && (torn || rest.len() < line.len());
    }

    /// What was dropped, once there is room again.
    fn dropped_by_now(&mut self) -> Option<(&'static str, u64)> {
        if self.unread {
            return None;
        }
        self.said = false;
        let count = std::mem::take(&mut self.dropped);
        (count > 0).then_some((self.name, count))
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let waited = self.waited.is_some_and(|at| at.elapsed() < SELDOM);
        let patience =
            if self.unread || self.hurried || waited { Timespec::default() } else { PATIENCE };
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let given = if self.name == "stdout" { stdout.as_fd() } else { stderr.as_fd() };
        match self.way.get_or_insert_with(|| Way::to(given)) {
            Way::Own(file) => match file.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waited = Some(Instant::now());
                    wait(file.as_fd(), &patience)?;
                    file.write(bytes)
                }
                wrote => wrote,
            },
            Way::Given => {
                if wait(given, &Timespec::default()).is_err() {
                    self.waited = Some(Instant::now());
                    wait(given, &patience)?;
                }
                Ok(rustix::io::write(given, bytes)?)
            }
        }
    }
}

impl Way {
    fn to(given: BorrowedFd<'_>) -> Way {
        // By this name Linux opens a pipe or a terminal again. A regular file would then be written from
        // its beginning, and it never blocks anyway.
        let name = format!("/proc/self/fd/{}", rustix::fd::AsRawFd::as_raw_fd(&given));
        let is_pipe = || std::fs::metadata(&name).is_ok_and(|file| file.file_type().is_fifo());
        if !given.is_terminal() && !is_pipe() {
            return Way::Given;
        }
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let own = OpenOptions::new().write(true).custom_flags(flags).open(name);
        own.map_or(Way::Given, Way::Own)
    }
}

/// Waits until there is room.
fn wait(fd: BorrowedFd<'_>, patience: &Timespec) -> io::Result<()> {
    match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], Some(patience))? {
        0 => Err(ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}
