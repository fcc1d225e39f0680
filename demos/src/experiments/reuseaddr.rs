//! A server that was just stopped can't get its port again without SO_REUSEADDR; with it, it can.
//!
//! The side that closes a connection first keeps it in the state TIME_WAIT for a while, in case old segments are still on
//! their way (RFC 9293, 3.4.1). The port belongs to that connection, and `bind` says "address in use".

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "reuseaddr",
    claim: "right after a server closed a connection its port is refused, unless SO_REUSEADDR is set",
    prediction: Prediction {
        question: "a server has served a client, was the first to close the connection, and has ended. It's \
                   started again at once, on the same port, without SO_REUSEADDR. What happens?",
        choices: &[
            right(
                "it is refused: the address is in use",
                "No program is using the port, but a connection still is: the server closed first, so its end \
                 stays in TIME_WAIT for a while. `bind` says \"Address already in use\", unless SO_REUSEADDR \
                 tells it to ignore such a connection.",
            ),
            wrong(
                "it listens: the port is free",
                "The server has ended, but its connection hasn't. The server closed first, so the kernel keeps \
                 its end in TIME_WAIT (for a minute on Linux), and the port with it: `bind` fails.",
            ),
            wrong(
                "it waits until the port is free",
                "`bind` never waits: it succeeds or fails at once. Here it fails. If you want to wait for the \
                 port, you have to try again yourself.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("tcp-basic-server", &[]);
    let client = CommandLine::new("tcp-basic-client", &[]);
    let without = CommandLine::new("tcp-basic-server", &["--no-reuse-address"]);
    scene.terminals(&[&server, &client])?;
    scene.then("and again in terminal 1, at once, without the option and with it:")?;
    scene.then_type(&without)?;
    scene.then_type(&server)?;
    scene.blank()?;

    // Served once: the server closes first, and its end of the connection goes into TIME_WAIT.
    let first = scene.server("server", &server, "127.0.0.1")?;
    let address = first.address()?;
    let client = scene.client("client", &client, &address)?.end()?;
    let first = first.end()?;
    scene.says("client", &client.stdout)?;
    scene.says("server", first.said_then())?;

    let refused = scene.start("without", &without, &["--listen", &address])?.end_somehow()?;
    scene.says("without", refused.complaint())?;

    let second = scene.start("with", &server, &["--listen", &address])?;
    let bound = second.address();
    scene.says("with", bound.as_ref().map_or(String::new(), |at| format!("listening on {at}")))?;

    let mut findings = Findings::default();
    scene.came(match refused.code {
        Some(3) => "it is refused: the address is in use",
        _ => "it listens: the port is free",
    });
    findings.equal("without the option: exit code", refused.code, Some(3));
    let error = refused.events.iter().find_map(|event| Some((&*event.call, event.error.as_ref()?)));
    findings.equal("without the option: the call that fails", error.map(|e| e.0), Some("bind"));
    findings.equal("with the option: a server at", bound?, address);
    Ok(findings.verdict("without the option bind failed, with it the server listens again"))
}
