//! Fix 2: the length travels as four bytes in front of the answer, and both sides must agree on their order.

use crate::experiments::Experiment;
use crate::scene::Scene;
use crate::trouble::Trouble;
use crate::typed::Typed;
use crate::verdict::{Findings, Verdict};
use timeline::{Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "struct",
    claim: "123 packed is `7b 00 00 00`; read in the other byte order that is 2,063,597,568",
    prediction: None,
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, Trouble> {
    let pack = Typed::new("fix-struct-prefix-pack", &[]);
    scene.terminals(&[&pack])?;
    scene.blank()?;
    let pack = scene.start("pack", &pack, &[])?.end()?;
    scene.lane("pack", &pack.stdout)?;

    // 123 bytes, so that the same four bytes travel for once.
    let server = Typed::new("fix-struct-prefix-server", &[]);
    let client = Typed::new("fix-struct-prefix-client", &["-c", "printf '%0123d' 7"]);
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    let server = server.stop()?;
    scene.lane("client", &client.stdout)?;
    let answer = server.moved("send").concat();
    let stream = Stream::from_events(&server.events, &client.events)?
        .between("server", "client")
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
    Ok(findings.verdict("the same four bytes stood in front of an answer of 123 bytes"))
}
