//! What people read fits their terminal, and is coloured where it shows colours.
//!
//! | What | Test |
//! |---|---|
//! | Experiments, their list, the log of `-v`, pictures and tables, at 60, 80 and 120 columns | `no_line_is_wider_than_the_terminal` |
//! | The help of every program, at 60 columns | `every_help_fits_the_narrowest_terminal` |
//! | A glued box is red; TERM=dumb, NO_COLOR and a pipe: no escape codes | `a_terminal_gets_the_colours_that_it_can_show` |
//! | In a pipe 100 columns, or those of COLUMNS | `a_pipe_has_100_columns` |
//!
//! What all the other experiments print is laid out in `src/screen.rs`.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use stage::Scratch;

const GLUED: &str = "\u{1b}[31m│hello╎hi│\u{1b}[0m";

#[test]
fn no_line_is_wider_than_the_terminal() {
    let scratch = Scratch::new().unwrap();
    let trace = scratch.path().join("trace");
    let trace = trace.to_str().unwrap();
    let shown = [
        ("demo", &["run", "case2"][..]),
        ("demo", &["list"]),
        ("tcp-basic-tour", &["-v", "--trace", trace]),
        ("fix-struct-prefix-pack", &[]),
        ("timeline", &[trace, "--conn", "1"]),
    ];
    for columns in [60, 80, 120] {
        for (program, args) in shown {
            let said = at_terminal(columns, "xterm", program, args);
            assert!(said.lines().count() > 4, "{program}: {said}");
            fits(columns.into(), &said);
        }
    }
}

/// At 60: what fits there breaks between words on a wider one, too.
#[test]
fn every_help_fits_the_narrowest_terminal() {
    let programs = programs();
    assert!(programs.len() > 20, "{programs:?}");
    for program in &programs {
        fits(60, &at_terminal(60, "xterm", program, &["--help"]));
    }
    for command in ["check", "watch", "start", "hint", "list", "grade", "solution"] {
        fits(60, &at_terminal(60, "xterm", "lab", &[command, "--help"]));
    }
    fits(60, &at_terminal(60, "xterm", "demo", &["run", "--help"]));
}

#[test]
fn a_terminal_gets_the_colours_that_it_can_show() {
    let args = ["run", "case1"];
    let said = at_terminal(80, "xterm", "demo", &args);
    assert!(said.contains(GLUED), "{said}");
    // Its dashed edge and a sentence say it, too.
    let plain = at_terminal(80, "dumb", "demo", &args);
    assert!(plain.contains("│hello╎hi│\n") && plain.contains("2 messages glued"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");

    let log = at_terminal(80, "xterm", "tcp-basic-tour", &["-vv"]);
    assert!(log.contains("\u{1b}[") && log.contains(" data=\"hello\"\n"), "{log}");
    for (terminal, no_color) in [("dumb", ""), ("xterm", "1")] {
        for (program, args) in
            [("demo", &args[..]), ("demo", &["list"]), ("tcp-basic-tour", &["-vv"])]
        {
            let mut command = Command::new(stage::binary(program).unwrap());
            command.args(args).env("TERM", terminal).env("NO_COLOR", no_color).env_remove("CI");
            let said = said_to_terminal(80, &mut command);
            assert!(said.contains("hello") && !said.contains('\u{1b}'), "{program}: {said}");
        }
    }
}

#[test]
fn a_pipe_has_100_columns_or_those_that_somebody_exported() {
    for (columns, exported) in [(100, None), (72, Some("72")), (60, Some("20")), (120, Some("999"))]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command.args(["run", "case2"]).env_remove("COLUMNS");
        command.envs(exported.map(|columns| ("COLUMNS", columns)));
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        fits(columns, &said);
        let widest = said.lines().map(columns::width).max().unwrap();
        assert!(widest > columns * 3 / 4, "{widest} of {columns}: {said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

/// No line goes on in the next row.
#[track_caller]
fn fits(columns: usize, said: &str) {
    for line in anstream::adapter::strip_str(said).to_string().lines() {
        assert!(
            columns::width(line) <= columns,
            "{} of {columns}: {line}\n{said}",
            columns::width(line)
        );
    }
}

fn at_terminal(columns: u16, kind: &str, program: &str, args: &[&str]) -> String {
    let mut command = Command::new(stage::binary(program).unwrap());
    command.args(args).env("TERM", kind);
    // Each of them has a say in it, too: CI because the logs of most show colours, whatever the terminal is called.
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(variable);
    }
    said_to_terminal(columns, &mut command)
}

/// All that a program says to a terminal that is so wide.
fn said_to_terminal(columns: u16, command: &mut Command) -> String {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(name.as_c_str(), flags, Mode::empty()).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&theirs, size).unwrap();
    // What is exported for pipes has no say on a terminal.
    command.env("COLUMNS", "40").stdin(Stdio::null());
    let mut program = command.stdout(theirs.try_clone().unwrap()).stderr(theirs).spawn().unwrap();
    // The command keeps its copies of the program's end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut said = Vec::new();
    // EIO: nobody has the other end open any more.
    let _ = File::from(ours).read_to_end(&mut said);
    assert!(program.wait().unwrap().success(), "{command:?}");
    String::from_utf8(said).unwrap().replace("\r\n", "\n")
}

/// All that are written with clap: the wrong ones are not.
fn programs() -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().unwrap());
    let programs = targets.filter(|target| target["kind"][0] == "bin");
    let names = programs.map(|target| target["name"].as_str().unwrap().to_owned());
    names.filter(|name| !name.starts_with("zoo-")).collect()
}
