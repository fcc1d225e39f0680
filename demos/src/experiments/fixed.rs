//! Fixed length: a message ends after 8 bytes, always. Simple, and each message costs as much as the longest.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::{Direction, Message};

pub const EXPERIMENT: Experiment = Experiment {
    name: "fixed",
    claim: "records of 8 bytes are read whole however the stream is cut; but `hi` costs 8, and 9 don't fit",
    prediction: Prediction {
        question: "the client pads each message to 8 bytes with zero bytes, and the server reads records of 16 \
                   bytes. The client sends `hello` and `hi`. What does the server see?",
        choices: &[
            wrong(
                "two messages: hello and hi",
                "The client's records have 8 bytes, but this server counts to 16 before it looks. Nothing in \
                 the bytes says that a message ends after 8.",
            ),
            right(
                "one message: hello, three zero bytes, hi",
                "Two records of 8 bytes make one of 16. The server removes the zeros at the end, but the three \
                 after `hello` are in the middle now. Neither side notices that the sizes don't agree.",
            ),
            wrong(
                "no message: it waits for more",
                "It would wait if fewer than 16 bytes had come. But two records of 8 are exactly 16, so the \
                 server believes that it has one whole message.",
            ),
        ],
    },
    run,
};

const SIZE: usize = 8;
const MESSAGES: [&str; 2] = ["hello", "hi"];

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    let server = CommandLine::new("fixed-server", &[]);
    let cut = CommandLine::new("relay", &["--cut", "3,8,*", "--direction", "to-server"])
        .at("--to", "127.0.0.1:8888");
    let client = CommandLine::new("fixed-client", &[]).at("--connect", "127.0.0.1:7777");
    scene.terminals(&[&server, &cut, &client])?;
    scene.blank()?;
    let running = scene.server("server", &server, "127.0.0.1")?;
    let relay = scene.relay(&cut, &running.address()?)?;
    let asked = scene.client("client", &client, &relay.address()?)?.end()?;
    let (relay, served) = (relay.stop()?, running.end()?);
    scene.says("server", served.said_then())?;
    scene.says("client", &asked.stdout)?;
    let messages = MESSAGES.map(|text| {
        // The padding comes after the payload, so it's the framing here.
        let mut message = Message::framed(&format!("\"{text}\""), SIZE - text.len(), text.len());
        message.parts.reverse();
        message
    });
    let ends = [asked.events.clone(), served.events.clone()].concat();
    for connection in &timeline::connections(&ends, &relay.events) {
        scene.picture(&connection.stream(Direction::ToServer)?.with_messages(&messages))?;
    }
    let (payload, travelled) = (MESSAGES.concat().len(), asked.moved("send").concat().len());
    scene.blank()?;
    scene.count("bytes that say something", payload, travelled)?;
    findings.equal(
        "what the server says",
        served.said_then(),
        "message 1: hello\nmessage 2: hi\n".into(),
    );
    findings.equal("what the client prints", asked.said(), "HELLO\nHI\n".to_owned());
    findings.equal("bytes that travelled:", travelled, MESSAGES.len() * SIZE);

    // Two sides that do not agree.
    let other = CommandLine::new("fixed-server", &["--size", "16"]);
    let client = CommandLine::new("fixed-client", &[]);
    scene.terminals(&[&other, &client])?;
    scene.blank()?;
    let running = scene.start("server", &other, &["--listen", "127.0.0.1:0"])?;
    let asked = scene.client("client", &client, &running.address()?)?.end()?;
    let served = running.end()?;
    let said = served.said_then();
    scene.says("server", &said)?;
    scene.says("client", &asked.stdout)?;
    let glued = "message 1: hello\\u{0}\\u{0}\\u{0}hi\n";
    scene.came(match said.as_str() {
        "" => "no message: it waits for more",
        _ if said == glued => "one message: hello, three zero bytes, hi",
        _ => "two messages: hello and hi",
    });
    findings.equal("with 16 and 8 bytes, the server to say", said.as_str(), glued);
    findings.equal("what the client prints then", asked.said(), "HELLO\nHI\n".to_owned());

    // What does not fit.
    let long = CommandLine::new("fixed-client", &["nine byte"]);
    scene.terminals(&[&long])?;
    scene.blank()?;
    let refused = scene.client("client", &long, "127.0.0.1:1")?.end_somehow()?;
    scene.says("client", refused.complaint())?;
    scene.says("client", format!("(exit code {})", refused.code.unwrap_or(-1)))?;
    findings.equal("the exit code for 9 bytes", refused.code, Some(2));
    Ok(findings.verdict("cut in three, both records were read whole; 7 of 16 bytes said something"))
}
