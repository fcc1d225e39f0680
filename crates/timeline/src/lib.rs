//! Draws what programs recorded of a byte stream: who sent which bytes with which call, and which call took them.
//!
//! ```
//! # let event = |call: &str, dir: &str, offset, data: &[u8]| event::Event {
//! #     call: call.to_owned(),
//! #     dir: Some(dir.to_owned()),
//! #     got: Some(data.len() as u64),
//! #     offset: Some(offset),
//! #     data: Some(data.to_vec()),
//! #     ..event::Event::default()
//! # };
//! # let client = [event("send", "out", 0, b"hello"), event("send", "out", 5, b"hi")];
//! # let server = [event("recv", "in", 0, b"he"), event("recv", "in", 2, b"llohi")];
//! let stream = timeline::Stream::from_events(&client, &server)?.between("client", "server");
//! assert_eq!(stream.text(80), "\
//! offset       0  2   5  7
//!              ┌──────┬──┐
//! client send  │he╎llo│hi│
//!              ├──┬───┴──┤
//! server recv  │he│llo╎hi│
//!              └──┴──────┘
//!              recv 1: the first 2 of 5 bytes of message 1 \"hello\"
//!              recv 2: 5 bytes = the last 3 of 5 bytes of message 1 \"hello\" +
//!                      message 2 \"hi\", glued
//! ");
//! assert!(stream.reads()[1].glued());
//! # Ok::<(), timeline::StreamError>(())
//! ```
//!
//! A box is a call. Each column is a stretch of the stream, the same bytes in both lanes; a solid edge is where a call
//! of that lane begins or ends, a dashed one is where a call of the other lane or a message does. So a dashed line
//! within a `recv` shows two messages glued, and a `recv` that ends under a dashed line has cut one. Nothing is guessed:
//! what was not recorded is not drawn, and two recordings that contradict each other are an error.
//!
//! In a drawing the border of a box that glues or cuts is dashed: red, or in the colour of the text where the box holds
//! a part of one message that says its own length, because then the reader knows that more is to come.
//!
//! [`Stream::svg`] draws the same for a page or a book, [`page`](page()) makes a page that steps through the run. The program
//! `timeline` does all of it for files that `--trace` wrote.

mod bytes;
mod calls;
mod connection;
mod datagrams;
mod error;
mod fit;
mod framing;
mod ladder;
mod layout;
mod levels;
mod message;
mod order;
mod page;
mod picture;
mod row;
mod rungs;
mod sentences;
mod shapes;
mod strace;
mod stream;
mod svg;
mod text;
mod trace;

pub use connection::{Connection, Direction, Relayed, connections};
pub use error::StreamError;
pub use event::Event;
pub use framing::Framing;
pub use ladder::Ladder;
pub use levels::Levels;
pub use message::{Kind, Message, Part};
pub use page::{STEPS_CSS, STEPS_HTML, page, steps_json};
pub use picture::WIDTH;
pub use rungs::in_time;
pub use stream::{Piece, Read, Stream};
pub use svg::{DARK, LIGHT, svg};
pub use trace::{Trace, TraceError, parse_trace, read_trace};
