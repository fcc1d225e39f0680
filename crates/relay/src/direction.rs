//! The two directions of a connection, and which of them a schedule applies to.

use std::fmt::{self, Display};
use std::str::FromStr;

use crate::parse::NotASchedule;

/// Where the bytes of one direction go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// What the client sends.
    Server,
    /// What the server answers.
    Client,
}

/// Which directions a schedule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server answers.
    ToClient,
    /// Both, each counted on its own.
    #[default]
    Both,
}

impl Direction {
    /// Whether it covers what travels to this destination.
    pub fn covers(self, toward: Destination) -> bool {
        match self {
            Direction::ToServer => toward == Destination::Server,
            Direction::ToClient => toward == Destination::Client,
            Direction::Both => true,
        }
    }
}

impl Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::ToServer => "to-server",
            Direction::ToClient => "to-client",
            Direction::Both => "both",
        })
    }
}

impl FromStr for Direction {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Direction, NotASchedule> {
        let all = [Direction::ToServer, Direction::ToClient, Direction::Both];
        let wrong = || {
            NotASchedule(format!("direction: expected to-server, to-client or both, not {text:?}"))
        };
        all.into_iter().find(|direction| direction.to_string() == text).ok_or_else(wrong)
    }
}
