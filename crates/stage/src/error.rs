//! What can go wrong with a program, with everything that you need to understand a failed test.

use crate::{Line, Stream};
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A program that did not start, did not get ready, did not end, or is not there.
#[derive(Debug)]
pub enum StageError {
    /// The program could not be started.
    Start {
        /// The command, as typed.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// [`end_all`](crate::end_all) has been called: nothing more starts.
    Ending,
    /// The program ended before it did what was awaited.
    Ended {
        /// The program's label.
        label: String,
        /// What was awaited.
        waiting_for: String,
        /// How it ended: "exit code 3", "signal 9".
        how: String,
        /// What it had said.
        said: Vec<Line>,
    },
    /// The program did not do what was awaited in time.
    TimedOut {
        /// The program's label.
        label: String,
        /// What was awaited.
        waiting_for: String,
        /// How long.
        within: Duration,
        /// What it had said.
        said: Vec<Line>,
    },
    /// The program printed more than it may (256 MiB, or its own limit): it has run away, and its pipe was closed.
    TooMuch {
        /// The program's label.
        label: String,
    },
    /// The program did not take its input.
    Stdin {
        /// The program's label.
        label: String,
        /// Why not: closed, or full for ten seconds.
        source: io::Error,
        /// What it had said.
        said: Vec<Line>,
    },
    /// A program of the workspace has not been built.
    NotBuilt {
        /// Its name.
        name: String,
        /// Where it should be.
        looked: Vec<PathBuf>,
    },
    /// The temporary directory could not be made.
    Scratch {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Display for StageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { command, source } => write!(f, "could not start {command}: {source}"),
            Self::Ending => write!(f, "the run is being ended: no more programs start"),
            Self::Ended { label, waiting_for, how, said } => {
                write!(f, "{label} ended ({how}) while we waited for {waiting_for}{}", Said(said))
            }
            Self::TimedOut { label, waiting_for, within, said } => {
                write!(f, "{label}: no {waiting_for} within {within:?}{}", Said(said))
            }
            Self::TooMuch { label } => {
                write!(f, "{label} said more than we keep of it: it has run away")
            }
            Self::Stdin { label, source, said } => {
                write!(f, "{label} takes no input: {source}{}", Said(said))
            }
            Self::NotBuilt { name, looked } => {
                write!(f, "{name} is not built: run cargo build --bins (looked for")?;
                looked.iter().try_for_each(|path| write!(f, " {}", path.display()))?;
                write!(f, ")")
            }
            Self::Scratch { path, source } => {
                write!(f, "could not make the temporary directory {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for StageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { source, .. }
            | Self::Stdin { source, .. }
            | Self::Scratch { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The end of what a program said, one line below the other.
struct Said<'a>(&'a [Line]);

impl Said<'_> {
    /// The cause of a failure is nearly always in the last lines.
    const LAST: usize = 40;
}

impl Display for Said<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Said(lines) = self;
        if lines.is_empty() {
            return write!(f, "; it said nothing");
        }
        let left_out = lines.len().saturating_sub(Self::LAST);
        write!(f, "; it said:")?;
        if left_out > 0 {
            write!(f, "\n  ({left_out} lines before)")?;
        }
        for line in &lines[left_out..] {
            let stream = match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            write!(f, "\n  {stream} | {}", String::from_utf8_lossy(&line.text))?;
        }
        Ok(())
    }
}
