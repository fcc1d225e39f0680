//! What a runner does on Ctrl-C. Alone in its file, because after `end_all` this process starts nothing more.

use stage::{Program, Scratch, StageError, Stream};
use std::process::Command;
use std::time::Duration;

#[test]
fn end_all_ends_every_program_removes_every_directory_and_lets_nothing_start() {
    let long = Duration::from_secs(30);
    let scratch = Scratch::new().unwrap();
    let command = || {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo ready; exec sleep 1000"]);
        command
    };
    let programs: Vec<Program> =
        (0..3).map(|_| Program::start("sh", &mut command()).unwrap()).collect();
    for program in &programs {
        program.wait_for_line(Stream::Stdout, "ready", long).unwrap();
    }

    std::thread::spawn(stage::end_all).join().unwrap();

    assert!(!scratch.path().exists());
    assert!(matches!(Program::start("late", &mut command()), Err(StageError::Ending)));
    for program in programs {
        // `sleep` was told with SIGTERM, and had ended before `end_all` returned.
        assert_eq!(program.wait(Duration::ZERO).unwrap().signal, Some(15));
    }
}
