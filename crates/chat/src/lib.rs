//! A chat without its sockets: lines out of a stream, names, and a queue with a limit.
//!
//! ```text
//! client                         server
//! ann\n                     -->                              the first line is the name
//!                           <--  * welcome, ann: nobody else is here yet\n
//!                           <--  * bob is here\n             news begins with a star
//! hello, everybody\n        -->                              the others read: ann: hello, everybody\n
//!                           <--  bob: hi, ann\n
//! ```
//!
//! A message ends with a line feed and has at most [`MAX_LINE`] bytes before it. So `nc` is a client, too.

mod lines;
mod outbox;
mod room;

pub use lines::{Lines, MAX_LINE, TooLong};
pub use outbox::Outbox;
pub use room::{Member, Over, PACE, Room};
