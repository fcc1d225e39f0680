//! Why there is no link.

use stage::StageError;
use std::fmt::{self, Display, Formatter};
use std::io;

/// Why there is no link.
#[derive(Debug)]
pub enum LinkError {
    /// We can't have a network of our own: see [`segments::CaptureError`].
    Network(segments::CaptureError),
    /// A device could not be made.
    Device(io::Error),
    /// A command that prepares one of the networks failed.
    Prepare {
        /// The command.
        command: String,
        /// What it said.
        said: String,
    },
    /// A system call failed.
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The program relay-link does not run.
    Program(StageError),
    /// The program relay-link ran and refused.
    Refused {
        /// What it said.
        said: String,
    },
}

impl LinkError {
    /// For `map_err` after a system call.
    #[cfg(target_os = "linux")]
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> LinkError {
        move |error| LinkError::System { doing, error }
    }
}

impl Display for LinkError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Network(why) => write!(f, "{why}"),
            LinkError::Device(error) => {
                write!(f, "cannot make a TUN device: {error}")?;
                match error.kind() {
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("; only root may open /dev/net/tun here: try sudo")
                    }
                    io::ErrorKind::NotFound => {
                        f.write_str("; there is no /dev/net/tun: try sudo modprobe tun")
                    }
                    _ => Ok(()),
                }
            }
            LinkError::Prepare { command, said } => write!(f, "{command}: {said}"),
            LinkError::System { doing, error } => write!(f, "{doing}: {error}"),
            LinkError::Program(error) => write!(f, "{error}"),
            LinkError::Refused { said } => f.write_str(said),
        }
    }
}

impl std::error::Error for LinkError {}
