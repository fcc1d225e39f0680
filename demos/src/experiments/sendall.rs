//! `send` may take fewer bytes than it was given; a loop gets all of them across.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "sendall",
    claim: "one send takes less than it was given once the buffers are full; a loop sends all of it",
    prediction: Prediction {
        question: "a program passes 8 MiB to a single `send`, on a socket that doesn't block, and nobody is \
                   reading yet. What does that `send` do?",
        choices: &[
            wrong(
                "it takes all 8 MiB",
                "That's how it looks with a blocking `send`, which waits inside the kernel until the last byte \
                 has found room. This one doesn't wait. It took as much as there was room for, 130,964 bytes \
                 in our run, and returned.",
            ),
            right(
                "it takes a part of it",
                "It takes what fits into the buffer (130,964 bytes in our run) and returns that number. The \
                 rest is still yours to send: that's the loop in `sendall`.",
            ),
            wrong(
                "it fails: too much at once",
                "TCP has no largest message, because it has no messages. Offered too much, `send` takes the \
                 beginning. On a socket that doesn't block, it fails only if there's no room at all.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let program = CommandLine::new("tcp-basic-sendall", &[]);
    scene.terminals(&[&program])?;
    scene.blank()?;
    let program = scene.start("sendall", &program, &[])?.end()?;
    scene.says("sendall", &program.stdout)?;

    // The evidence is the recorded calls, not what the program says about itself.
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
    scene.came(match first {
        Some((Some(got), Some(asked))) if got >= asked => "it takes all 8 MiB",
        Some((Some(_), _)) => "it takes a part of it",
        _ => "it fails: too much at once",
    });
    findings.equal("the reader to get, in bytes,", received.len() as u64, asked);
    findings.holds(sent == received, "the bytes that were sent", "others");
    Ok(findings.verdict("the first send took a part; the loop sent the rest, byte-exact"))
}
