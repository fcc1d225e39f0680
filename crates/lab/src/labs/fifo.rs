//! Makes a named pipe (fifo(7)) with mkfifo(1): the system call for it is not the same everywhere.

use std::path::Path;
use std::process::Command;

use crate::verdict::CaseFailure;

pub(super) fn make_fifo(path: &Path) -> Result<(), CaseFailure> {
    let failed = |error: &dyn std::fmt::Display| CaseFailure::machine("make a named pipe", error);
    let made = Command::new("mkfifo").arg("--").arg(path).status();
    let made = made.map_err(|error| failed(&error))?;
    if made.success() { Ok(()) } else { Err(failed(&made)) }
}
