//! What a client shows of an answer.

use std::io::{self, Write};

use proto::json::{Header, Status};

/// An answer: the command's output, and what else the protocol says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the command wrote.
    pub body: Vec<u8>,
    /// Lines to show to the user after it.
    pub remarks: Vec<String>,
}

impl Answer {
    /// Prints the body on stdout, the bytes unchanged, and the remarks on stderr.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&self.body)?;
        stdout.flush()?;
        for remark in &self.remarks {
            let _ = writeln!(io::stderr(), "{remark}");
        }
        Ok(())
    }
}

impl From<Vec<u8>> for Answer {
    fn from(body: Vec<u8>) -> Answer {
        Answer { body, remarks: Vec::new() }
    }
}

/// What the header says beyond the length, if it's worth mentioning. An old server says nothing.
impl From<(Header, Vec<u8>)> for Answer {
    fn from((header, body): (Header, Vec<u8>)) -> Answer {
        let status = match header.status {
            None | Some(Status::Exit(0)) => None,
            Some(Status::Exit(code)) => Some(format!("the command ended with exit code {code}")),
            Some(Status::Signal { signal }) => Some(format!("signal {signal} ended the command")),
        };
        let timed_out = header.timed_out == Some(true);
        let truncated = header.truncated == Some(true);
        let remarks = [
            timed_out.then(|| "its time was up".to_owned()),
            truncated.then(|| "it said more than the server keeps".to_owned()),
            status,
        ];
        Answer { body, remarks: remarks.into_iter().flatten().collect() }
    }
}
