//! A UDP pair: no connection, each datagram carries its sender's address, and the answer goes there.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "udp",
    claim: "UDP needs no connection: a datagram comes with its sender's address, and the answer goes there",
    prediction: Prediction {
        question: "a UDP server answers a client that never called `connect`. How does it know where to send \
                   the answer?",
        choices: &[
            right(
                "recvfrom gave it the address",
                "Each datagram carries its sender's address. `recvfrom` returns both, and the server hands the \
                 address to `sendto`.",
            ),
            wrong(
                "the client wrote it in its message",
                "The message is `from udp client`, and nothing else. The address is in the headers of the packet, \
                 where the client's kernel put it, and `recvfrom` returns it along with the message.",
            ),
            wrong(
                "it called accept first",
                "`accept` returns a connection, and UDP has none. One socket serves every client, and each \
                 datagram says where it comes from.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let (server, client) =
        (CommandLine::new("udp-basic-server", &[]), CommandLine::new("udp-basic-client", &[]));
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    let server = server.end()?;
    scene.says("server", server.said_then())?;
    scene.says("client", &client.stdout)?;

    let peer_of = |call| {
        server.events.iter().find(|event| event.call == call).and_then(|event| event.peer.clone())
    };
    let accepts = server.events.iter().any(|event| event.call == "accept");
    let addressed = peer_of("sendto").is_some() && peer_of("sendto") == peer_of("recvfrom");
    scene.came(match (addressed, accepts) {
        (true, _) => "recvfrom gave it the address",
        (false, true) => "it called accept first",
        (false, false) => "the client wrote it in its message",
    });
    let mut findings = Findings::default();
    let question = b"from udp client".to_vec();
    findings.equal("the server to receive", server.moved("recvfrom"), vec![question]);
    findings.equal("the client's stdout", client.said().as_str(), "你好\n");
    findings.equal("the answer to go to", peer_of("sendto"), peer_of("recvfrom"));
    let connects = client.events.iter().filter(|event| event.call == "connect").count();
    findings.equal("the client's calls of connect:", connects, 0);
    Ok(findings.verdict("one datagram each way, and nobody called connect, listen or accept"))
}
