//! Lines for people: never waited for, and none lost silently.
//!
//! Each test starts this program again, to write lines into a pipe that nobody reads.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use observe::{Event, LogArgs, Socket, say, say_what_was_dropped};
use socket2::{Domain, Type};

/// More than fits into a pipe of 4096 bytes.
const LINES: usize = 1000;

fn start(part: &str, stdout: Stdio) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "part", "--nocapture"]).env("LINES_TEST_PART", part);
    command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
}

/// Not a test of its own: what the others start.
#[test]
fn part() {
    let Ok(part) = std::env::var("LINES_TEST_PART") else { return };
    match part.as_str() {
        "unread" => {
            (0..LINES).for_each(|number| say(format_args!("line {number}")));
            say_what_was_dropped();
            // Until somebody has read: then there is room again.
            std::io::stdin().read_exact(&mut [0]).unwrap();
            say(format_args!("the next line"));
        }
        "full" => {
            // Only now: the test harness would fail on it.
            let full = File::options().write(true).open("/dev/full").unwrap();
            rustix::stdio::dup2_stdout(full).unwrap();
            (0..3).for_each(|number| say(format_args!("line {number}")));
            std::process::exit(0);
        }
        trace => {
            let log = log(&["-v", "--trace", trace]);
            log.start().unwrap();
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            for _ in 0..3 {
                let _ = socket.send(b"hello");
            }
            socket.note("kept");
            socket.mask(true);
            socket.note("the answer to a token");
        }
    }
}

#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    log: LogArgs,
}

fn log(args: &[&str]) -> LogArgs {
    let args = [&["program"], args].concat();
    <Args as clap::Parser>::parse_from(args).log
}

#[test]
#[cfg(target_os = "linux")]
fn unread_lines_are_dropped_and_counted_and_then_it_goes_on() {
    let (mut stdout, theirs) = std::io::pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&stdout, 4096).unwrap();
    let mut child = start("unread", theirs.into());
    // The count comes while nobody has read a line of stdout.
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    let mut byte = [0];
    while !said.contains("nobody read stdout\n") {
        assert_ne!(stderr.read(&mut byte).unwrap(), 0, "{said}");
        said.push(char::from(byte[0]));
    }
    let (before, _) = said.split_once(" lines were dropped: nobody read stdout").unwrap();
    let dropped: usize = before.lines().last().unwrap().parse().unwrap();
    assert!(before.contains("nobody reads stdout: its lines are dropped, and counted"), "{said}");

    // What the pipe holds, and no more: then the child says the next line, and ends.
    let mut kept = vec![0; 4096];
    let n = stdout.read(&mut kept).unwrap();
    let mut kept = String::from_utf8_lossy(&kept[..n]).into_owned();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    stdout.read_to_string(&mut kept).unwrap();
    let lines = kept.lines().filter(|line| line.starts_with("line ")).count();
    assert_eq!(lines + dropped, LINES, "{kept}");
    assert!(kept.contains("\nthe next line\n"), "a line of its own: {kept}");
    assert!(child.wait().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_once() {
    let done = start("full", Stdio::null()).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(said.matches("nothing more is said on stdout: No space left").count(), 1, "{said}");

    let done = start("/dev/full", Stdio::null()).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(said.matches("the trace is incomplete from here on").count(), 1, "{said}");
}

#[test]
fn a_trace_is_for_this_user_alone() {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("mode-{}", std::process::id()));
    let done = start(path.to_str().unwrap(), Stdio::null()).wait_with_output().unwrap();
    assert!(done.status.success());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_note_is_in_the_trace_and_in_the_log_but_not_while_a_token_passes() {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("note-{}", std::process::id()));
    let done = start(path.to_str().unwrap(), Stdio::null()).wait_with_output().unwrap();
    let trace = fs::read_to_string(&path).unwrap();
    fs::remove_file(path).unwrap();
    let notes = trace.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    let notes: Vec<_> = notes.filter(|event| event.call == "note").collect();
    assert_eq!(notes.len(), 1, "{trace}");
    assert_eq!((notes[0].conn, notes[0].text.as_deref()), (1, Some("kept")));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("note conn=1 text=\"kept\"") && !said.contains("token"), "{said}");
}
