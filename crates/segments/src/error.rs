//! Why segments cannot be captured here.

use std::fmt::{self, Display, Formatter};
use std::io;

/// Why segments cannot be captured. The run can go on without them: print `segments not seen: {why}`.
#[derive(Debug)]
pub enum CaptureError {
    /// Namespaces and packet sockets are Linux's.
    NotLinux,
    /// A program that is needed is not installed.
    Missing {
        /// Its name.
        program: &'static str,
        /// The package that usually has it.
        package: &'static str,
    },
    /// The system does not let this user make a network namespace.
    Forbidden {
        /// Its message.
        said: String,
    },
    /// [`Capture::start`](crate::Capture::start) outside: there it would record other programs' traffic.
    Outside,
    /// A system call failed.
    System {
        /// What was being done.
        doing: &'static str,
        /// The system's error.
        error: io::Error,
    },
}

impl CaptureError {
    /// For `map_err` after a system call.
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> CaptureError {
        move |error| CaptureError::System { doing, error }
    }
}

impl Display for CaptureError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            CaptureError::NotLinux => f.write_str("this is not Linux"),
            CaptureError::Missing { program, package } => {
                write!(f, "there is no program {program}: install the package {package}")
            }
            CaptureError::Forbidden { said } => {
                write!(f, "this system does not let you make a network of your own ({said}); ")?;
                f.write_str(match rustix::process::geteuid().is_root() {
                    true => "you are root, but without that right, as in most containers",
                    false => "root can: try sudo",
                })
            }
            CaptureError::Outside => f.write_str(
                "this is not the run's own network, and the traffic of others is not recorded",
            ),
            CaptureError::System { doing, error } => write!(f, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for CaptureError {}
