//! Programs on the stage, with /bin/sh in every part. Nothing waits by sleeping: each wait is for an event.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of a test may fail it")]

use stage::{Finished, Program, Scratch, Signal, StageError, Stream};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(30);

fn sh(script: &str) -> Program {
    Program::start("sh", Command::new("/bin/sh").args(["-c", script])).unwrap()
}

fn run(script: &str) -> Finished {
    sh(script).wait(LONG).unwrap()
}

/// A FIFO whose end of file says that every process that wrote to it is gone.
struct Alive {
    _scratch: Scratch,
    path: PathBuf,
    gone: Receiver<String>,
}

impl Alive {
    fn new() -> Alive {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join("alive");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (tell, gone) = channel();
        let reader = path.clone();
        std::thread::spawn(move || tell.send(read(&reader)));
        Alive { _scratch: scratch, path, gone }
    }

    fn wait_until_gone(&self) {
        self.gone.recv_timeout(LONG).expect("a process was left behind");
    }
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    File::open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn output_exit_code_and_order_come_back() {
    let finished = run("echo one; echo two >&2; printf three; exit 7");
    assert_eq!((finished.code, finished.signal), (Some(7), None));
    assert_eq!(finished.stdout, b"one\nthree");
    assert_eq!(finished.stderr, b"two\n");
    assert_eq!(finished.lines.len(), 3);
    assert!(!finished.left_behind);
    let three = finished.lines.iter().find(|line| line.text == b"three").unwrap();
    assert!(!three.whole && three.stream == Stream::Stdout);
}

#[test]
fn a_megabyte_on_both_streams_arrives() {
    let finished = run("head -c 1048576 /dev/zero; head -c 1048576 /dev/zero >&2");
    assert_eq!((finished.stdout.len(), finished.stderr.len()), (1 << 20, 1 << 20));
}

#[test]
fn a_conversation() {
    let mut program = sh("echo ready; while read line; do echo got $line; done; echo end");
    program.wait_for_line(Stream::Stdout, "ready", LONG).unwrap();
    for word in ["a", "b"] {
        program.write(format!("{word}\n").as_bytes()).unwrap();
        assert_eq!(
            program.wait_for_line(Stream::Stdout, &format!("got {word}"), LONG).unwrap(),
            format!("got {word}")
        );
    }
    let count = program
        .wait_until("two answers", LONG, |lines| (lines.len() == 3).then_some(lines.len()))
        .unwrap();
    assert_eq!(count, program.said().len());
    assert_eq!(program.wait(LONG).unwrap().stdout, b"ready\ngot a\ngot b\nend\n");
}

#[test]
fn a_line_counts_only_when_it_is_whole() {
    let mut program = sh("printf 'listening on 127.0'; read go; echo .0.1:9; read go");
    program.wait_until("the first half", LONG, |lines| lines.first().map(drop)).unwrap();
    let error = program.wait_for_line(Stream::Stdout, "listening on", Duration::ZERO).unwrap_err();
    assert!(matches!(error, StageError::TimedOut { .. }), "{error}");
    program.write(b"go\n").unwrap();
    assert_eq!(program.address().unwrap(), "127.0.0.1:9");
}

#[test]
fn a_line_is_looked_for_in_its_own_stream() {
    let program = sh("echo 'listening on a' >&2; echo 'listening on b'");
    assert_eq!(program.address().unwrap(), "b");
}

#[test]
fn a_program_that_ends_instead_of_getting_ready_fails_at_once_with_what_it_said() {
    let began = Instant::now();
    let error = sh("echo 'address in use' >&2; exit 3").address().unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5), "it waited for a program that had ended");
    let StageError::Ended { how, .. } = &error else { panic!("{error}") };
    assert_eq!(how, "exit code 3");
    assert_eq!(
        error.to_string(),
        "sh ended (exit code 3) while we waited for line \"listening on ...\"; it said:\n  stderr | address in use"
    );
}

#[test]
fn a_program_that_does_not_end_is_ended_and_its_words_are_shown() {
    let alive = Alive::new();
    let program = sh(&format!("exec 3> {}; echo started; exec sleep 1000", alive.path.display()));
    program.wait_for_line(Stream::Stdout, "started", LONG).unwrap();
    let error = program.wait(Duration::ZERO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sh: no end of the program within 0ns; it said:\n  stdout | started"
    );
    alive.wait_until_gone();
}

#[test]
fn dropping_ends_the_whole_group_even_who_ignores_sigterm() {
    let alive = Alive::new();
    let script = "trap '' TERM; (exec 3> FIFO; echo child >&3; exec sleep 1000) & exec 3> FIFO; echo started; wait";
    let program = sh(&script.replace("FIFO", &alive.path.display().to_string()));
    program.wait_for_line(Stream::Stdout, "started", LONG).unwrap();
    drop(program);
    alive.wait_until_gone();
}

#[test]
fn dropping_kills_a_child_that_ignores_sigterm_when_its_parent_does_not() {
    let alive = Alive::new();
    let script = "(trap '' TERM; exec 3> FIFO; echo started; exec sleep 1000) & wait";
    let program = sh(&script.replace("FIFO", &alive.path.display().to_string()));
    program.wait_for_line(Stream::Stdout, "started", LONG).unwrap();
    drop(program);
    alive.wait_until_gone();
}

#[test]
fn a_server_that_is_dropped_may_clean_up() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("cleaned");
    let program = sh(&format!(
        "trap 'echo yes > {}; exit' TERM; echo ready; while :; do read x; done",
        file.display()
    ));
    program.wait_for_line(Stream::Stdout, "ready", LONG).unwrap();
    drop(program);
    assert_eq!(read(&file), "yes\n");
}

#[test]
fn a_grandchild_that_holds_the_output_does_not_hold_the_wait() {
    let alive = Alive::new();
    let began = Instant::now();
    let finished = run(&format!("(exec 3> {}; exec sleep 1000) & echo hi", alive.path.display()));
    assert!(began.elapsed() < LONG / 2, "it waited for the grandchild");
    assert_eq!(finished.stdout, b"hi\n");
    assert!(finished.left_behind);
    alive.wait_until_gone();
}

#[test]
fn a_grandchild_out_of_reach_does_not_hold_the_wait_either() {
    // This one ends by itself when its own input, the FIFO, does.
    let python =
        "import os; os.setsid(); print(os.getpid(), flush=True); open(os.environ['FIFO']).read()";
    let Some(interpreter) = stage::python() else { return };
    let scratch = Scratch::new().unwrap();
    let fifo = scratch.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "\"$PYTHON\" -c \"$SCRIPT\" & read go"]);
    command.env("PYTHON", interpreter).env("SCRIPT", python).env("FIFO", &fifo);
    let program = Program::start("sh", &mut command).unwrap();
    program.wait_until("the pid of the grandchild", LONG, |lines| lines.first().map(drop)).unwrap();
    assert!(program.wait(LONG).unwrap().left_behind);
    drop(File::options().write(true).open(&fifo).unwrap());
}

#[test]
fn signals_reach_the_process_or_its_group() {
    let program = sh("trap 'echo told; exit 5' TERM; echo ready; while :; do read x; done");
    program.wait_for_line(Stream::Stdout, "ready", LONG).unwrap();
    program.signal(Signal::TERM);
    let finished = program.wait(LONG).unwrap();
    assert_eq!((finished.code, finished.stdout.as_slice()), (Some(5), b"ready\ntold\n".as_slice()));

    // Only the child says "ready": both traps are set by then. The first `wait` is the one the signal interrupts.
    let program = sh("trap 'echo parent told' USR1
         (trap 'echo child told; exit' USR1; echo ready; while :; do read x; done) & wait; wait");
    program.wait_for_line(Stream::Stdout, "ready", LONG).unwrap();
    program.signal_group(Signal::USR1);
    program.wait_for_line(Stream::Stdout, "parent told", LONG).unwrap();
    program.wait_for_line(Stream::Stdout, "child told", LONG).unwrap();

    let program = sh("exec sleep 1000");
    program.signal(Signal::KILL);
    let finished = program.wait(LONG).unwrap();
    assert_eq!((finished.code, finished.signal), (None, Some(9)));
}

#[test]
fn a_program_that_does_not_start_is_named() {
    let error = Program::start("x", Command::new("/no/such/program").arg("--now")).err().unwrap();
    assert!(error.to_string().starts_with("could not start /no/such/program --now: "), "{error}");
}

#[test]
fn input_is_taken_whole_or_refused() {
    let mut program = sh("cat | wc -c");
    program.write(&vec![b'x'; 300_000]).unwrap();
    program.close_stdin();
    let closed = program.write(b"more").unwrap_err();
    assert!(matches!(closed, StageError::Stdin { .. }), "{closed}");
    let counted = program.wait(LONG).unwrap().stdout;
    assert_eq!(String::from_utf8(counted).unwrap().trim(), "300000");

    let mut program = sh("exec 0<&-; echo closed; exec sleep 1000");
    program.wait_for_line(Stream::Stdout, "closed", LONG).unwrap();
    let error = program.write(b"hello\n").unwrap_err();
    assert!(error.to_string().starts_with("sh takes no input: "), "{error}");
}

#[test]
fn a_program_that_runs_away_is_stopped() {
    let error = sh("exec yes").wait(LONG).unwrap_err();
    assert!(matches!(error, StageError::TooMuch { .. }), "{error}");
}
