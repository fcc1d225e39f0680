//! The Python programs that a page shows run, and print what the page says.
//!
//! Those of a package that talk with its server or client are tested there, in `crates/*/tests`. Here are those that need
//! nobody else, or any server, and the rule for all of them: a program on a page is a program that a test runs.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use stage::{Finished, Program};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A test that passes never waits so long.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn programs_that_need_nobody_else() {
    // The program; its exit code; what it prints; the last line of what it complains.
    let rows = [
        ("sticky-packet-repro/tests/peers/both_ends.py", 0, "info_1: hellohi\ninfo_2: \n", ""),
        (
            "fix-ack-handshake/tests/peers/no_handshake.py",
            1,
            "",
            "ValueError: invalid literal for int() with base 10: b'3hi\\n'",
        ),
        (
            "fix-json-header/tests/peers/one_recv.py",
            1,
            "",
            "json.decoder.JSONDecodeError: Extra data: line 1 column 22 (char 21)",
        ),
    ];
    for (script, code, prints, complains) in rows {
        let Some(done) = python(script, &[], b"") else { return };
        let said = String::from_utf8(done.stderr).unwrap();
        let last = said.lines().last().unwrap_or_default();
        let printed = String::from_utf8(done.stdout).unwrap();
        assert_eq!(
            (done.code, printed.as_str(), last),
            (Some(code), prints, complains),
            "{script}: {said}"
        );
    }
}

#[test]
fn one_recv_for_an_answer_prints_the_rest_of_the_one_before() {
    let server = server("sticky-packet-repro-server", &["shell"]);
    let typed = b"seq 1 110\necho hi\nquit\n";
    let script = "sticky-packet-repro/tests/peers/first_client.py";
    let Some(done) = python(script, &[&port(&server)], typed) else { return };
    let printed = String::from_utf8(done.stdout).unwrap();
    assert!(done.code == Some(0) && printed.contains("\n36\n3\n>>: 7\n38\n"), "{printed}");
}

#[test]
fn the_header_of_each_answer_can_be_looked_at() {
    let server = server("fix-json-header-server", &[]);
    let script = "fix-json-header/tests/peers/headers.py";
    let Some(done) = python(script, &[&port(&server), "echo hi", "exit 3"], b"") else { return };
    let printed = String::from_utf8(done.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[0].contains("\"data_len\":3") && lines[1] == "hi", "{printed}");
    assert!(lines[2].contains("\"data_len\":0") && lines[2].contains("\"status\":3"), "{printed}");
}

/// On loopback, that is; chapter 15 puts a relay between them.
#[test]
fn the_wrong_echo_and_the_right_one_look_alike() {
    for echo in ["echo_once.py", "echo.py"] {
        let Some(server) = python_server(&format!("timeline/tests/peers/{echo}")) else { return };
        let done = python("timeline/tests/peers/caller.py", &[&port(&server)], b"").unwrap();
        assert_eq!(done.stdout, b"hello, is anybody there?\n", "{echo}");
        assert_eq!((done.code, server.wait(LONG).unwrap().code), (Some(0), Some(0)), "{echo}");
    }
}

#[test]
fn every_python_program_on_a_page_is_named_in_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut shown = BTreeSet::new();
    for page in files(&root.join("docs/src"), "md") {
        let text = fs::read_to_string(page).unwrap();
        let sources =
            text.split("<!-- from: ").skip(1).filter_map(|rest| rest.split(" -->").next());
        let files = sources.map(|source| source.split('#').next().unwrap_or_default());
        shown.extend(files.filter(|file| file.ends_with(".py")).map(str::to_owned));
    }
    assert!(shown.len() >= 10, "{shown:?}");
    let mut tests = String::new();
    for folder in ["crates", "demos/tests"] {
        for file in files(&root.join(folder), "rs") {
            tests += &fs::read_to_string(file).unwrap();
        }
    }
    // The programs of the zoo are played by the lab's own tests, each by its name in a list that they read.
    let unnamed = shown.iter().filter(|file| !file.contains("/zoo/")).filter(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        !tests.contains(&format!("{name}\""))
            && !tests.contains(&format!("\"{}\"", name.trim_end_matches(".py")))
    });
    let unnamed: Vec<&String> = unnamed.collect();
    assert!(unnamed.is_empty(), "no test names {unnamed:#?}");
}

/// Runs a program of `crates/` to its end; `None` where there is no Python.
fn python(script: &str, arguments: &[&str], typed: &[u8]) -> Option<Finished> {
    let mut command = Command::new(stage::python()?);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(script));
    let mut program = Program::start(script, command.args(arguments)).unwrap();
    program.write(typed).unwrap();
    program.close_stdin();
    Some(program.wait(LONG).unwrap())
}

/// Starts one that listens; `None` where there is no Python.
fn python_server(script: &str) -> Option<Program> {
    let mut command = Command::new(stage::python()?);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(script));
    Some(Program::start(script, command.arg("0")).unwrap())
}

fn server(name: &str, arguments: &[&str]) -> Program {
    let mut command = Command::new(stage::binary(name).unwrap());
    Program::start(name, command.args(arguments).args(["--listen", "127.0.0.1:0"])).unwrap()
}

fn port(server: &Program) -> String {
    server.address().unwrap().rsplit(':').next().unwrap().to_owned()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true if path.ends_with("target") => Vec::new(),
        true => files(&path, extension),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}
