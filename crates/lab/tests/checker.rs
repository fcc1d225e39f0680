//! The checker itself: it says the same each time, its cases can be replayed, and it is fair to programs that are
//! written differently.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab::labs::{self, Case, Lab, Texts};
use lab::{Failure, Options, Outcome, Report, Submission, check};
use stage::Scratch;

const LAB: &str = env!("CARGO_BIN_EXE_lab");

#[test]
fn a_case_that_panics_is_a_failed_case_and_the_others_are_played() {
    fn case(id: &'static str, play: fn(&mut lab::Trial) -> Result<(), lab::CaseFailure>) -> Case {
        Case { id, points: 1, rule: "", proves: &[], hint: "", fits: &[], play }
    }
    let cases = Box::leak(Box::new([
        case("panics", |_| panic!("a defect {}", 7)),
        case("fails", |_| Err(lab::CaseFailure::new(lab::Fault::Rule, "broken"))),
        case("passes", |_| Ok(())),
    ]));
    let texts = Texts {
        starter_rust: "",
        starter_python: "",
        solution_rust: "",
        solution_python: "",
        modules: &[],
        hints: "",
    };
    let lab = Lab { name: "made-up", task: "", rules: &[], cases, texts };
    let mut told = Vec::new();
    let report = check(&lab, &Submission::default(), &Options::default(), &mut |case| {
        told.push(case.id.clone());
    });
    assert_eq!(told, ["panics", "fails", "passes"]);
    assert!(failure(&report, "panics").what.contains("not your program: a defect 7."));
    assert_eq!(failure(&report, "fails").what, "broken");
    assert_eq!((report.score(), report.max_score()), (1, 3));
}

#[test]
fn the_same_program_and_seed_give_the_same_report() {
    let Some(command) = starter() else { return };
    let report = || {
        let submission = Submission { command: command.clone(), ..Submission::default() };
        let options = Options { seed: 5, ..Options::default() };
        let mut report = check(labs::find("echo").unwrap(), &submission, &options, &mut |_| {});
        report.seconds = 0.0;
        for case in &mut report.cases {
            case.seconds = 0.0;
        }
        report
    };
    let first = report();
    assert_eq!(first.cases.iter().filter(|case| case.score() == 0).count(), 10);
    assert_eq!(first, report());
}

#[test]
fn the_line_in_a_report_plays_the_same_case_again() {
    let Some(command) = starter() else { return };
    let scratch = Scratch::new().unwrap();
    // A folder whose name a shell would split or expand.
    let folder = scratch.path().join("it's $HOME");
    fs::create_dir(&folder).unwrap();
    let toml = format!("lab = \"echo\"\ncommand = {command:?}\n");
    fs::write(folder.join("lab.toml"), toml).unwrap();
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    for what in [[&["echo", "--"], words.as_slice()].concat(), vec!["it's $HOME"]] {
        let mut check = Command::new(LAB);
        check.args(["check", "--format", "json", "--seed", "9"]).args(what);
        let first = report(&check.current_dir(scratch.path()).output().unwrap());
        let failed = failure(&first, "cut-at-random");
        let line = failed.replay.replace("scripts/lab.sh check", "\"$LAB\" check --format json");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &line]).env("LAB", LAB).current_dir(scratch.path());
        let again = report(&shell.output().unwrap());
        assert_eq!(again.cases.len(), 1, "{line}");
        let replayed = failure(&again, "cut-at-random");
        assert_eq!(
            (&replayed.steps, &replayed.bytes, &replayed.schedule, &replayed.replay),
            (&failed.steps, &failed.bytes, &failed.schedule, &failed.replay)
        );
        // The seed that the relay ran with, not the seed of the check.
        assert!(failed.schedule.contains(" seed=") && !failed.schedule.contains("seed=9 "));
    }
}

/// A hint about something else is worse than no hint.
#[test]
fn what_to_think_about_fits_what_happened() {
    let Some(python) = stage::python() else { return };
    let think_about = |file: &str, case: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo").join(file);
        let command = vec![python.display().to_string(), path.display().to_string()];
        let submission = Submission { command, ..Submission::default() };
        let options = Options { case: Some(case.to_owned()), ..Options::default() };
        let report = check(labs::find("echo").unwrap(), &submission, &options, &mut |_| {});
        failure(&report, case).hint.clone()
    };
    // The case is about partial writes, which have nothing to do with a decoding error.
    let decodes = think_about("echo_decodes.py", "slow-reader");
    assert!(decodes.contains("What it printed last"), "{decodes}");
    let partial = think_about("echo_sends_once.py", "slow-reader");
    assert!(partial.contains("a write takes only part"), "{partial}");
    // The peer has not ended its side, and is waiting.
    let waits = think_about("echo_keeps_a_line_end.py", "turn-by-turn");
    assert!(waits.contains("The peer is waiting for you, too"), "{waits}");
    let drips = think_about("echo_too_slow.py", "both-ways");
    assert!(drips.contains("too long"), "{drips}");
    let keeps = think_about("echo_keeps_a_line_end.py", "silence");
    assert!(keeps.contains("it is waiting for you, too"), "{keeps}");
}

#[test]
fn wrong_use_is_explained() {
    let check = |words: &[&str]| {
        let output = Command::new(LAB).arg("check").args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = check(&["echo"]);
    assert!(said.contains("scripts/lab.sh check echo -- python3 echo.py"), "{said}");
    let said = check(&["echo", "--case", "none", "--", "true"]);
    assert!(
        said.contains("echo has no case \"none\"") && said.contains("cut-everywhere"),
        "{said}"
    );
    let said = check(&["ehco", "--", "true"]);
    assert!(said.contains("no lab is called \"ehco\"") && said.contains("read-exactly"), "{said}");
    let said = check(&["nowhere"]);
    assert!(said.contains("there is no folder nowhere"), "{said}");
}

/// What is judged is what the page asks for. How a program does it, and whether it serves another peer afterwards, is
/// up to the program.
#[test]
fn right_programs_of_every_kind_pass() {
    let Some(python) = stage::python() else { return };
    let scratch = Scratch::new().unwrap();
    for (name, text) in [
        (
            "threads.py",
            "\
import socketserver, sys
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(100): self.request.sendall(data)
host, port = sys.argv[-1].rsplit(':', 1)
# It sets no SO_REUSEADDR, says nothing, and serves for ever. After a reset it prints a traceback and serves on.
socketserver.ThreadingTCPServer((host, int(port)), Echo).serve_forever()
",
        ),
        (
            "one_peer.py",
            "\
import socket, sys
host, port = sys.argv[-1].rsplit(':', 1)
listener = socket.create_server((host, int(port)), backlog=0)
conn, _ = listener.accept()
listener.close()
while data := conn.recv(1 << 20): conn.sendall(data)
",
        ),
        (
            "asyncio_streams.py",
            "\
import asyncio, sys
async def echo(reader, writer):
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except ConnectionError: pass
    writer.close()
async def main():
    host, port = sys.argv[-1].rsplit(':', 1)
    async with await asyncio.start_server(echo, host, int(port)) as server: await server.serve_forever()
asyncio.run(main())
",
        ),
        (
            "all_in_memory.py",
            "\
import selectors, socket, sys
host, port = sys.argv[-1].rsplit(':', 1)
conn, _ = socket.create_server((host, int(port))).accept()
conn.setblocking(False)
kept, ended = bytearray(), False
with selectors.DefaultSelector() as ready:
    ready.register(conn, selectors.EVENT_READ)
    while kept or not ended:
        events = (0 if ended else selectors.EVENT_READ) | (selectors.EVENT_WRITE if kept else 0)
        ready.modify(conn, events)
        for _, event in ready.select():
            if event & selectors.EVENT_READ:
                data = conn.recv(65536)
                ended = not data
                kept += data
            if event & selectors.EVENT_WRITE:
                del kept[:conn.send(kept[:65536])]
",
        ),
    ] {
        fs::write(scratch.path().join(name), text).unwrap();
        let command = vec![python.display().to_string(), name.to_owned()];
        let submission =
            Submission { command, folder: Some(scratch.path().to_owned()), build: None };
        let echo = labs::find("echo").unwrap();
        let report = check(echo, &submission, &Options::default(), &mut |case| {
            assert_eq!(case.outcome, Outcome::Passed, "{name}: {}", case.id);
        });
        assert!(report.passed());
    }
}

/// The Python starter of echo, by its absolute path.
fn starter() -> Option<Vec<String>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("labs/echo/starter.py");
    Some(vec![stage::python()?.display().to_string(), path.display().to_string()])
}

fn report(output: &Output) -> Report {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn failure<'a>(report: &'a Report, id: &str) -> &'a Failure {
    let case = report.cases.iter().find(|case| case.id == id).unwrap();
    match &case.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Passed => panic!("{id} passed"),
    }
}
