//! However an experiment ends, nothing that it started is left: no process, no folder.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

#[path = "../../crates/lab/tests/terminal/mod.rs"]
#[expect(dead_code, reason = "the labs need more of it")]
mod terminal;

use std::path::Path;

use terminal::{ENDS, End, Terminal};

#[test]
fn an_experiment_that_is_ended_leaves_no_server_and_no_folder() {
    for how in ENDS {
        let demo = Path::new(env!("CARGO_BIN_EXE_demo"));
        let mut terminal = Terminal::open(Path::new("."), demo, &["run", "models"]);
        // A server of each model, the four clients of each, and the watchdog: they run for a second at least.
        terminal.wait_for_children(5 + 5 * 4 + 1);
        let code = terminal.end(how);
        assert_eq!(code, if how == End::Kill { None } else { Some(130) }, "{how:?}");
        terminal.nothing_is_left(&format!("demo run models after {how:?}"));
    }
}
