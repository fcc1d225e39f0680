//! Fix 2: the length travels as four bytes in front of the answer, and both sides must agree on their order.
//!
//! It says where the answer ends, however the stream is cut: through a relay that passes single bytes, the four bytes of
//! the length arrive in four recvs, and the client waits until it has them all.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::{Direction, Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "struct",
    claim: "123 packed is `7b 00 00 00`; read in the other byte order that is 2,063,597,568",
    prediction: Prediction {
        question: "a sender packs 123 as `<i`: the bytes `7b 00 00 00`. A receiver unpacks them as `>i`, with the \
                   most significant byte first. Which number does it read?",
        choices: &[
            right(
                "2,063,597,568",
                "To this receiver, the first byte counts most: 123 × 2²⁴. There's no error, because any four \
                 bytes are a number. Both sides have to agree on one order.",
            ),
            wrong(
                "123",
                "Nothing in the four bytes says which order they're in. To this receiver, the first byte \
                 counts most, so `7b 00 00 00` is 123 × 2²⁴, more than two billion.",
            ),
            wrong(
                "-123",
                "The sign is the highest bit of the byte that counts most. For this receiver, that byte is \
                 `7b`, or 0111 1011: it begins with a 0, so the number is positive, and large.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let pack = CommandLine::new("fix-struct-prefix-pack", &[]);
    scene.terminals(&[&pack])?;
    let pack = scene.start("pack", &pack, &[])?.end()?;
    scene.table(&pack.said())?;

    // 123 bytes, so that these four bytes are really sent once.
    let server = CommandLine::new("fix-struct-prefix-server", &[]);
    let client = CommandLine::new("fix-struct-prefix-client", &["-c", "printf '%0123d' 7"]);
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    let server = server.stop()?;
    scene.says("client", &client.stdout)?;
    let answer = server.moved("send").concat();
    let stream = Stream::from_events(&server.events, &client.events)?
        .between("server", "client")
        .called("direct")
        .with_messages(&[Message::framed("the answer", 4, answer.len().saturating_sub(4))]);
    scene.picture(&stream)?;

    let prefix = answer.first_chunk::<4>().copied().unwrap_or_default();
    let mut findings = Findings::default();
    let said = pack.said();
    for shown in ["7b 00 00 00", "2063597568"] {
        let plain = said.replace([',', '_'], "");
        findings.holds(plain.contains(shown), &format!("{shown} in what pack says"), &said);
    }
    findings.equal("the prefix on the wire", prefix, [0x7b, 0, 0, 0]);
    findings.equal("read in the other order", i32::from_be_bytes(prefix), 2_063_597_568);
    findings.equal("bytes of the answer:", client.stdout.len(), 123);
    scene.came(match i32::from_be_bytes(prefix) {
        2_063_597_568 => "2,063,597,568".to_owned(),
        other => other.to_string(),
    });
    behind_a_cut(scene, &mut findings)?;
    Ok(findings.verdict(
        "the same four bytes came before an answer of 123; cut into single bytes, an answer was still read whole",
    ))
}

/// The same client, through a relay that passes one byte at a time.
fn behind_a_cut(scene: &mut Scene, findings: &mut Findings) -> Result<(), SetupError> {
    let server = CommandLine::new("fix-struct-prefix-server", &[]);
    let cut = CommandLine::new("relay", &["--cut", "1", "--direction", "to-client"])
        .at("--to", "127.0.0.1:8888");
    let client = CommandLine::new("fix-struct-prefix-client", &["-c", "echo hi"])
        .at("--connect", "127.0.0.1:7777");
    scene.terminals(&[&server, &cut, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let relay = scene.relay(&cut, &server.address()?)?;
    let client = scene.client("client", &client, &relay.address()?)?.end()?;
    let (relay, server) = (relay.stop()?, server.stop()?);
    scene.says("client", &client.stdout)?;
    let ends = [server.events, client.events.clone()].concat();
    for connection in timeline::connections(&ends, &relay.events) {
        let stream = connection.stream(Direction::ToClient)?;
        let stream = stream.called("behind relay --cut 1");
        scene.picture(&stream.with_messages(&[Message::framed("the answer", 4, 3)]))?;
    }
    let pieces: Vec<_> = client.moved("recv").iter().map(Vec::len).collect();
    findings.equal("behind the cut, bytes in each recv", pieces, vec![1; 7]);
    findings.equal("behind the cut, the client's stdout", client.said().as_str(), "hi\n");
    Ok(())
}
