//! `lab grade` on folders of submissions, right, wrong and hostile.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[expect(dead_code, reason = "the zoo needs more of it")]
mod programs;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lab::labs;
use lab::{CaseReport, Grader, Outcome, Owner, Report, find_submissions};
use programs::python;
use serde_json::Value;
use stage::Scratch;

const RIGHT: &str = include_str!("../labs/echo/solution.py");
const ONE_RECV: &str = "\
import socket, sys
host, port = sys.argv[-1].rsplit(':', 1)
listener = socket.create_server((host, int(port)))
conn, _ = listener.accept()
conn.sendall(conn.recv(1024))
";

fn submission(dir: &Path, name: &str, python: &Path, program: &str) {
    let folder = dir.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("echo.py"), program).unwrap();
    let text = format!("lab = \"echo\"\ncommand = [{python:?}, \"echo.py\"]\n");
    fs::write(folder.join("lab.toml"), text).unwrap();
}

fn lab_file(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir.join(name)).unwrap();
    fs::write(dir.join(name).join("lab.toml"), text).unwrap();
}

fn grade(dir: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("grade")
        .arg(dir)
        .args(more)
        .env("A_TOKEN", "secret")
        .output()
        .unwrap()
}

/// Without the times, which may differ.
fn json(output: &Output) -> Value {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("seconds");
                map.values_mut().for_each(forget);
            }
            Value::Array(values) => values.iter_mut().for_each(forget),
            _ => {}
        }
    }
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut value = serde_json::from_slice(&output.stdout).unwrap();
    forget(&mut value);
    value
}

fn same(one: &Value, other: &Value) {
    let lines = |value| serde_json::to_string_pretty(value).unwrap();
    let (one, other) = (lines(one), lines(other));
    for (number, (line, again)) in one.lines().zip(other.lines()).enumerate() {
        let around = |text: &str| text.lines().skip(number).take(24).collect::<Vec<_>>().join("\n");
        assert_eq!(line, again, "{}\n---\n{}", around(&one), around(&other));
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn the_grades_do_not_depend_on_how_many_are_judged_at_once() {
    let Some(python) = python() else { return };
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path();
    submission(dir, "ann", &python, RIGHT);
    submission(dir, "dan", &python, ONE_RECV);
    submission(dir, "bob/echo", &python, ONE_RECV);
    submission(dir, "cas/echo", &python, "raise SystemExit('not written yet')\n");
    lab_file(dir, "fay", "lab = \"ecko\"\ncommand = [\"x\"]\n");
    let one = grade(dir, &["--format", "json", "-j", "1", "--seed", "3"]);
    let two = grade(dir, &["--format", "json", "-j", "2", "--seed", "3"]);
    let (graded, again) = (json(&one), json(&two));
    same(&graded, &again);
    assert_eq!(graded["seed"], 3);
    let submissions = graded["submissions"].as_array().unwrap();
    let names: Vec<_> = submissions.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "bob/echo", "cas/echo", "dan", "fay"]);
    assert_eq!(submissions[0]["score"], submissions[0]["max_score"]);
    let bob = submissions[1]["score"].as_u64().unwrap();
    assert!(0 < bob && bob < submissions[1]["max_score"].as_u64().unwrap());
    assert_eq!(submissions[2]["score"], 0);
    let progress = String::from_utf8(two.stderr).unwrap();
    assert_eq!(progress.lines().count(), 5);
    assert!(progress.contains("/5 ann "), "{progress}");
    assert!(progress.lines().last().unwrap().starts_with("5/5 "), "{progress}");
}

/// Files such as are often left next to a submission.
fn files(dir: &Path, files: &[&str]) {
    for file in files {
        let file = dir.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
}

#[test]
fn one_students_full_score_is_full_whatever_lies_beside_it() {
    let Some(python) = python() else { return };
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path();
    submission(dir, "echo", &python, RIGHT);
    files(
        dir,
        &["__MACOSX/echo/._lab.toml", ".git/config", "docs/a.md", "node_modules/a/b", "old/a.py"],
    );
    let graded = |format: &str| {
        let output = grade(dir, &["--format", format]);
        let said = String::from_utf8(output.stderr).unwrap();
        let passed_over =
            "skipped: .git, __MACOSX, docs, node_modules, old (no lab.toml directly inside)\n";
        assert!(said.starts_with(passed_over), "{said}");
        output.stdout
    };
    let results: Value = serde_json::from_slice(&graded("gradescope")).unwrap();
    let decoded = STANDARD.decode(graded("classroom").trim_ascii_end()).unwrap();
    let step: Value = serde_json::from_slice(&decoded).unwrap();
    assert_eq!((&step["status"], &step["max_score"]), (&"pass".into(), &points_of_echo().into()));
    for (tests, status) in [(&results["tests"], "passed"), (&step["tests"], "pass")] {
        let tests = tests.as_array().unwrap();
        assert!(tests.iter().all(|test| test["status"] == status), "{tests:?}");
        let score: u64 = tests.iter().map(|test| test["score"].as_u64().unwrap()).sum();
        assert_eq!(score, u64::from(points_of_echo()));
    }
}

#[test]
fn one_student_without_a_lab_file_has_one_reason_that_says_where_to_look() {
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path().join("submission");
    files(&dir, &["echo/labs.toml", "docs/a.md"]);
    let output = grade(&dir, &["--format", "gradescope"]);
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["tests"].as_array().unwrap().len(), 1);
    let reason = results["tests"][0]["output"].as_str().unwrap();
    let expected = "submission/lab.toml; echo/labs.toml is nearly right: rename it to lab.toml";
    assert!(reason.ends_with(expected), "{reason}");
}

#[test]
fn in_a_class_no_student_is_left_out_and_what_tools_make_is_none() {
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path().join("class");
    lab_file(&dir, "ann/ann-main/echo", "lab = \"echo\"\ncommand = [\"false\"]\n");
    files(
        &dir,
        &[
            "ann/ann-main/notes/a.txt",
            "bob/echo.zip",
            "cas/lab.toml.txt",
            "dan/a/b/c/lab.toml",
            "docs/a.md",
            "__MACOSX/ann/._lab.toml",
            "target/debug/echo",
        ],
    );
    let output = grade(&dir, &["--format", "json"]);
    let graded = json(&output);
    let submissions = graded["submissions"].as_array().unwrap();
    let reasons: Vec<(&str, &str)> = submissions
        .iter()
        .map(|one| {
            let error = one["error"].as_str().unwrap_or("none").lines().next().unwrap();
            (one["name"].as_str().unwrap(), error.split_once("lab.toml").unwrap_or(("", error)).1)
        })
        .collect();
    let expected = [
        ("ann/ann-main/echo", "none"),
        ("bob", "; echo.zip is still packed: unpack it"),
        ("cas", "; lab.toml.txt is nearly right: rename it to lab.toml"),
        ("dan", "; there is one in a/b/c: name or hand in that folder"),
        ("docs", ": write one that names the lab and the command"),
    ];
    assert_eq!(reasons, expected);
    let said = String::from_utf8(output.stderr).unwrap();
    let passed_over =
        "skipped: __MACOSX, ann/ann-main/notes, target (no lab.toml directly inside)\n";
    assert!(said.starts_with(passed_over), "{said}");
}

#[test]
fn what_cannot_be_judged_has_no_points_and_a_reason() {
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path();
    fs::create_dir(dir.join("ann")).unwrap();
    lab_file(dir, "bob", "lab = echo\n");
    lab_file(dir, "cas", "lab = \"ecko\"\ncommand = [\"x\"]\n");
    let build = "build = [\"sh\", \"-c\", \"env; exit 7\"]";
    lab_file(dir, "dan", &format!("lab = \"echo\"\ncommand = [\"./echo\"]\n{build}\n"));
    lab_file(dir, "eve", "lab = \"echo\"\ncommand = [\"./no-such-program\"]\n");
    // The program's parent is the check. If the check has just been killed, its parent is the grader instead.
    let kill = "case $(ps -o args= -p $PPID) in *' check '*) kill -9 $PPID ;; esac";
    lab_file(dir, "fay", &format!("lab = \"echo\"\ncommand = [\"sh\", \"-c\", {kill:?}]\n"));
    let graded = json(&grade(dir, &["--format", "json", "-j", "2"]));
    let submissions = graded["submissions"].as_array().unwrap();
    assert!(submissions.iter().all(|submission| submission["score"] == 0));
    let reason = |at: usize| submissions[at]["error"].as_str().unwrap_or("none");
    assert!(reason(0).starts_with("there is no "), "{}", reason(0));
    assert!(reason(1).contains("TOML parse error"), "{}", reason(1));
    assert!(reason(2).contains("no lab is called \"ecko\""), "{}", reason(2));
    assert!(reason(3).contains("exit code 7"), "{}", reason(3));
    assert!(!reason(3).contains("A_TOKEN"), "{}", reason(3));
    assert_eq!(submissions[3]["max_score"], submissions[4]["max_score"]);
    assert!(reason(5).starts_with("the check was ended by signal 9"), "{}", reason(5));
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_behind() {
    let scratch = Scratch::new().unwrap();
    // A number that no other test sleeps for.
    let program = "setsid sleep 54321 </dev/null >/dev/null 2>&1 & exit 1";
    let command = format!("[\"sh\", \"-c\", {program:?}]\n");
    lab_file(scratch.path(), "ann", &format!("lab = \"echo\"\ncommand = {command}"));
    // A build that fails leaves a process behind, too.
    let build = format!("lab = \"echo\"\ncommand = [\"x\"]\nbuild = {command}");
    lab_file(scratch.path(), "bob", &build);
    json(&grade(scratch.path(), &["--format", "json"]));
    let left = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        command == b"sleep\x0054321\0"
    });
    assert_eq!(left.count(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_killed_check_leaves_does_not_disturb_the_next() {
    let scratch = Scratch::new().unwrap();
    // A number that no other test sleeps for. Only the check is killed, not the grader, which becomes the parent then.
    let program = "setsid sleep 54322 </dev/null >/dev/null 2>&1 & \
        case $(ps -o args= -p $PPID) in *' check '*) kill -9 $PPID ;; esac";
    let text = format!("lab = \"echo\"\ncommand = [\"sh\", \"-c\", {program:?}]\n");
    lab_file(scratch.path(), "ann", &text);
    let look = "ps -e -o args= | grep '^sleep 54322' && exit 9; exit 8";
    let text = format!("lab = \"echo\"\ncommand = [\"x\"]\nbuild = [\"sh\", \"-c\", {look:?}]\n");
    lab_file(scratch.path(), "bob", &text);
    let graded = json(&grade(scratch.path(), &["--format", "json"]));
    let error = |at: usize| graded["submissions"][at]["error"].as_str().unwrap();
    assert_eq!(error(0), "the check was ended by signal 9");
    assert!(error(1).starts_with("the build command ended with exit code 8"), "{}", error(1));
}

#[test]
fn the_exit_code_tells_usage_from_a_folder_that_is_not_there() {
    let scratch = Scratch::new().unwrap();
    let code = |dir: &str, more: &[&str]| grade(&scratch.path().join(dir), more).status.code();
    assert_eq!(code("", &[]), Some(0));
    assert_eq!(code("", &["--format", "xml"]), Some(2));
    assert_eq!(code("", &["-j", "0"]), Some(2));
    assert_eq!(code("no-such-folder", &[]), Some(3));
    assert_eq!(code("", &["--output", "/no/such/folder/report"]), Some(1));
}

#[test]
fn the_report_goes_where_it_is_told() {
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path().join("class");
    fs::create_dir(&dir).unwrap();
    let file = scratch.path().join("grades.csv");
    let output = grade(&dir, &["--format", "csv", "--output", file.to_str().unwrap()]);
    assert!(output.stdout.is_empty());
    let csv = fs::read_to_string(file).unwrap();
    assert!(csv.contains("\r\nclass,,0,0,,there is no "), "{csv}");
}

/// Says that it is ready, and waits until it is released.
const READY: &str = "printf r >&0; head -c 1 >/dev/null";

/// Grades one submission with a shell script as its checker. The script begins when it is released.
fn with_checker(script: &str, seconds: u64) -> String {
    with_whole_checker(&format!("{READY}\n{script}"), seconds)
}

/// A checker that is this shell script.
fn checker(folder: &Path, script: &str) -> PathBuf {
    let checker = folder.join("checker");
    fs::write(&checker, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&checker, fs::Permissions::from_mode(0o755)).unwrap();
    checker
}

fn with_whole_checker(script: &str, seconds: u64) -> String {
    let scratch = Scratch::new().unwrap();
    let checker = checker(scratch.path(), script);
    let dir = scratch.path().join("class");
    lab_file(&dir, "ann", "lab = \"echo\"\ncommand = [\"x\"]\n");
    let grader = Grader { checker, seed: 0, jobs: 1, limit: Duration::from_secs(seconds) };
    let grading =
        grader.grade(&find_submissions(&dir, Owner::Class).unwrap().found, &mut |_, _| {});
    let graded = &grading.submissions[0];
    assert_eq!((graded.score(), graded.passed()), (0, false));
    assert!(graded.max_score() > 0);
    graded.error.clone().unwrap()
}

/// Hands in this text as the report.
fn say(text: &str) -> String {
    format!("printf %s {} >&0", stage::shell_quote_word(text))
}

/// A report of the lab echo in which everything has passed.
fn full_report() -> String {
    let cases = lab::labs::find("echo").unwrap().cases.iter().map(|case| CaseReport {
        id: case.id.to_owned(),
        rule: case.rule.to_owned(),
        points: case.points,
        outcome: Outcome::Passed,
        seconds: 0.0,
    });
    let report = Report { lab: "echo".into(), seed: 0, cases: cases.collect(), seconds: 0.0 };
    serde_json::to_string(&report).unwrap()
}

#[test]
fn a_report_is_taken_from_the_checks_own_line_and_only_once() {
    let full = full_report();
    let without = "the check ended (exit code 0) without a report";
    assert_eq!(with_checker(&say(&full).replace(" >&0", ""), 60), without);
    let twice = with_checker(&format!("{0}; {0}", say(&full)), 60);
    assert!(twice.contains("is not a report: trailing characters"), "{twice}");
    let more = full.replace("\"seed\"", "\"more\":{},\"seed\"");
    let more = with_checker(&say(&more), 60);
    assert!(more.contains("is not a report: unknown field `more`"), "{more}");
    // A report with the wrong exit code doesn't count.
    let early = with_whole_checker(&say(&full), 60);
    assert_eq!(early, without);
}

#[test]
fn a_check_that_fails_is_a_result_too() {
    assert_eq!(with_checker("exec sleep 60", 1), "the check did not end within 1 s");
    assert_eq!(
        with_checker("echo oh >&2; exit 101", 60),
        "the check ended (exit code 101) without a report\noh"
    );
    assert_eq!(with_checker("echo 'lab: no such file' >&2; exit 2", 60), "no such file");
    assert_eq!(with_whole_checker("echo 'lab: too old' >&2; exit 2", 60), "too old");
    // It is chance whether the grader notices before it releases the check.
    let early = with_whole_checker("printf r >&0; exit 1", 60);
    let without = "the check ended (exit code 1) without a report";
    assert!(early == "the check ended before it began" || early == without, "{early}");
    let other = "{\"lab\":\"frames\",\"seed\":0,\"cases\":[],\"seconds\":0}";
    assert!(with_checker(&say(other), 60).contains("another lab"));
    let none = other.replace("frames", "echo");
    assert!(with_checker(&say(&none), 60).contains("another lab"));
    // Not what the check would hand in: the points or the exit code are wrong.
    let full = full_report();
    let ended = "the check was ended by signal 9";
    assert_eq!(with_checker(&format!("{}; kill -9 $$", say(&full)), 60), ended);
    let ended = "the check ended (exit code 1) without a report";
    assert_eq!(with_checker(&format!("{}; exit 1", say(&full)), 60), ended);
    let more = full.replace("\"points\":1,", "\"points\":100,");
    assert!(with_checker(&say(&more), 60).contains("another lab"));
    let floods = with_checker("exec cat /dev/zero", 60);
    assert!(floods.contains("run away"), "{floods}");
    let floods = with_checker("exec cat /dev/zero >&0", 60);
    assert!(floods.contains("the report has no end"), "{floods}");
}

/// What this many checks say, in that order: `r` when one is ready, `g` when it is released.
fn order(submissions: usize, jobs: usize) -> String {
    let scratch = Scratch::new().unwrap();
    let log = scratch.path().join("log");
    let script = format!("printf r >>{0}; {READY}; printf g >>{0}; exit 1", log.display());
    let checker = checker(scratch.path(), &script);
    let dir = scratch.path().join("class");
    for number in 0..submissions {
        lab_file(&dir, &format!("{number:02}"), "lab = \"echo\"\ncommand = [\"x\"]\n");
    }
    let grader = Grader { checker, seed: 0, jobs, limit: Duration::from_secs(60) };
    let grading =
        grader.grade(&find_submissions(&dir, Owner::Class).unwrap().found, &mut |_, _| {});
    let why = "the check ended (exit code 1) without a report";
    let names: Vec<_> = grading.submissions.iter().map(|one| one.name.clone()).collect();
    assert!(names.is_sorted() && names.len() == submissions, "{names:?}");
    assert!(grading.submissions.iter().all(|one| one.error.as_deref() == Some(why)));
    fs::read_to_string(log).unwrap()
}

#[test]
fn no_check_is_let_go_before_all_of_its_wave_are_ready() {
    assert_eq!(order(3, 1), "rgrgrg");
    assert_eq!(order(5, 2), "rrrrrggggg");
    assert_eq!(order(35, 2), ["r", "g"].map(|word| word.repeat(32)).concat() + "rrrggg");
    assert_eq!(order(35, 34), ["r", "g"].map(|word| word.repeat(34)).concat() + "rg");
}

#[test]
#[cfg(target_os = "linux")]
fn what_forks_as_fast_as_it_can_is_ended_before_the_next_is_judged() {
    let Some(python) = python() else { return };
    let scratch = Scratch::new().unwrap();
    // Twenty chains: each process starts the next one in a session of its own, and ends. That goes on 300 times, which
    // takes at least a second. They kill the check, not the grader.
    let chain = "\
import os, signal, sys
check = os.getppid()
if os.path.exists('begun'): sys.exit()
open('begun', 'w').close()
if os.fork() == 0:
    for _ in range(19):
        if os.fork() == 0: break
    os.kill(check, signal.SIGKILL)
    for _ in range(300):
        if os.fork(): os._exit(0)
        os.setsid()
signal.pause()
";
    submission(scratch.path(), "ann", &python, chain);
    let chain = scratch.path().join("ann/echo.py");
    fs::rename(&chain, scratch.path().join("ann/chain54324.py")).unwrap();
    let text = format!("lab = \"echo\"\ncommand = [{python:?}, \"chain54324.py\"]\n");
    lab_file(scratch.path(), "ann", &text);
    let look = "ps -e -o args= | grep '[c]hain54324' && exit 9; exit 8";
    let text = format!("lab = \"echo\"\ncommand = [\"x\"]\nbuild = [\"sh\", \"-c\", {look:?}]\n");
    lab_file(scratch.path(), "bob", &text);
    let graded = json(&grade(scratch.path(), &["--format", "json"]));
    let error = |at: usize| graded["submissions"][at]["error"].as_str().unwrap_or("none");
    assert_eq!(error(0), "the check was ended by signal 9");
    assert!(error(1).starts_with("the build command ended with exit code 8"), "{}", error(1));
}

/// Only root can start a process that the grader, which then runs as another user, may not kill.
#[test]
#[cfg(target_os = "linux")]
fn while_a_process_cannot_be_ended_nothing_is_judged() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new().unwrap();
    let dir = scratch.path();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_lab"), dir.join("lab")).unwrap();
    lab_file(&dir.join("class"), "ann", "lab = \"echo\"\ncommand = [\"false\"]\n");
    lab_file(&dir.join("class"), "bob", "no such thing");
    let script = "sleep 54325 </dev/null >/dev/null 2>&1 & echo $! >left; \
        exec setpriv --reuid=65534 --regid=65534 --clear-groups ./lab grade class --format json";
    let output = Command::new("sh").args(["-c", script]).current_dir(dir).output().unwrap();
    let left = fs::read_to_string(dir.join("left")).unwrap();
    assert!(Command::new("kill").args(["-9", left.trim()]).status().unwrap().success());
    let graded = json(&output);
    for (at, max_score) in [(0, points_of_echo()), (1, 0)] {
        let submission = &graded["submissions"][at];
        assert_eq!(
            submission["error"],
            "not judged: 1 process of an earlier submission could not be ended"
        );
        assert_eq!(
            (&submission["score"], &submission["max_score"]),
            (&0.into(), &max_score.into())
        );
    }
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("lab: 1 processes of a submission could not be ended\n"), "{said}");
}

fn points_of_echo() -> u32 {
    labs::find("echo").unwrap().max_score()
}
