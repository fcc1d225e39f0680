//! `demo`, run in a pipe as somebody types.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// What comes of `demo` when somebody types this.
pub fn demo(typed: impl AsRef<[u8]>, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command
        .args(args)
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_ref()).unwrap();
    child.wait_with_output().unwrap()
}
