//! Nobody writes a grade but the check that found it.
//!
//! The grader and a hostile submission run as a user who isn't root: root may look into every process.

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

/// Nobody, on every Linux: owns no file, and is no user that could be in use.
const NOBODY: u32 = 65_534;

/// A class in a folder that the user who grades can reach and write into.
struct Class(Scratch);

impl Class {
    fn new() -> Class {
        let class = Class(Scratch::new().unwrap());
        fs::set_permissions(class.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(class.path("class")).unwrap();
        class.give(&class.path("class"));
        // Where root builds is not where others may read.
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
        fs::write(folder.join("lab.toml"), format!("lab = \"echo\"\ncommand = {command:?}\n")).unwrap();
        self.give(&folder);
    }

    /// A program of our examples, where the submissions can start it.
    fn program(&self, name: &str) -> String {
        let path = self.path(name);
        fs::copy(&example(name)[0], &path).unwrap();
        path.display().to_string()
    }

    fn grade(&self, more: &[&str]) -> Output {
        let mut lab = as_nobody(&self.path("lab"));
        lab.arg("grade").arg("class").args(more).current_dir(self.0.path());
        lab.output().unwrap()
    }
}

/// The command of a program that runs as somebody who isn't root.
fn as_nobody(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = NOBODY.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(program);
    command
}

/// A report as the checker writes it, but for its end: one that is passed entirely would need another exit code, so the
/// cheapest case fails.
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
    format!("{{\"lab\":{:?},\"seed\":0,\"seconds\":0,\"cases\":[{}],\"more\":", lab.name, cases.join(","))
}

#[test]
fn no_program_reaches_the_report_of_another_submission() {
    let class = Class::new();
    let forger = class.program("hostile-forger");
    let report = class.path("report");
    fs::write(&report, forged(labs::find("echo").unwrap())).unwrap();
    class.submission("a", &[&forger, report.to_str().unwrap()]);
    // More than are started together, and each is over at once: many moments to look into.
    for number in 0..40 {
        class.submission(&format!("b{number:02}"), &["false"]);
    }
    let output = class.grade(&["-j", "2", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(class.path("report.lock").exists(), "the forger did not run");
    let graded: Value = serde_json::from_slice(&output.stdout).unwrap();
    let submissions = graded["submissions"].as_array().unwrap();
    assert_eq!(submissions.len(), 41);
    let reached = fs::read_to_string(class.path("report.reached")).unwrap_or_default();
    for submission in submissions {
        assert_eq!(submission["score"], 0, "{} has points; reached: {reached}", submission["name"]);
        assert_eq!(submission["error"], Value::Null, "{}", submission["name"]);
    }
    assert_eq!(reached, "");
}
