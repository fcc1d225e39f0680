//! The line that says that a server is ready.

use std::io::{self, Write};

use crate::{Failure, Socket, show};

/// The first line of a server: where it listens. Programs wait for this line, so it's flushed, and a failure to print it
/// is an error.
///
/// # Errors
/// stdout is closed, or its disk is full.
pub fn say_listening(listener: &Socket) -> Result<(), Failure> {
    let address = listener.local_addr().map_err(Failure::system("asking for our address"))?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", show(&address))
        .and_then(|()| stdout.flush())
        .map_err(Failure::Stdout)
}
