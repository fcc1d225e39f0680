//! `send` may take fewer bytes than it was given; a loop gets all of them across.

use crate::experiments::Experiment;
use crate::scene::Scene;
use crate::trouble::Trouble;
use crate::typed::Typed;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "sendall",
    claim: "one send takes less than it was given once the buffers are full; a loop sends all of it",
    prediction: None,
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, Trouble> {
    let program = Typed::new("tcp-basic-sendall", &[]);
    scene.terminals(&[&program])?;
    scene.blank()?;
    let program = scene.start("sendall", &program, &[])?.end()?;
    scene.lane("sendall", &program.stdout)?;

    // What the program says of itself is not the evidence: its recorded calls are.
    let sends = program.events.iter().filter(|event| event.call == "send" && event.error.is_none());
    let first = sends.clone().next().map(|send| (send.got, send.asked));
    let (got, asked) = match first {
        Some((Some(got), Some(asked))) => (got, asked),
        _ => (0, 0),
    };
    let (sent, received) = (program.moved("send").concat(), program.moved("recv").concat());

    let mut findings = Findings::default();
    findings.holds(got < asked, "the first send to take less than it was given", (got, asked));
    findings.holds(sends.count() > 1, "more than one send", "one");
    findings.equal("the reader to get, in bytes,", received.len() as u64, asked);
    findings.holds(sent == received, "the bytes that were sent", "others");
    Ok(findings.verdict("the first send took a part; the loop sent the rest, byte-exact"))
}
