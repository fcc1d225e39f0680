//! A line between two networks on one machine, with delay and loss, and with packets that arrive twice or too early.
//!
//! A relay ends each TCP connection: what TCP does while bytes travel (Nagle's algorithm, the delayed ACK, the
//! retransmission) happens on the loopback before the relay, and the relay's delay comes after that. Only packets that
//! really take time show what a network does to a protocol. So this crate makes two networks (network_namespaces(7)), puts
//! a TUN device into each, and carries the packets from one to the other itself:
//!
//! ```text
//!   left, 10.77.0.1                                             right, 10.77.0.2
//!   server ─ TCP ─ TUN device ─┤ relay-link: a Wire each way ├─ TUN device ─ TCP ─ client
//! ```
//!
//! ```no_run
//! use link::{Conditions, End, Link};
//! use std::time::Duration;
//!
//! let link = Link::start(&Conditions { delay: Duration::from_millis(25), ..Conditions::default() })?;
//! let mut client = link.command(End::Right, "tcp-basic-client".as_ref());
//! client.args(["--connect", "10.77.0.1:8888"]).status()?;
//! // Dropping the link ends it. You have to end the programs in it yourself.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Linux only: on other systems, [`Link::start`] says so.

#[cfg(target_os = "linux")]
mod carry;
mod conditions;
mod error;
mod link;
#[cfg(target_os = "linux")]
mod network;
mod wire;

#[cfg(target_os = "linux")]
pub use carry::Carrier;
pub use conditions::Conditions;
pub use error::LinkError;
pub use link::{End, Link, nsenter_options};
#[cfg(target_os = "linux")]
pub use network::Network;
pub use wire::{Counts, Wire};
