//! AF_UNIX: the endpoint is a file, and the calls are those of TCP.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::Prediction;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "unix",
    claim: "over AF_UNIX a file names the endpoint; the calls are the same",
    prediction: Some(Prediction {
        question: "a server listens on a file. What is at that path while it runs, and what after it has ended?",
        choices: &[
            "the bytes that were sent, and they stay",
            "a socket, and nothing",
            "nothing, and a log",
        ],
    }),
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let (server, client) =
        (CommandLine::new("af-unix-server", &[]), CommandLine::new("af-unix-client", &[]));
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let file = scene.directory().join("socket");
    let path = file.to_string_lossy();
    let server = scene.start("server", &server, &["--path", &path])?;
    let address = server.address()?;
    scene.says("server", format!("listening on {address}"))?;
    let is_there = file.exists();
    let client = scene.start("client", &client, &["--path", &path])?.end()?;
    let server = server.end()?;
    scene.says("client", &client.stdout)?;
    scene.says("server", server.said_then())?;

    scene.came(match (is_there, file.exists()) {
        (true, false) => "a socket, and nothing",
        (true, true) => "the bytes that were sent, and they stay",
        (false, _) => "nothing, and a log",
    });
    let mut findings = Findings::default();
    findings.equal("the server to listen on", address.as_str(), &path);
    findings.equal("a file at that path:", is_there, true);
    findings.equal("the server to receive", server.moved("recv").concat(), b"hello".to_vec());
    findings.equal("the client to receive", client.moved("recv").concat(), b"hi".to_vec());
    findings.equal("the file to be there afterwards:", file.exists(), false);
    Ok(findings.verdict(
        "`hello` and `hi` went through a socket that a file names, and the file is gone again",
    ))
}
