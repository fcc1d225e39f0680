//! The result of a command, and what an answer says about it.

use proto::json::{Header, Status};

use crate::permit::MAX_RUNNING;

/// What a command wrote, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// All it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to its standard error; or one line that says why it could not be run.
    pub stderr: Vec<u8>,
    /// How the shell ended: [`Status::Signal`] with 9 if it was killed at a limit. As in a shell, 126 and 127 also mean
    /// that the command could not be run. `None`: it could not be killed.
    pub status: Option<Status>,
    /// It wrote more than [`Limits::max_output`](crate::Limits::max_output): the first part is here.
    pub truncated: bool,
    /// It ran longer than [`Limits::timeout`](crate::Limits::timeout): its output up to then is here.
    pub timed_out: bool,
}

impl Output {
    /// How many bytes it wrote, stdout and stderr together.
    pub fn total(&self) -> usize {
        self.stdout.len() + self.stderr.len()
    }

    /// What the JSON header says about it.
    pub fn header(&self) -> Header {
        Header {
            data_len: self.total(),
            status: self.status,
            stdout_len: Some(self.stdout.len()),
            truncated: Some(self.truncated),
            timed_out: Some(self.timed_out),
        }
    }

    /// For a command that doesn't run because too many others do.
    pub fn busy() -> Output {
        let why = format!("busy: {MAX_RUNNING} commands are running; try again in a moment");
        Output::not_run(126, &why)
    }

    /// For a command that doesn't run: why, in one line. A shell returns 126 if it may not run the command, and 127 if the
    /// command doesn't exist.
    pub fn not_run(code: i32, why: &str) -> Output {
        let stderr = format!("{why}\n").into_bytes();
        Output { stderr, status: Some(Status::Exit(code)), ..Output::default() }
    }

    /// For protocols without a header: adds a last line that says so if the answer was cut short.
    pub fn with_remark(mut self) -> Output {
        let remarks = [
            (self.timed_out, "timed out: the command was killed; this is its output up to then"),
            (
                self.truncated,
                "truncated: the command wrote too much and was killed; this is the first part",
            ),
        ];
        for (_, remark) in remarks.iter().filter(|(applies, _)| *applies) {
            add_line(&mut self.stderr, &self.stdout, remark);
        }
        self
    }
}

/// Adds a line of our own below the command's output.
pub(crate) fn add_line(stderr: &mut Vec<u8>, stdout: &[u8], line: &str) {
    let last = stderr.last().or(stdout.last());
    if last.is_some_and(|byte| *byte != b'\n') {
        stderr.push(b'\n');
    }
    stderr.extend_from_slice(format!("{line}\n").as_bytes());
}

impl Default for Output {
    /// No output, and exit code 0.
    fn default() -> Output {
        Output {
            stdout: Vec::new(),
            stderr: Vec::new(),
            status: Some(Status::default()),
            truncated: false,
            timed_out: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str, stderr: &str, timed_out: bool, truncated: bool) -> Output {
        let [stdout, stderr] = [stdout, stderr].map(|text| text.as_bytes().to_vec());
        Output { stdout, stderr, timed_out, truncated, ..Output::default() }
    }

    #[test]
    fn a_header_says_all_that_is_known() {
        let half = output("out", "error", true, false);
        assert_eq!(half.total(), 8);
        let header = half.header();
        assert_eq!((header.data_len, header.stdout_len), (8, Some(3)));
        assert_eq!((header.timed_out, header.truncated), (Some(true), Some(false)));
        assert_eq!(header.status, Some(Status::Exit(0)));
        let survivor = Output { status: None, ..output("", "", false, true) };
        assert_eq!((survivor.header().status, survivor.header().truncated), (None, Some(true)));
    }

    #[test]
    fn without_a_header_an_answer_that_is_cut_short_says_so_in_a_last_line() {
        for (stdout, stderr, begins) in [
            ("half", "", "\ntimed out: "),
            ("whole\n", "", "timed out: "),
            ("half", "error\n", "error\ntimed out: "),
            ("whole\n", "err", "err\ntimed out: "),
            ("", "", "timed out: "),
        ] {
            let said = output(stdout, stderr, true, false).with_remark();
            assert_eq!(said.stdout, stdout.as_bytes());
            let stderr = String::from_utf8(said.stderr).unwrap();
            assert!(stderr.starts_with(begins) && stderr.ends_with('\n'), "{stderr:?}");
        }
        let said = output("", "", false, true).with_remark();
        assert!(said.stderr.starts_with(b"truncated: "));
        let whole = output("out", "err", false, false);
        assert_eq!(whole.clone().with_remark(), whole);
    }
}
