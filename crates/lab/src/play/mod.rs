//! One case being played: the student's program, its hostile peers, the network between them, and the time they have.

mod afterwards;
mod connection;
mod data;
mod datagram;
mod network;
mod patience;
mod peer;
mod port;
mod ready;
mod recording;
mod signals;
mod student;
mod submission;
mod trial;
mod turn;
mod waits;

pub(crate) use afterwards::not_crashed;
pub(crate) use connection::{Connection, wait_readable};
pub use datagram::{DatagramPeer, LARGEST};
pub(crate) use network::{Buffers, dial};
pub(crate) use patience::Patience;
pub use patience::{PATIENCE, READY};
pub use peer::Peer;
pub(crate) use student::last_lines;
pub use submission::{Submission, startable};
pub(crate) use trial::Recorded;
pub use trial::Trial;
