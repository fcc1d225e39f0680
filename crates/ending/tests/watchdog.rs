//! After `kill -9` nothing is left of what a process tied to itself.
//!
//! The process that is killed is this test program, started again with a part to play.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

/// What the part says to play, and which folder it ties.
const PART: &str = "ENDING_TEST_FOLDER";

/// Long enough for a busy machine: a test that passes never waits this long.
const LONG: Duration = Duration::from_secs(30);

/// Not a test of its own: what the others start.
#[test]
fn part() {
    let Some(folder) = env::var_os(PART).map(PathBuf::from) else { return };
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("file"), "text").unwrap();
    let _folder = ending::tie_folder(&folder).unwrap();
    // A shell and what it started: both are of the group.
    let sleepers = || {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "sleep 600 & wait"]).process_group(0).stdout(Stdio::inherit());
        shell.spawn().unwrap()
    };
    let (tied, mut free) = (sleepers(), sleepers());
    let _tied = ending::tie_group(Pid::from_child(&tied)).unwrap();
    drop(ending::tie_group(Pid::from_child(&free)).unwrap());
    // It has left every group we know, and the watchdog wasn't told about it.
    let mut escaped = Command::new("setsid");
    ending::mark(escaped.args(["sleep", "600"])).unwrap();
    let mut escaped = escaped.spawn().unwrap();
    println!("watchdog {}\nfree {}", ending::watchdog().unwrap(), free.id());
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {
        // The test has killed it.
        let killed: u32 = line.trim().parse().unwrap();
        while ending::watchdog().is_none_or(|watchdog| watchdog == killed) {
            std::thread::yield_now();
        }
        println!("watchdog {}", ending::watchdog().unwrap());
        line.clear();
    }
    std::thread::sleep(Duration::from_secs(600));
    free.kill().unwrap();
    escaped.kill().unwrap();
    escaped.wait().unwrap();
}

/// The part, and what it says: the pipe ends when every process that holds it has ended.
fn start(folder: &PathBuf) -> (Child, BufReader<impl Read>, u32, u32) {
    let mut part = Command::new(env::current_exe().unwrap());
    part.args(["--exact", "part", "--nocapture"])
        .env(PART, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut part = part.spawn().unwrap();
    let mut said = BufReader::new(part.stdout.take().unwrap());
    let mut number = |name: &str| {
        loop {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "no {name}");
            if let Some((_, number)) = line.split_once(&format!("{name} ")) {
                return number.trim().parse().unwrap();
            }
        }
    };
    let (watchdog, free) = (number("watchdog"), number("free"));
    (part, said, watchdog, free)
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name} {}", std::process::id()))
}

fn signal_group(group: u32, signal: &str) {
    let group = format!("-{group}");
    assert!(Command::new("kill").args([signal, "--", &group]).status().unwrap().success());
}

/// The folders come last: they are gone when the watchdog has ended.
fn wait_for_end(watchdog: u32) {
    let (watchdog, deadline) =
        (Pid::from_raw(watchdog.cast_signed()).unwrap(), Instant::now() + LONG);
    while test_kill_process(watchdog).is_ok() {
        assert!(Instant::now() < deadline, "the watchdog does not end");
        std::thread::yield_now();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_tied_ends_with_a_process_that_is_killed() {
    let folder = folder("killed");
    let (mut part, mut said, watchdog, free) = start(&folder);
    part.kill().unwrap();
    part.wait().unwrap();
    // What was let go lives on; the tied group does not, or the pipe would not end.
    signal_group(free, "-KILL");
    said.read_to_end(&mut Vec::new()).unwrap();
    wait_for_end(watchdog);
    assert!(!folder.exists());
}

#[test]
fn what_tells_a_program_to_end_does_not_end_its_watchdog() {
    let folder = folder("told");
    let (mut part, mut said, watchdog, free) = start(&folder);
    for signal in ["-INT", "-TERM", "-HUP", "-QUIT"] {
        signal_group(watchdog, signal);
    }
    part.kill().unwrap();
    part.wait().unwrap();
    signal_group(free, "-KILL");
    said.read_to_end(&mut Vec::new()).unwrap();
    wait_for_end(watchdog);
    assert!(!folder.exists());
}

/// The pipe of a stopped watchdog fills up sooner or later.
#[test]
fn a_watchdog_that_is_killed_or_stopped_has_a_successor_with_the_same_list() {
    let folder = folder("successor");
    let (mut part, mut said, watchdog, free) = start(&folder);
    assert!(
        Command::new("kill").args(["-KILL", &watchdog.to_string()]).status().unwrap().success()
    );
    writeln!(part.stdin.as_mut().unwrap(), "{watchdog}").unwrap();
    let mut line = String::new();
    while !line.contains("watchdog ") {
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "no successor");
    }
    let (_, successor) = line.split_once("watchdog ").unwrap();
    part.kill().unwrap();
    part.wait().unwrap();
    signal_group(free, "-KILL");
    said.read_to_end(&mut Vec::new()).unwrap();
    wait_for_end(successor.trim().parse().unwrap());
    assert!(!folder.exists());
}

#[test]
fn a_stopped_watchdog_stops_nobody() {
    let name = "a_stopped_watchdog_stops_nobody";
    if env::var_os(name).is_none() {
        let mut alone = Command::new(env::current_exe().unwrap());
        alone.args(["--exact", name, "--nocapture"]).env(name, "1");
        assert!(alone.status().unwrap().success());
        return;
    }
    let group = rustix::process::getpgrp();
    drop(ending::tie_group(group).unwrap());
    let first = ending::watchdog().unwrap();
    assert!(Command::new("kill").args(["-STOP", &first.to_string()]).status().unwrap().success());
    // A pipe holds 64 KiB, and each of these is two lines of three bytes or more.
    for _ in 0..20_000 {
        drop(ending::tie_group(group).unwrap());
    }
    assert_ne!(ending::watchdog().unwrap(), first, "another one has taken over");
}
