//! Why a relay cannot start.

use std::fmt::{self, Display};
use std::io;

use crate::Endpoint;

/// Why a relay cannot start. What goes wrong with one connection later is a line in the log.
#[derive(Debug)]
pub enum RelayError {
    /// The address to listen on cannot be had.
    Listen {
        /// The address.
        address: Endpoint,
        /// What the system said.
        error: io::Error,
    },
    /// No pipe or thread left.
    Start(io::Error),
    /// Streams have no datagrams to drop, and datagrams no stream to cut.
    Unfit {
        /// What is relayed: streams or datagrams.
        relayed: &'static str,
        /// The words of the schedule that do not fit.
        words: String,
    },
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
            RelayError::Unfit { relayed, words } => write!(
                f,
                "{words}: not for {relayed}; with --udp there are drop, duplicate and reorder, without it all the others"
            ),
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
            RelayError::Unfit { .. } | RelayError::NoPath(_) => None,
        }
    }
}
