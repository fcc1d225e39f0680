//! Why an experiment could not be carried out.

use stage::StageError;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;
use timeline::{StreamError, TraceError};

/// Something failed before the claim could be tested.
#[derive(Debug)]
pub enum SetupError {
    /// A program did not start, get ready, or end.
    Stage(StageError),
    /// A program ended, but with a failure.
    Failed {
        /// Its label.
        label: String,
        /// "exit code 3".
        how: String,
        /// What it said on stderr.
        said: String,
    },
    /// What a program recorded cannot be read.
    Trace(TraceError),
    /// The programs' recordings contradict each other.
    Recording(StreamError),
    /// The experiment's own end of a connection failed.
    Peer {
        /// What it was doing.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Ctrl-C cannot be caught.
    Signals(io::Error),
    /// The segments can no longer be seen.
    Segments(segments::CaptureError),
    /// Nobody can answer our question.
    Stdin(io::Error),
    /// A picture could not be saved.
    Save {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Nobody reads what we print.
    Stdout(io::Error),
}

impl SetupError {
    /// For `map_err` after something that the experiment itself does on a socket.
    pub fn peer(doing: &'static str) -> impl FnOnce(io::Error) -> SetupError {
        move |source| SetupError::Peer { doing, source }
    }
}

impl Display for SetupError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(error) => error.fmt(f),
            Self::Failed { label, how, said } => write!(f, "{label} ended with {how}; {said}"),
            Self::Trace(error) => error.fmt(f),
            Self::Recording(error) => write!(f, "the recordings do not fit together: {error}"),
            Self::Peer { doing, source } => write!(f, "while {doing}: {source}"),
            Self::Signals(error) => write!(f, "Ctrl-C cannot be caught: {error}"),
            Self::Segments(why) => write!(f, "segments not seen: {why}"),
            Self::Stdin(error) => write!(f, "stdin: {error}"),
            Self::Save { path, source } => write!(f, "could not save {}: {source}", path.display()),
            Self::Stdout(error) => write!(f, "stdout: {error}"),
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stage(error) => Some(error),
            Self::Trace(error) => Some(error),
            Self::Recording(error) => Some(error),
            Self::Peer { source, .. } | Self::Save { source, .. } => Some(source),
            Self::Signals(error) | Self::Stdin(error) | Self::Stdout(error) => Some(error),
            Self::Segments(why) => Some(why),
            Self::Failed { .. } => None,
        }
    }
}

impl From<StageError> for SetupError {
    fn from(error: StageError) -> SetupError {
        SetupError::Stage(error)
    }
}

impl From<TraceError> for SetupError {
    fn from(error: TraceError) -> SetupError {
        SetupError::Trace(error)
    }
}

impl From<StreamError> for SetupError {
    fn from(error: StreamError) -> SetupError {
        SetupError::Recording(error)
    }
}
