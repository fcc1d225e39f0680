//! However `lab` ends, nothing that it started is left behind: no process, no folder.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

#[expect(dead_code, reason = "the experiments need more of it")]
mod terminal;

use std::fs;
use std::path::Path;

use stage::Scratch;
use terminal::{ENDS, End, SAY, Terminal};

/// A program that says that it is running, and that only a signal ends. Each has a child of its own.
fn program() -> String {
    format!("echo started >{SAY}; sleep 1000 & wait")
}

/// A folder with this program as the submission.
fn submission(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let text = format!("lab = \"unix\"\ncommand = [\"sh\", \"-c\", {:?}]\n", program());
    fs::write(folder.join("lab.toml"), text).unwrap();
}

/// Starts `lab` with these words on a terminal, ends it while this many programs are running, and checks what is left.
fn ends(words: &[&str], programs: usize) {
    for how in ENDS {
        let scratch = Scratch::new().unwrap();
        fs::create_dir(scratch.path().join("class")).unwrap();
        submission(&scratch.path().join("class/ann"));
        submission(&scratch.path().join("class/bob"));
        let lab = Path::new(env!("CARGO_BIN_EXE_lab"));
        let mut terminal = Terminal::open(scratch.path(), lab, words);
        terminal.wait_until_said("started", programs);
        let code = terminal.end(how);
        assert_eq!(code, if how == End::Kill { None } else { Some(130) }, "{words:?} {how:?}");
        terminal.nothing_is_left(&format!("lab {words:?} after {how:?}"));
    }
}

#[test]
fn a_check_that_is_ended_leaves_no_program_and_no_folder() {
    ends(&["check", "class/ann"], 3);
}

#[test]
fn a_grading_that_is_ended_leaves_no_check_no_program_and_no_folder() {
    ends(&["grade", "class", "-j", "2"], 5);
}

#[test]
fn a_watch_that_is_ended_leaves_no_program_and_no_folder() {
    ends(&["watch", "class/ann"], 3);
}
