//! Where fix 1 breaks: the length arrives as digits without an end, and the client assumes that one recv returns them all.
//!
//! Waiting for `OK` slows the stream down, so that on a kind network one recv gets exactly the digits. But it marks no
//! boundary: the relay passes one byte at a time, as any network may, and 20 in a second. On a fast line the next byte is
//! sometimes there already when the client checks for bytes that nobody announced, and then it notices.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::{Direction, Message};

pub const EXPERIMENT: Experiment = Experiment {
    name: "ack-cut",
    claim: "cut into single bytes, fix 1 misreads its length: a handshake is not a boundary",
    prediction: Prediction {
        question: "with fix 1, the server sends the length as digits (`19`), waits for an `OK`, and then sends \
                   the answer, 19 bytes of text. The network delivers one byte at a time. Once the client has its \
                   answer, it sends a second command. What does it print for the first?",
        choices: &[
            wrong(
                "the answer, all 19 bytes",
                "It would, if one `recv` always returned the whole length. Here it returned `1`, so the client \
                 read an answer of one byte, and that was the `9`.",
            ),
            right(
                "9, and then it stops with an error",
                "The first `recv` returned `1`, so the client read an answer of one byte: the `9`. After the \
                 second command it expected a length, and got the `t` of \"this is the answer\". Waiting for \
                 `OK` doesn't say where a number ends.",
            ),
            wrong(
                "nothing: it waits forever",
                "It would wait only if bytes were missing, and none are. It believes the length is `1`, so it \
                 takes the next byte, the `9`, as the answer and prints it. After the second command it \
                 reads a `t`, which isn't a length, and stops.",
            ),
        ],
    },
    run,
};

/// 19 bytes with the newline: two digits.
const COMMAND: &str = "echo this is the answer";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("fix-ack-handshake-server", &[]);
    let cut =
        CommandLine::new("relay", &["--cut", "1", "--rate", "20", "--direction", "to-client"])
            .at("--to", "127.0.0.1:8888");
    let client = CommandLine::new("fix-ack-handshake-client", &["-c", COMMAND, "-c", "echo two"])
        .at("--connect", "127.0.0.1:7777");
    scene.terminals(&[&server, &cut, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let relay = scene.relay(&cut, &server.address()?)?;
    let client = scene.client("client", &client, &relay.address()?)?.end_somehow()?;
    let (relay, server) = (relay.stop()?, server.stop()?);
    scene.says("client", &client.stdout)?;
    let error = client.complaint();
    scene.says("client", error.split_once("answer: ").map_or(error.as_str(), |(_, why)| why))?;
    scene.says("client", format!("(exit code {})", client.code.unwrap_or(-1)))?;

    // What is still on its way when the client has given up is luck, and nobody reads it.
    let taken = client.moved("recv").len();
    let ends = [until(&server.events, 2), client.events.clone()].concat();
    let mut connections = timeline::connections(&ends, &relay.events);
    if let Some(relayed) = connections.first_mut().and_then(|one| one.relay.as_mut()) {
        relayed.to_client = until(&relayed.to_client, taken);
    }
    let messages = [Message::new("the length", 2), Message::new("the answer", 19)];
    scene.text("until the client gives up\n")?;
    for connection in &connections {
        scene.picture(&connection.stream(Direction::ToClient)?.with_messages(&messages))?;
    }

    let mut findings = Findings::default();
    findings.equal("what the client prints", client.said().as_str(), "9");
    findings.equal("its exit code", client.code, Some(5));
    findings.equal("the length on its way", server.moved("send").first(), Some(&b"19".to_vec()));
    scene.came(match (client.said().as_str(), client.code) {
        ("9", Some(1..)) => "9, and then it stops with an error".to_owned(),
        ("this is the answer\n", _) => "the answer, all 19 bytes".to_owned(),
        (said, _) => said.to_owned(),
    });
    Ok(findings.verdict("`19` was read as 1, the `9` as the answer, and the answer as a length"))
}

/// The events up to the send of this number.
fn until(events: &[observe::Event], sends: usize) -> Vec<observe::Event> {
    let mut left = sends;
    let keep = |event: &&observe::Event| {
        let counts = event.call == "send";
        let keep = !counts || left > 0;
        left -= usize::from(counts && left > 0);
        keep
    };
    events.iter().filter(keep).cloned().collect()
}
