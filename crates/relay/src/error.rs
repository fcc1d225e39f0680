//! Why a relay cannot start.

use std::fmt::{self, Display};
use std::io;

use crate::Endpoint;

/// Why a relay cannot start. What goes wrong with one connection later is a line in the log.
#[derive(Debug)]
pub enum RelayError {
    /// The relay cannot listen on this address.
    Listen {
        /// The address.
        address: Endpoint,
        /// What the system said.
        error: io::Error,
    },
    /// No pipe or thread left.
    Start(io::Error),
    /// A relay of streams: these words of the schedule are for datagrams.
    NeedUdp(Vec<String>),
    /// A relay of datagrams: these words of the schedule are for streams.
    NotForUdp(Vec<String>),
    /// Datagrams are relayed between IP addresses only.
    NoPath(Endpoint),
}

impl Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RelayError::Listen { address, error } => {
                write!(f, "cannot listen on {address}: {error}")
            }
            RelayError::Start(error) => write!(f, "cannot start the relay: {error}"),
            RelayError::NeedUdp(words) => {
                let verb = if words.len() == 1 { "needs" } else { "need" };
                write!(
                    f,
                    "{} {verb} --udp: a stream loses, doubles and reorders nothing",
                    options(words)
                )
            }
            RelayError::NotForUdp(words) => {
                let verb = if words.len() == 1 { "is" } else { "are" };
                write!(
                    f,
                    "{} {verb} not for --udp: try --drop, --duplicate or --reorder",
                    options(words)
                )
            }
            RelayError::NoPath(address) => {
                write!(
                    f,
                    "{address}: datagrams are relayed between IP addresses only, such as 127.0.0.1:8888"
                )
            }
        }
    }
}

impl std::error::Error for RelayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RelayError::Listen { error, .. } | RelayError::Start(error) => Some(error),
            RelayError::NeedUdp(_) | RelayError::NotForUdp(_) | RelayError::NoPath(_) => None,
        }
    }
}

/// The words as you type them: `--cut, --delay` for `cut=1` and `delay=2`.
fn options(words: &[String]) -> String {
    let name = |word: &String| format!("--{}", word.split('=').next().unwrap_or_default());
    words.iter().map(name).collect::<Vec<_>>().join(", ")
}
