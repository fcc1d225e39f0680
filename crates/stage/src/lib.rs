//! Starts real programs, waits until they are ready, and leaves none running.
//!
//! The experiments and the black-box tests run the course's own binaries, in processes of their own, just as a reader
//! types them in two terminals. Three things go wrong in such runs: a client starts before its server listens, a
//! program hangs and the run hangs with it, or a program outlives the run. Here each wait has a limit, a program says in a
//! line that it is ready, and dropping a [`Program`] ends it.
//!
//! After a signal ([`end_all_on_signal`]), a run first ends its programs and removes its directories. After `kill -9`
//! it can't, so each program's process group and each directory are tied to this process ([`ending::tie_group`]), and each
//! program carries a mark ([`ending::mark`]): what was started ends with us. But only Linux lets us find a program by its
//! mark. On other systems a program that has left its process group keeps running, and so does one that started some
//! 100 µs before.
//!
//! ```
//! use std::process::Command;
//! use std::time::Duration;
//!
//! let mut greeter = stage::Program::start(
//!     "greeter",
//!     Command::new("/bin/sh").args(["-c", "echo ready; read name; echo hello $name"]),
//! )?;
//! greeter.wait_for_line(stage::Stream::Stdout, "ready", Duration::from_secs(10))?;
//! greeter.write(b"world\n")?;
//! let finished = greeter.wait(Duration::from_secs(10))?;
//! assert_eq!(finished.stdout, b"ready\nhello world\n");
//! assert_eq!(finished.code, Some(0));
//! # Ok::<(), stage::StageError>(())
//! ```

mod error;
mod find;
mod input;
mod on_signal;
mod output;
mod program;
mod running;
mod scratch;
mod shell_quote;

pub use error::StageError;
pub use find::{binary, has_strace, python, skip, tshark};
pub use on_signal::{end_all_on_signal, wait_if_ending};
pub use output::{Keep, Line, Stream};
pub use program::{Finished, Program};
pub use running::end_all;
pub use rustix::process::Signal;
pub use scratch::Scratch;
pub use shell_quote::{shell_quote, shell_quote_path, shell_quote_word};
