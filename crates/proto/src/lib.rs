//! What a client and its server must agree on: addresses, messages, frames.
//!
//! A TCP stream carries bytes, not messages. Where one message ends and the next begins is
//! something the two programs agree on and write into the bytes themselves. This crate holds the
//! agreements of the course. Two of them send no length:
//!
//! | module | on the wire | where a message ends |
//! |---|---|---|
//! | [`fixed`] | the bytes, filled up with zero bytes | after the same number of bytes, always |
//! | [`lines`] | the bytes, escaped · a line feed | at the line feed |
//!
//! and three send one:
//!
//! | module | on the wire | where the length ends |
//! |---|---|---|
//! | [`ack`] | the length as decimal text · the peer's `OK` · the bytes | where one `recv` happened to stop, which is *not* a boundary |
//! | [`prefix`] | the length as a 32-bit integer · the bytes | after 4 bytes |
//! | [`json`] | a length-prefixed JSON object with `data_len` · the bytes | at the end of the object, which has its own length in front |
//!
//! Each module has a [`Framing`] that finds messages in a stream, and either an `encode` that returns the bytes of a
//! message or an `encode_head` that returns the bytes to send before a body. Requests are framed or raw: see
//! [`request`]. The addresses are in [`agreed`].
//!
//! **Bytes in, bytes out.** There is no socket in here, no clock and no thread: the `clippy.toml` of
//! this crate forbids them. That lets the tests try every way to cut a short stream, in memory, in a
//! few seconds. And the same decoder works in a blocking program, in an event loop and in a browser
//! (the crate builds for `wasm32-unknown-unknown`).
//!
//! Start with [`Decoder`], which is the whole idea. [`Outgoing`] is its counterpart for sending.

pub mod ack;
pub mod agreed;
mod decoder;
mod error;
pub mod fixed;
mod io;
pub mod json;
pub mod lines;
pub mod prefix;
pub mod request;

pub use decoder::{Decoder, Frame, Framing, Parsed};
pub use error::{EncodeError, FrameError, Part, Progress};
pub use io::{Outgoing, ReadError};

/// The longest body that is accepted unless a program is told otherwise: 16 MiB.
///
/// Four bytes can promise 2 GiB. If you believe the promise, a stranger decides how much memory you use.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;
