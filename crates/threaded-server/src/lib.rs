//! A small socketserver: many clients at once, in five ways, around one handler.
//!
//! Like Python's `socketserver`, this crate separates two things: what is done with a request (a
//! [`Handler`], written once) and who does it (a model, chosen when the server starts):
//!
//! | model | Python | a connection gets |
//! |---|---|---|
//! | [`serial`] | `TCPServer` | its turn, when the previous one has ended |
//! | [`threads`] | `ThreadingTCPServer` | a thread |
//! | [`pool`] | | one of 64 threads that are already running, or a place in the queue |
//! | [`processes`] | `ForkingTCPServer` | a process |
//! | [`events`] | the `selectors` module | a place in one thread's list; only commands get threads |
//!
//! Each model's file begins with its accept loop: what it does with the accepted connection *is* the model. The first
//! four then run the same loop over the connection (`connection.rs`). The last has no such loop, only a decoder
//! for each connection that remembers how far it has got.
//!
//! A handler of your own, for a server that shouts back:
//!
//! ```
//! use proto::json::Status;
//! use shell::{Output, Peer, PeerGone};
//! use threaded_server::{Handler, Reply};
//!
//! struct Shout;
//!
//! impl Handler for Shout {
//!     type Session = usize; // how many requests this client has made
//!     const WAITS: bool = false;
//!
//!     fn setup(&self, _peer: &Peer<'_>) -> Result<usize, Output> {
//!         Ok(0)
//!     }
//!
//!     fn handle(&self, asked: &mut usize, request: &[u8], _: &Peer<'_>) -> Result<Reply, PeerGone> {
//!         *asked += 1;
//!         let stdout = request.to_ascii_uppercase();
//!         let output = Output { stdout, ..Output::default() };
//!         Ok(Reply { output, last: *asked == 3 })
//!     }
//! }
//! ```

mod connection;
mod connections;
pub mod events;
mod handler;
pub mod limits;
pub mod pool;
pub mod processes;
pub mod serial;
pub mod threads;

pub use handler::{Handler, Reply, Service};
