//! What is judged: a command, and the folder it runs in.

use std::path::PathBuf;

/// A student's program, as it is started.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The program and its arguments. The checker adds the address as the last one.
    pub command: Vec<String>,
    /// The folder it runs in; `None`: the current one.
    pub folder: Option<PathBuf>,
}
