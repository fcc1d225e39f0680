//! A relay to put between any client and any server. It makes the network as unkind as the standard
//! allows, and can repeat exactly what it did.
//!
//! TCP promises the bytes, in order. It doesn't promise how many of them one `recv` returns, how
//! soon, or that the connection survives. Loopback is kind: it delivers short messages whole and at
//! once, so wrong programs look right. With a relay in between they don't.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use relay::Relay;
//!
//! let server = TcpListener::bind("127.0.0.1:0")?;
//! let anywhere: std::net::SocketAddr = "127.0.0.1:0".parse()?;
//! let relay = Relay::start(anywhere, server.local_addr()?, "cut=2,*".parse()?)?;
//!
//! let mut client = TcpStream::connect(relay.address().to_string())?;
//! client.write_all(b"hello")?;
//! let (mut conn, _) = server.accept()?;
//! let mut buffer = [0; 100];
//! assert_eq!(conn.read(&mut buffer)?, 2);
//! assert_eq!(conn.read(&mut buffer)?, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Schedule`]: what happens to the bytes, as a value that prints and parses.
//! - [`Plan`]: the decisions that follow from it for one direction of one connection, without a
//!   socket or a clock; [`DatagramFates`]: the same for datagrams.
//! - [`Relay`]: does it to real connections.

mod amount;
mod close;
mod cut;
mod datagram_fate;
mod direction;
mod endpoint;
mod error;
mod faults;
mod flow;
mod listen;
mod mappings;
mod parse;
mod peer_check;
mod plan;
mod poll;
mod queue;
mod random;
mod reader;
mod relay;
mod schedule;
mod splice;
mod tcp;
mod udp;

pub use amount::{Chance, Delay, Millis};
pub use cut::Cut;
pub use datagram_fate::{DatagramFate, DatagramFates};
pub use direction::{Destination, Direction};
pub use endpoint::Endpoint;
pub use error::RelayError;
pub use faults::Faults;
pub use parse::NotASchedule;
pub use peer_check::PeerCheck;
pub use plan::{Decision, Plan};
pub use random::Random;
pub use relay::Relay;
pub use schedule::Schedule;
