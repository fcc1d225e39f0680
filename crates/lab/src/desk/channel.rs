//! The line between the grader and a check that it has started.
//!
//! The check protects itself from all other programs of its user (`forbid_inspection`), says that it is ready, and
//! waits. Only then does the grader let a submission's program run, so no program can have looked into the check
//! before. The report comes back on the same line.
//!
//! The line is a pair of Unix sockets. A pipe or a file could be opened a second time through `/proc/PID/fd`. A socket
//! can't (proc(5)), and only a process that may trace this one could take its descriptor (pidfd_getfd(2)).

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, stdin};

use crate::verdict::Report;

/// What the check says when no other program can look into it any more.
const READY: u8 = b'r';
/// What the grader says when the check may begin.
const GO: u8 = b'g';

/// A check's end of the line.
pub struct ToGrader(UnixStream);

impl ToGrader {
    /// Takes the line from standard input and puts `/dev/null` in its place, so that no program that we start gets the
    /// line.
    ///
    /// # Errors
    /// When standard input is closed, or `/dev/null` cannot be opened.
    pub fn from_stdin() -> io::Result<ToGrader> {
        let line = fcntl_dupfd_cloexec(stdin(), 3)?;
        dup2_stdin(File::open("/dev/null")?)?;
        Ok(ToGrader(UnixStream::from(line)))
    }

    /// Says that no other program can look into this process any more, and waits for permission to begin. `false`: the
    /// grader is gone.
    ///
    /// # Errors
    /// When standard input isn't a line to a grader.
    pub fn wait(&mut self) -> io::Result<bool> {
        self.0.write_all(&[READY])?;
        let mut word = [0];
        Ok(self.0.read(&mut word)? == 1 && word == [GO])
    }

    /// Hands in the report.
    ///
    /// # Errors
    /// When the grader is gone.
    pub fn send(mut self, report: &Report) -> io::Result<()> {
        self.0.write_all(&serde_json::to_vec(report)?)?;
        self.0.shutdown(Shutdown::Write)
    }
}

/// The grader's end of the line.
pub(crate) struct ToCheck(UnixStream);

impl ToCheck {
    /// The line: our end, and the end that will be the check's standard input.
    pub fn new() -> io::Result<(ToCheck, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((ToCheck(ours), theirs.into()))
    }

    /// Waits until the check says that it is ready.
    pub fn ready(&mut self, deadline: Instant) -> io::Result<bool> {
        let mut word = [0];
        Ok(self.read(&mut word, deadline)? == 1 && word == [READY])
    }

    /// Lets the check begin.
    pub fn go(&mut self) -> io::Result<()> {
        self.0.write_all(&[GO])
    }

    /// Everything the check hands in, up to `most` bytes.
    pub fn report(&mut self, most: usize, deadline: Instant) -> io::Result<Vec<u8>> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            match self.read(&mut buffer, deadline)? {
                0 => return Ok(all),
                got => all.extend_from_slice(&buffer[..got]),
            }
            if all.len() > most {
                return Err(io::Error::new(ErrorKind::FileTooLarge, "the report has no end"));
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        loop {
            // A timeout of zero would mean no timeout.
            let left = deadline.saturating_duration_since(Instant::now());
            self.0.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The check was killed before it had read all our bytes. That ends the line, too.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if Instant::now() >= deadline {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                result => return result,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> (ToCheck, ToGrader) {
        let (ours, theirs) = ToCheck::new().unwrap();
        (ours, ToGrader(theirs.into()))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn a_check_begins_when_it_is_let_go_and_not_before() {
        let (mut grader, mut check) = line();
        let waiting = std::thread::spawn(move || check.wait().unwrap());
        assert!(grader.ready(soon()).unwrap());
        assert!(!waiting.is_finished());
        grader.go().unwrap();
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_check_whose_grader_has_gone_does_not_begin() {
        let (mut grader, mut check) = line();
        let waiting = std::thread::spawn(move || check.wait().unwrap());
        assert!(grader.ready(soon()).unwrap());
        drop(grader);
        assert!(!waiting.join().unwrap());
    }

    #[test]
    fn a_check_that_ends_or_says_something_else_is_not_ready() {
        let (mut grader, check) = line();
        drop(check);
        assert!(!grader.ready(soon()).unwrap());
        let (mut grader, mut check) = line();
        check.0.write_all(b"x").unwrap();
        assert!(!grader.ready(soon()).unwrap());
    }

    #[test]
    fn the_report_is_all_that_came_until_the_end() {
        let (mut grader, check) = line();
        let report = Report { lab: "echo".into(), seed: 1, cases: Vec::new(), seconds: 0.5 };
        check.send(&report).unwrap();
        let bytes = grader.report(1000, soon()).unwrap();
        assert_eq!(serde_json::from_slice::<Report>(&bytes).unwrap(), report);
    }

    #[test]
    fn a_report_without_end_and_one_that_does_not_come_are_errors() {
        let (mut grader, mut check) = line();
        check.0.write_all(&[b' '; 1001]).unwrap();
        assert_eq!(grader.report(1000, soon()).unwrap_err().kind(), ErrorKind::FileTooLarge);
        let (mut grader, mut check) = line();
        check.0.write_all(&[b' '; 1000]).unwrap();
        drop(check);
        assert_eq!(grader.report(1000, soon()).unwrap().len(), 1000);
        let (mut grader, _check) = line();
        let over = Instant::now();
        assert_eq!(grader.report(1000, over).unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
