//! One case being played: the student's program, its hostile peers, the network between them, and the time they have.

mod connect;
mod connection;
mod data;
mod datagram;
mod dial;
mod exit;
mod network;
mod patience;
mod peer;
mod port;
mod ready;
mod recording;
mod signals;
mod start;
mod steps;
mod student;
mod submission;
mod trial;
mod turn;
mod waits;
mod watch;

pub(crate) use connection::{Connection, wait_readable};
pub use datagram::{DatagramPeer, LARGEST_DATAGRAM};
pub(crate) use dial::{Buffers, dial};
pub(crate) use exit::not_crashed;
pub(crate) use patience::Patience;
pub use patience::{PATIENCE, START_TIMEOUT};
pub use peer::Peer;
pub use recording::Form;
pub(crate) use recording::SharedRecording;
pub(crate) use student::last_lines;
pub use submission::{Submission, startable};
pub use trial::Trial;
pub(crate) use watch::watched;
