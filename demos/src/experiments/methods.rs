//! Every method of Python's socket objects that the course names, its Rust counterpart, and what it returned.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::Prediction;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "methods",
    claim: "the tutorial's twenty socket methods have counterparts in Rust, and here is what each returned",
    prediction: Some(Prediction {
        question: "connect_ex to a port where nobody listens: what does it do?",
        choices: &["it waits", "it returns an error code", "it succeeds, and the first send fails"],
    }),
    run,
};

const METHODS: [&str; 20] = [
    "bind",
    "listen",
    "accept",
    "connect",
    "connect_ex",
    "recv",
    "send",
    "sendall",
    "recvfrom",
    "sendto",
    "getpeername",
    "getsockname",
    "getsockopt",
    "setsockopt",
    "close",
    "setblocking",
    "settimeout",
    "gettimeout",
    "fileno",
    "makefile",
];

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let tour = CommandLine::new("tcp-basic-tour", &[]);
    scene.terminals(&[&tour])?;
    let tour = scene.start("tour", &tour, &[])?.end()?;
    // The table adapts to the terminal: a label beside it would break its rows.
    scene.table(&tour.said())?;

    // A row of the table begins with the call as Python writes it.
    let said = tour.said();
    let missing: Vec<_> = METHODS
        .into_iter()
        .filter(|name| !said.lines().any(|row| row.starts_with(&format!("{name}("))))
        .collect();
    scene.came(match said.contains("ConnectionRefused") {
        true => "it returns an error code",
        false => "it succeeds, and the first send fails",
    });
    let mut findings = Findings::default();
    findings.equal("methods without a row:", missing, Vec::new());
    Ok(findings.verdict(format!("{} methods, all executed", METHODS.len())))
}
