//! Every method of Python's socket objects that the course names, its Rust counterpart, and what it returned.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "methods",
    claim: "the tutorial's twenty socket methods have counterparts in Rust, and here is what each returned",
    prediction: Prediction {
        question: "a Python program calls `connect_ex` with a port on which nobody is listening. What does the \
                   call do?",
        choices: &[
            right(
                "it returns an error code",
                "The kernel over there refuses at once, and `connect_ex` returns that as a number: 111 on \
                 Linux. Python's `connect` raises an exception instead; Rust has only one `connect`, which \
                 returns the error.",
            ),
            wrong(
                "it waits",
                "It does wait for an answer, but that comes at once: the kernel over there knows that nobody \
                 listens on this port, and refuses. You'd have to wait if the machine weren't there, or if a \
                 firewall dropped the packet.",
            ),
            wrong(
                "it succeeds, and the first send fails",
                "UDP's `connect` succeeds without asking anybody. TCP's asks the kernel at the other end, and \
                 gets a refusal (error 111 on Linux), so there's no connection on which to send.",
            ),
        ],
    },
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
