//! Where the programs are: the workspace's own, and others that are optional for tests.

use crate::StageError;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, io};

/// Finds a program of the workspace: beside this executable, or one level up, since tests run in `target/debug/deps`.
///
/// # Errors
/// [`StageError::NotBuilt`]: cargo builds the binaries of the package it tests, not those of the others.
pub fn binary(name: &str) -> Result<PathBuf, StageError> {
    let here = env::current_exe().unwrap_or_default();
    let looked: Vec<PathBuf> =
        here.ancestors().skip(1).take(2).map(|folder| folder.join(name)).collect();
    match looked.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(StageError::NotBuilt { name: name.to_owned(), looked }),
    }
}

/// Wireshark's tshark, for the tests that read captures. Without it, says so on standard error and returns `None`: the
/// test returns.
///
/// # Panics
/// Without it, if the environment variable `UNSTUCK_REQUIRE_TSHARK` is set: then a skipped test is a failure.
pub fn tshark() -> Option<PathBuf> {
    let found = succeeds(Command::new("tshark").arg("--version"));
    if !found {
        skip("UNSTUCK_REQUIRE_TSHARK", "no tshark");
    }
    found.then(|| PathBuf::from("tshark"))
}

/// Whether strace is there and may watch programs; a container may forbid it.
pub fn has_strace() -> bool {
    succeeds(Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]))
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Says on standard error that a test is skipped, and why; the test returns.
///
/// # Panics
/// If the environment variable `required` is set: then a skipped test is a failure.
pub fn skip(required: &str, why: &str) {
    skip_unless(env::var_os(required).is_some().then_some(required), why);
}

#[expect(
    clippy::panic,
    reason = "it runs in tests, and a test that must not be skipped has to fail"
)]
fn skip_unless(required: Option<&str>, why: &str) {
    if let Some(variable) = required {
        panic!("{why}, and {variable} is set");
    }
    // Not eprintln!: the test harness would keep it to itself, and a skipped test should be seen.
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

/// Python 3.8 or later, for the tests that talk to the tutorial's own language. Without it, says so on standard error
/// and returns `None`: the test returns.
///
/// # Panics
/// Without it, if the environment variable `UNSTUCK_REQUIRE_PYTHON` is set: then a skipped test is a failure.
pub fn python() -> Option<PathBuf> {
    const REQUIRED: &str = "UNSTUCK_REQUIRE_PYTHON";
    find_python("python3", env::var_os(REQUIRED).is_some().then_some(REQUIRED))
}

fn find_python(program: &str, required: Option<&str>) -> Option<PathBuf> {
    let mut probe = Command::new(program);
    probe.args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]);
    let found = succeeds(&mut probe);
    if !found {
        skip_unless(required, &format!("no {program} of version 3.8 or later"));
    }
    found.then(|| PathBuf::from(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_not_built_is_named_with_the_command_that_builds_it() {
        let error = binary("no-such-program").unwrap_err().to_string();
        assert!(
            error.starts_with("no-such-program is not built: run cargo build --bins"),
            "{error}"
        );
    }

    #[test]
    fn a_program_is_found_beside_the_test() {
        let this = env::current_exe().unwrap();
        assert_eq!(binary(this.file_name().unwrap().to_str().unwrap()).unwrap(), this);
    }

    #[test]
    fn a_missing_or_old_python_skips() {
        assert_eq!(find_python("no-such-python3", None), None);
        // `false` ends with 1, as the probe does on an old Python; `true` ends with 0.
        assert_eq!(find_python("false", None), None);
        assert_eq!(find_python("true", None), Some(PathBuf::from("true")));
    }

    #[test]
    #[should_panic(expected = "UNSTUCK_REQUIRE_PYTHON")]
    fn a_missing_python_fails_where_it_is_required() {
        find_python("no-such-python3", Some("UNSTUCK_REQUIRE_PYTHON"));
    }
}
