//! What the page on known protocols shows is what its program prints; and others agree with it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::process::Command;
use std::time::Duration;

use stage::Program;

/// A test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn the_messages_on_the_page_are_those_of_the_program() {
    let Some(said) = run("protocols.py") else { return };
    assert_eq!(said, include_str!("golden/protocols.txt"));
}

/// The examples of the specifications, and Python's own HTTP.
#[test]
fn others_find_the_same_ends() {
    let Some(said) = run("check_protocols.py") else { return };
    assert_eq!(said, "");
}

/// What the program says when it ends well; nothing where there is no Python.
fn run(peer: &str) -> Option<String> {
    let mut command = Command::new(stage::python()?);
    command.arg(format!("{}/tests/peers/{peer}", env!("CARGO_MANIFEST_DIR")));
    // It would write its modules' byte code beside them.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let done = Program::start(peer, &mut command).unwrap().wait(LONG).unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.code, &*said), (Some(0), ""));
    Some(String::from_utf8(done.stdout).unwrap())
}
