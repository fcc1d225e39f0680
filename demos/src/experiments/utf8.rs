//! A character cut between two recvs is not text yet: decode after the frame, not after the recv.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::{Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "utf8",
    claim: "a character cut between two recvs is not text yet: decode the whole message, not each recv",
    prediction: Prediction {
        question: "an answer has six lines of twelve Chinese characters: three bytes for each character, and one \
                   for each line feed. A client calls `recv(100)` twice. What do you get if you decode what each \
                   of the two returns as UTF-8, in Python or Rust?",
        choices: &[
            wrong(
                "text, both times",
                "Only if the cut doesn't fall inside a character. This one does: the first `recv` ends with `ef \
                 bc`, and the third byte of that comma, `8c`, comes with the second.",
            ),
            wrong(
                "text, but without one comma",
                "Python and Rust report an error. In JavaScript and Java, you'd get a replacement character by \
                 default, and the comma would be lost that way. The bytes aren't: two ended the first `recv`, and \
                 the third began the second.",
            ),
            right(
                "an error, both times",
                "Two lines are 74 bytes, so the cut comes inside the ninth character of the third: a comma, `ef \
                 bc 8c`. The first piece ends with `ef bc`, and the second begins with `8c`. Only the whole \
                 answer is text, so decode that.",
            ),
        ],
    },
    run,
};

/// 6 lines of 37 bytes, with three bytes for a Chinese character: the hundredth byte is the second of a character.
const GREETINGS: &str = "yes 你好，世界。你好，世界。 | head -6";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let raw_server = CommandLine::new("sticky-packet-repro-server", &["shell"]);
    let raw_client = CommandLine::new(
        "sticky-packet-repro-client",
        &["shell", "-c", GREETINGS, "-c", "echo more"],
    );
    let framed_server = CommandLine::new("fix-struct-prefix-server", &[]);
    let framed_client = CommandLine::new("fix-struct-prefix-client", &["-c", GREETINGS]);

    scene.terminals(&[&raw_server, &raw_client])?;
    scene.blank()?;
    let server = scene.server("server", &raw_server, "127.0.0.1")?;
    let client = scene.client("client", &raw_client, &server.address()?)?.end()?;
    let mut server = server.stop()?;
    let pieces = client.moved("recv");
    pieces.iter().try_for_each(|piece| scene.says("client", piece))?;
    // Whether the answer to `echo more` still reached its client is luck, and not the point here.
    let answer = server.moved("send").swap_remove(0);
    let first = server.events.iter().position(|event| event.call == "send").unwrap_or(0);
    server.events.truncate(first + 1);
    let stream = Stream::from_events(&server.events, &client.events)?
        .between("server", "client")
        .with_messages(&[Message::new("the answer", answer.len())]);
    scene.picture(&stream)?;

    scene.terminals(&[&framed_server, &framed_client])?;
    scene.blank()?;
    let server = scene.server("server", &framed_server, "127.0.0.1")?;
    let framed = scene.client("client", &framed_client, &server.address()?)?.end()?;
    server.stop()?;
    scene.says("client", &framed.stdout)?;

    let whole = "你好，世界。你好，世界。\n".repeat(6);
    scene.blank()?;
    for (index, piece) in pieces.iter().enumerate() {
        scene.row(&format!("recv {} without a frame", index + 1), &outcome(piece))?;
    }
    scene.row("the whole framed answer", &outcome(&framed.stdout))?;

    let mut findings = Findings::default();
    findings.equal("the server's answer", String::from_utf8_lossy(&answer).as_ref(), &whole);
    let ends: Vec<_> = pieces.iter().map(|piece| valid_up_to(piece)).collect();
    scene.came(match ends.iter().all(Option::is_some) {
        true => "an error, both times",
        false => "text, both times",
    });
    findings.equal("text in each recv, up to byte", ends, vec![Some(98), Some(0)]);
    findings.equal("the framed answer", framed.said(), whole);
    Ok(findings.verdict("neither recv was text; the whole answer was"))
}

fn outcome(bytes: &[u8]) -> String {
    let count = bytes.len();
    match std::str::from_utf8(bytes) {
        Ok(text) => format!("{count} bytes: text of {} characters", text.chars().count()),
        Err(error) => format!("{count} bytes: {error}"),
    }
}

/// Where decoding fails, if it does.
fn valid_up_to(bytes: &[u8]) -> Option<usize> {
    std::str::from_utf8(bytes).err().map(|error| error.valid_up_to())
}
