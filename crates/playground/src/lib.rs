//! What the playground in the book shows: a stream played in memory, or one that was recorded.
//!
//! You choose the messages, the framing, how the network cuts the stream, and how much each `recv` takes. [`answer`] plays
//! this, and returns every call, drawn by `timeline`, and what the decoder made of each `recv`. The decoder is the one in
//! `proto` that the servers use. Nothing here has a socket, so the page needs no server: the same code runs in the
//! browser, as WebAssembly.
//!
//! ```
//! let question = r#"{"play": {"messages": "hello\nhi", "framing": "none", "cut": "*", "reads": "1024"}}"#;
//! let answer = playground::answer(question);
//! assert!(answer.contains("hellohi"));
//! ```

mod cut;
mod decoding;
mod framing;
mod messages;
mod play;
mod question;
mod receiver;
mod replay;
mod shown;

pub use question::answer;
