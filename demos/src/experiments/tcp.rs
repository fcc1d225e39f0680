//! A TCP pair: bind, listen, accept on one side, connect on the other, and then both send and receive.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Ended, Scene};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "tcp",
    claim: "a server binds, listens and accepts; a client connects; then both send and receive",
    prediction: Prediction {
        question: "a client sends `hello`, the server answers `hi`, and both programs end. How many sockets \
                   does the server close?",
        choices: &[
            wrong(
                "one: the connection",
                "That counts only the socket that `accept` returned. The listening socket carried no bytes, \
                 but it's a socket too: the server's last two calls are `close` and `close`.",
            ),
            right(
                "two: the connection and the listener",
                "The listening socket is only there to accept connections; `accept` returned a second socket, \
                 for this client. The server's last two calls are `close` and `close`, one for each.",
            ),
            wrong(
                "none: the client closes for both",
                "A `close` ends only your own end. When the client closes, the server's `recv` returns 0 \
                 bytes, and the server's two sockets stay open until the server closes them.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let (server, client) =
        (CommandLine::new("tcp-basic-server", &[]), CommandLine::new("tcp-basic-client", &[]));
    pair(scene, &server, &client, "127.0.0.1")
}

/// The conversation, over whichever family `host` belongs to.
pub fn pair(
    scene: &mut Scene,
    server: &CommandLine,
    client: &CommandLine,
    host: &str,
) -> Result<Verdict, SetupError> {
    scene.terminals(&[server, client])?;
    scene.blank()?;
    let server = scene.server("server", server, host)?;
    let client = scene.client("client", client, &server.address()?)?.end()?;
    let server = server.end()?;
    scene.says("client", &client.stdout)?;
    scene.says("server", server.said_then())?;
    scene.blank()?;
    scene.row("The server called", &calls(&server))?;
    scene.row("The client called", &calls(&client))?;

    let closed = server.events.iter().filter(|event| event.call == "close").count();
    scene.came(match closed {
        1 => "one: the connection",
        2 => "two: the connection and the listener",
        _ => "none: the client closes for both",
    });
    let mut findings = Findings::default();
    findings.equal("the server's stdout to end with", server.said_then().as_str(), "hello\n");
    findings.equal("the client's stdout", client.said().as_str(), "hi\n");
    findings.equal("the server's sends", server.moved("send"), vec![b"hi".to_vec()]);
    findings.equal("the client's sends", client.moved("send"), vec![b"hello".to_vec()]);
    Ok(findings.verdict("`hello` went one way and `hi` the other, on one connection"))
}

/// The names of the socket calls it made, in order.
fn calls(ended: &Ended) -> String {
    ended.events.iter().map(|event| event.call.as_str()).collect::<Vec<_>>().join(", ")
}
