//! What a program of the course tells its user: the log, a record of every socket call, and how it
//! ended.
//!
//! - [`LogArgs`]: `-v`, `RUST_LOG` and `--trace FILE`, the same in every program. The log goes to
//!   stderr; stdout is for the program's own output.
//! - [`Socket`]: a [`socket2::Socket`] whose calls have the names they have in C and Python, and each of
//!   which leaves one [`Event`]. Nothing else about the calls is changed or hidden.
//!   [`is_recording`] says whether anyone is looking.
//! - [`Failure`] and [`report`]: one line on stderr that says what was expected, what happened and what
//!   to try, and the exit code that scripts rely on.
//! - [`say`]: a line for people, which a server never waits for.
//! - [`Backoff`]: what a server should do when `accept` fails.

mod accept;
mod address;
mod arguments;
mod failure;
mod lines;
mod listening;
mod log;
mod log_line;
mod socket;

pub use accept::Backoff;
pub use address::show;
pub use arguments::{
    NotAnAddress, NotSeconds, parse_address, parse_length_key, parse_number, parse_seconds,
    terminals,
};
pub use event::Event;
pub use failure::{Failure, exit_when_interrupted, exit_when_told, report};
pub use lines::{never_wait_for_readers, say, say_bytes, say_what_was_dropped};
pub use listening::say_listening;
pub use log::{LogArgs, create_private, is_recording, replace_private};
pub use socket::{Datagram, Socket, uninterrupted};
