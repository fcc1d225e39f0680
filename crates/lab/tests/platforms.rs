//! What the platforms run, as far as we can run it here: Gradescope's two scripts, and the steps of the workflow for
//! GitHub Classroom.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

#[expect(dead_code, reason = "the zoo needs more of it")]
mod programs;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use programs::python;
use serde_json::Value;
use stage::Scratch;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    package().join("../..").canonicalize().unwrap()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    output
}

/// A folder as a student would hand it in, with the reference solution.
fn submission(folder: &Path, python: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::copy(package().join("labs/echo/solution.py"), folder.join("echo.py")).unwrap();
    let text = format!("lab = \"echo\"\ncommand = [{python:?}, \"echo.py\"]\n");
    fs::write(folder.join("lab.toml"), text).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn gradescope_gets_its_results() {
    let Some(python) = python() else { return };
    let scratch = Scratch::new().unwrap();
    let autograder = scratch.path();
    fs::create_dir(autograder.join("source")).unwrap();
    symlink(root(), autograder.join("source/course")).unwrap();
    submission(&autograder.join("submission"), &python);
    let script = |name: &str| {
        let mut command = Command::new(package().join("gradescope").join(name));
        command.env("AUTOGRADER", autograder);
        command
    };
    run(&mut script("setup.sh"));
    run(&mut script("run_autograder"));
    let results = json(&autograder.join("results/results.json"));
    let tests = results["tests"].as_array().unwrap();
    assert_eq!(tests[0]["name"], "echo/hello");
    // How many pass is for the checker's own tests: here, all tests run at once, and the machine may be too slow.
    assert!(tests.iter().any(|test| test["status"] == "passed"), "{results}");
    assert!(!autograder.join("submission/__pycache__").exists());

    // A submission that can't be judged is named the way the student knows it.
    fs::remove_file(autograder.join("submission/lab.toml")).unwrap();
    run(&mut script("run_autograder"));
    let results = json(&autograder.join("results/results.json"));
    let output = results["tests"][0]["output"].as_str().unwrap();
    assert!(output.starts_with("there is no submission/lab.toml"), "{output}");

    // The grader crashes, but there is still a result.
    let lab = autograder.join("bin/lab");
    fs::write(&lab, "#!/bin/sh\necho half a rep\nkill -9 $$\n").unwrap();
    fs::set_permissions(&lab, fs::Permissions::from_mode(0o755)).unwrap();
    script("run_autograder").output().unwrap();
    let results = json(&autograder.join("results/results.json"));
    assert_eq!(results["score"], 0);
    assert!(results["output"].as_str().unwrap().starts_with("The autograder itself failed"));
}

#[test]
fn the_autograder_has_its_scripts_at_the_top() {
    let Some(python) = stage::python() else { return };
    if !root().join(".git").exists() {
        return stage::skip("UNSTUCK_REQUIRE_PYTHON", "this is no git repository");
    }
    let scratch = Scratch::new().unwrap();
    let zip = scratch.path().join("autograder.zip");
    run(Command::new(root().join("scripts/gradescope.sh")).arg(&zip));
    let list = run(Command::new(python).args(["-m", "zipfile", "-l"]).arg(&zip));
    let list = String::from_utf8(list.stdout).unwrap();
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for name in ["setup.sh", "run_autograder", "course/Cargo.toml", "course/Cargo.lock"] {
        assert!(names.contains(&name), "{name}: {list}");
    }
}

/// The scripts of a workflow's `run:` steps. Reads just the YAML that ours need: `run: COMMAND`, or `run: |` and a
/// deeper block.
fn steps(workflow: &str) -> Vec<String> {
    let lines: Vec<&str> = workflow.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let step = |(at, line): (usize, &&str)| {
        let rest = line.trim_start().strip_prefix("run: ")?;
        if rest != "|" {
            return Some(rest.to_owned());
        }
        let block = lines[at + 1..].iter().take_while(|below| indent(below) > indent(line));
        Some(block.map(|line| line.trim_start()).collect::<Vec<_>>().join("\n"))
    };
    lines.iter().enumerate().filter_map(step).collect()
}

#[test]
fn classroom_gets_its_output() {
    let Some(python) = python() else { return };
    let workflow = fs::read_to_string(package().join("classroom/classroom.yml")).unwrap();
    let steps = steps(&workflow);
    let [build, grade] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(build.starts_with("cargo build "), "{build}");
    let scratch = Scratch::new().unwrap();
    let place = scratch.path();
    // The step before has built it.
    fs::create_dir_all(place.join("course/target/debug")).unwrap();
    symlink(env!("CARGO_BIN_EXE_lab"), place.join("course/target/debug/lab")).unwrap();
    submission(&place.join("submission"), &python);
    let output = place.join("output");
    // The way GitHub runs it.
    run(Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", grade])
        .current_dir(place)
        .env("GITHUB_OUTPUT", &output));
    let output = fs::read_to_string(output).unwrap();
    assert_eq!(output.lines().count(), 1);
    let result = output.trim_end().strip_prefix("result=").unwrap();
    let result: Value = serde_json::from_slice(&STANDARD.decode(result).unwrap()).unwrap();
    let tests = result["tests"].as_array().unwrap();
    assert_eq!(tests[0]["name"], "echo/hello");
    assert!(tests.iter().any(|test| test["status"] == "pass"), "{result}");
    assert!(workflow.contains("LAB_RESULTS: ${{ steps.lab.outputs.result }}"));
    assert!(workflow.contains("runners: lab"));
}
