//! What a client and its server must agree on: addresses, messages, frames.
//!
//! A TCP stream carries bytes, not messages. Where one message ends and the next begins is
//! something the two programs agree on and write into the bytes themselves. This crate holds the
//! three agreements of the course, each with an encoder and a decoder:
//!
//! | module | on the wire | a message ends |
//! |---|---|---|
//! | [`ack`] | the length as decimal text · the peer's `OK` · the bytes | where one `recv` happened to stop: it is *not* a boundary |
//! | [`prefix`] | the length as a 32-bit integer · the bytes | after that many bytes |
//! | [`json`] | a length-prefixed JSON object with `data_len` · the bytes | after `data_len` bytes |
//!
//! **Bytes in, bytes out.** There is no socket in here, no clock and no thread: `clippy.toml` beside
//! this crate's manifest refuses them. So every way a network can cut a stream is tried in memory,
//! in milliseconds, and the same decoder serves a blocking program, an event loop and a browser
//! (the crate builds for `wasm32-unknown-unknown`).
//!
//! Requests go framed or raw, see [`request`]; [`agreed`] has the addresses and the fixed messages.
//!
//! Start with [`Decoder`], which is the whole idea. [`Outgoing`] is its counterpart: a message on its way out.

pub mod ack;
pub mod agreed;
mod decoder;
mod error;
mod io;
pub mod json;
pub mod prefix;
pub mod request;

pub use decoder::{Decoder, Frame, Framing, Parsed};
pub use error::{EncodeError, FrameError, Part};
pub use io::{Outgoing, ReadError};

/// The longest body that is accepted unless a program is told otherwise: 16 MiB.
///
/// Four bytes can promise 2 GiB. Whoever believes a promise allocates what a stranger asks for.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;
