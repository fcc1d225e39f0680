//! Only the check that found a grade can write it.
//!
//! The grader and a hostile submission run as a user who isn't root, because root may look into every process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[expect(dead_code, reason = "the zoo needs more of it")]
mod programs;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab::labs::{self, Lab};
use programs::example;
use rustix::process::geteuid;
use serde_json::Value;
use stage::Scratch;

/// "Nobody" on every Linux: it owns no files, and no real user has this number.
const NOBODY: u32 = 65_534;

/// A class in a folder that the grading user can reach and write to.
struct Class(Scratch);

impl Class {
    fn new() -> Class {
        let class = Class(Scratch::new().unwrap());
        fs::set_permissions(class.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(class.path("class")).unwrap();
        class.give(&class.path("class"));
        // Other users may not be able to read the folder where root builds.
        fs::copy(env!("CARGO_BIN_EXE_lab"), class.path("lab")).unwrap();
        class.give(&class.path("lab"));
        class.give(class.0.path());
        class
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn give(&self, path: &Path) {
        if geteuid().is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    fn submission(&self, name: &str, command: &[&str]) {
        let folder = self.path("class").join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("lab.toml"), format!("lab = \"echo\"\ncommand = {command:?}\n"))
            .unwrap();
        self.give(&folder);
    }

    /// One of our example programs, in a place where the submissions can start it.
    fn program(&self, name: &str) -> String {
        let path = self.path(name);
        fs::copy(&example(name)[0], &path).unwrap();
        path.display().to_string()
    }

    /// A submission that is this script. It runs only once, although every case starts it, and the other cases wait
    /// until it is done.
    fn script(&self, name: &str, script: &str) {
        let once = format!(
            "if mkdir ../../{name}.begun 2>/dev/null; then cd ../..; {{ {script}; }} 2>>{name}.said; mkdir {name}.done; fi; \
             while ! test -e ../../{name}.done && ! test -e {name}.done; do sleep 0.02; done"
        );
        self.submission(name, &["sh", "-c", &once]);
    }

    fn grade(&self, more: &[&str]) -> Output {
        let mut lab = as_nobody(&self.path("lab"));
        lab.arg("grade")
            .arg("class")
            .args(more)
            .current_dir(self.0.path())
            .env("A_TOKEN", self.secret());
        lab.output().unwrap()
    }

    /// Only this class's grader may know it. The graders of other tests run at the same time, so they need secrets of
    /// their own.
    fn secret(&self) -> String {
        format!("a-secret-for-{}", self.path("").display())
    }

    /// The submissions in the JSON report of a grading, which must have been written.
    fn graded(&self, more: &[&str]) -> Vec<Value> {
        let output = self.grade(&[&["--format", "json"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let graded: Value = serde_json::from_slice(&output.stdout).unwrap();
        graded["submissions"].as_array().unwrap().clone()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// The grader, seen from a submission's script: its grandparent.
const GRADER: &str = "$(ps -o ppid= -p $PPID)";

/// The command that runs a program as somebody who isn't root.
fn as_nobody(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = NOBODY.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(program);
    command
}

/// A report in the checker's form, without its end. A report in which everything has passed would need a different exit
/// code, so the cheapest case fails.
fn forged(lab: &Lab) -> String {
    let cheapest = lab.cases.iter().min_by_key(|case| case.points).unwrap().id;
    let cases = lab.cases.iter().map(|case| {
        let outcome = if case.id == cheapest {
            "{\"failed\":{\"what\":\"\",\"steps\":[],\"bytes\":[],\"schedule\":\"\",\"replay\":\"\",\"hint\":\"\",\"said\":[]}}"
        } else {
            "\"passed\""
        };
        let (id, rule, points) = (case.id, case.rule, case.points);
        format!("{{\"id\":{id:?},\"rule\":{rule:?},\"points\":{points},\"seconds\":0,\"outcome\":{outcome}}}")
    });
    let cases: Vec<String> = cases.collect();
    format!(
        "{{\"lab\":{:?},\"seed\":0,\"seconds\":0,\"cases\":[{}],\"more\":",
        lab.name,
        cases.join(",")
    )
}

#[test]
fn no_program_reaches_the_report_of_another_submission() {
    let class = Class::new();
    let forger = class.program("hostile-forger");
    let report = class.path("report");
    fs::write(&report, forged(labs::find("echo").unwrap())).unwrap();
    class.submission("a", &[&forger, report.to_str().unwrap(), "30"]);
    // More than are started together, and each is over at once, so that there are many moments to look into. The forger
    // ends before they do.
    for number in 0..40 {
        class.submission(&format!("b{number:02}"), &["false"]);
    }
    let submissions = class.graded(&["-j", "2"]);
    assert!(class.path("report.lock").exists(), "the forger did not run");
    assert_eq!(submissions.len(), 41);
    let reached = class.read("report.reached");
    for submission in &submissions {
        assert_eq!(submission["score"], 0, "{} has points; reached: {reached}", submission["name"]);
        assert_eq!(submission["error"], Value::Null, "{}", submission["name"]);
    }
    assert_eq!(reached, "");
}

/// A program that the grader didn't start and can't end: it may come from a user's timer, or from another grading.
#[test]
fn a_program_that_runs_beside_the_grading_reaches_no_report() {
    let forbidden = fs::read_to_string("/proc/sys/vm/memfd_noexec").unwrap_or_default();
    if !matches!(forbidden.trim(), "" | "0") {
        // On such a system we only keep out what the grading itself has started.
        return;
    }
    let class = Class::new();
    let forger = PathBuf::from(class.program("hostile-forger"));
    let report = class.path("report");
    fs::write(&report, forged(labs::find("echo").unwrap())).unwrap();
    for number in 0..20 {
        class.submission(&format!("b{number:02}"), &["false"]);
    }
    let mut beside = as_nobody(&forger);
    let mut beside = beside.arg(&report).arg("20").spawn().unwrap();
    let submissions = class.graded(&["-j", "2"]);
    beside.kill().unwrap();
    beside.wait().unwrap();
    assert!(class.path("report.lock").exists(), "the forger did not run");
    assert!(submissions.iter().all(|one| one["score"] == 0));
    assert_eq!(class.read("report.reached"), "");
}

#[test]
fn what_a_submission_leaves_behind_reaches_no_report_of_a_later_one() {
    let class = Class::new();
    let forger = class.program("hostile-forger");
    let report = class.path("report");
    fs::write(&report, forged(labs::find("echo").unwrap())).unwrap();
    // It kills its own check, which would have ended what it leaves behind.
    class.script(
        "a",
        &format!(
            "setsid {forger} {} x </dev/null >/dev/null 2>&1 & while ! test -e report.lock; do sleep 0.02; done; \
             kill -9 $PPID",
            report.display()
        ),
    );
    for number in 0..8 {
        class.submission(&format!("b{number}"), &["false"]);
    }
    for jobs in ["1", "2"] {
        for left in ["report.lock", "report.reached"] {
            let _ = fs::remove_file(class.path(left));
        }
        for left in ["a.begun", "a.done"] {
            let _ = fs::remove_dir(class.path(left));
        }
        let submissions = class.graded(&["-j", jobs]);
        assert!(class.path("report.lock").exists(), "the forger did not run");
        assert_eq!(submissions[0]["error"], "the check was ended by signal 9");
        for submission in &submissions[1..] {
            assert_eq!((&submission["score"], &submission["error"]), (&0.into(), &Value::Null));
        }
        assert_eq!(class.read("report.reached"), "", "-j {jobs}");
    }
}

#[test]
fn a_check_that_was_killed_before_it_began_is_judged_all_the_same() {
    let class = Class::new();
    // `c` waits while `a` and `b` are running.
    let find = format!("ps -o pid=,args= --ppid {GRADER} | awk '$4 == \"class/c\" {{ print $1 }}'");
    class.script(
        "a",
        &format!("for check in $({find}); do kill -9 $check; echo $check >>killed; done"),
    );
    class.submission("b", &["sh", "-c", "while ! test -e ../../a.done; do sleep 0.02; done"]);
    class.submission("c", &["false"]);
    let submissions = class.graded(&["-j", "2"]);
    assert_eq!(class.read("killed").lines().count(), 1, "{}", class.read("a.said"));
    for submission in submissions {
        assert_eq!((&submission["score"], &submission["error"]), (&0.into(), &Value::Null));
    }
}

#[test]
fn with_one_job_no_check_waits_where_another_submission_can_reach_it() {
    let class = Class::new();
    class.script(
        "a",
        &format!("ps -o args= --ppid {GRADER} | awk '$2 == \"check\" {{ print $3 }}' >checks"),
    );
    class.submission("b", &["false"]);
    class.graded(&["-j", "1"]);
    assert_eq!(class.read("checks"), "class/a\n", "{}", class.read("a.said"));
}

#[test]
fn the_checker_is_the_program_that_was_started_whatever_lies_in_its_place() {
    let class = Class::new();
    let full = forged(labs::find("echo").unwrap()).replace(",\"more\":", "}");
    fs::write(class.path("full"), full).unwrap();
    let full = class.path("full").display().to_string();
    // A checker that finds everything right, and reports it in every way that has ever been used.
    let script = format!(
        "#!/bin/sh\nprintf r >&0\ncat {full}\nhead -c 1 >/dev/null\ncat {full} >&0\nexit 1\n"
    );
    fs::write(class.path("other"), script).unwrap();
    fs::set_permissions(class.path("other"), fs::Permissions::from_mode(0o755)).unwrap();
    class.give(&class.path("other"));
    class.script("a", "mv other lab");
    class.submission("b", &["false"]);
    let submissions = class.graded(&[]);
    assert!(!class.path("other").exists(), "{}", class.read("a.said"));
    assert_eq!((&submissions[1]["score"], &submissions[1]["error"]), (&0.into(), &Value::Null));
}

#[test]
fn the_report_is_in_its_file_whatever_a_submission_does_to_the_file() {
    for attack in [
        "rm grades.csv; echo forged >grades.csv",
        "rm -f grades.csv; ln -s victim grades.csv",
        "rm -f grades.csv; mkfifo grades.csv",
        "rm -f grades.csv; for number in 0 1 2; do ln -s ../victim .lab-report.$(echo GRADER).$number; done",
    ] {
        let all_lost = format!("\r\na,echo,0,{},", labs::find("echo").unwrap().max_score());
        let class = Class::new();
        fs::write(class.path("victim"), "work").unwrap();
        class.give(&class.path("victim"));
        class.script("a", &attack.replace("GRADER", GRADER));
        let output = class.grade(&["--format", "csv", "--output", "grades.csv"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{attack}: {said}");
        assert!(class.path("a.done").exists());
        let grades = class.path("grades.csv");
        assert!(fs::symlink_metadata(&grades).unwrap().is_file(), "{attack}");
        assert!(
            class.read("grades.csv").contains(&all_lost),
            "{attack}: {}",
            class.read("grades.csv")
        );
        assert_eq!(class.read("victim"), "work", "{attack}");
    }
}

#[test]
fn a_report_that_its_reader_will_not_find_is_an_error() {
    for (attack, said) in [
        ("rm grades.csv; echo forged >grades.csv", "lab: the report is lost: "),
        ("echo forged >>grades.csv", "lab: don't trust the report: "),
    ] {
        let class = Class::new();
        class.script("a", attack);
        let mut shell = as_nobody(Path::new("sh"));
        shell
            .args(["-c", "./lab grade class --format csv >grades.csv"])
            .current_dir(class.0.path());
        let output = shell.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(said), "{attack}: {stderr}");
        assert_eq!(output.status.code(), Some(1), "{attack}");
    }
}

#[test]
fn what_ends_the_submissions_does_not_end_the_watchdog_of_the_grader() {
    let class = Class::new();
    for name in ["a", "b"] {
        class.script(name, &format!("pgrep -x sh -P {GRADER} >{name}.watchdog"));
    }
    class.graded(&[]);
    let watchdog = class.read("a.watchdog");
    assert_eq!(watchdog.lines().count(), 1, "{watchdog}");
    assert_eq!(class.read("b.watchdog"), watchdog);
}

#[test]
fn after_the_grader_was_limited_nothing_is_judged() {
    for attack in ["prlimit --pid GRADER --nofile=30:30", "renice -n 5 -p GRADER"] {
        let class = Class::new();
        class.script("a", &attack.replace("GRADER", GRADER));
        class.submission("b", &["false"]);
        let submissions = class.graded(&[]);
        assert_eq!(submissions[0]["error"], Value::Null, "{attack}");
        let why = "not judged: an earlier submission changed the grader's limits or priority";
        assert_eq!(submissions[1]["error"], why, "{attack}: {}", class.read("a.said"));
    }
}

#[test]
fn no_process_of_the_grader_shows_what_the_grader_was_given() {
    let class = Class::new();
    class.script(
        "a",
        &format!(
            "grep -lsF 'A_TOKEN={}' /proc/[0-9]*/environ >seen; echo looked >>seen",
            class.secret()
        ),
    );
    class.graded(&[]);
    assert_eq!(class.read("seen"), "looked\n");
}
