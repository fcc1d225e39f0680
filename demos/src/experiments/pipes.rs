//! A child has two pipes to us, and each holds a limited amount: if you read one to its end first, you may wait forever.
//!
//! On Linux a pipe holds 65,536 bytes (pipe(7)). One byte more, and the child waits until somebody reads it.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use stage::StageError;
use std::time::Duration;

pub const EXPERIMENT: Experiment = Experiment {
    name: "pipes",
    claim: "reading a child's stderr to the end first hangs once its stdout is full; reading both does not",
    prediction: Prediction {
        question: "a pipe holds 65,536 bytes (Linux). A program reads its child's stderr to the end, then its \
                   stdout. The child writes 65,537 bytes to stdout and none to stderr. What does the program get?",
        choices: &[
            wrong(
                "all 65,537 bytes",
                "The child can't write them all. Nobody reads from this pipe yet, so the child waits, with one \
                 byte left to write. Its stderr ends only when the child does.",
            ),
            wrong(
                "the first 65,536 bytes",
                "Those are in the pipe. But the program reads stderr first, and to its end, and that end comes \
                 only when the child has written its last byte. It never gets to stdout.",
            ),
            right(
                "nothing: it waits forever",
                "Each waits for the other: the child for room in its stdout's pipe, and the program for the end \
                 of the child's stderr. One byte less, and nobody would have noticed.",
            ),
        ],
    },
    run,
};

const FITS: &str = "head -c 65536 /dev/zero";
const TOO_MUCH: &str = "head -c 65537 /dev/zero";
/// A mebibyte on each of the two.
const BOTH: &str = "head -c 1048576 /dev/zero | tee /dev/stderr";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let fits = CommandLine::new("zoo-stderr-first", &["-c", FITS]);
    let too_much = CommandLine::new("zoo-stderr-first", &["-c", TOO_MUCH]);
    scene.terminals(&[&fits])?;
    scene.then_type(&too_much)?;
    scene.blank()?;
    let fitted = scene.start("fits", &fits, &[])?.end()?;
    scene.says("fits", &fitted.stdout)?;

    // Only patience tells a program that hangs from a slow one: we wait twenty times as long as the run with one byte less
    // took, and at least a second. If it were only slow, the verdict would be wrong, but it holds even on a busy machine.
    let patience = Duration::from_secs(1).max(fitted.took * 20);
    let stuck = scene.start("one more", &too_much, &[])?;
    let ended = stuck.wait_until("its end", patience, |lines| {
        lines.first().map(|line| String::from_utf8_lossy(&line.text).into_owned())
    });
    // Dropping it ends it, and its child with it.
    drop(stuck);
    let hangs = matches!(ended, Err(StageError::TimedOut { .. }));
    let said = match ended {
        Err(StageError::TimedOut { .. }) => {
            "(nothing, for a second and more; the experiment ends it)"
        }
        Err(error) => return Err(error.into()),
        Ok(_) => "(it ended)",
    };
    scene.says("one more", said)?;
    scene.came(if hangs { "nothing: it waits forever" } else { "all 65,537 bytes" });

    let server = CommandLine::new("fix-struct-prefix-server", &[]);
    let client = CommandLine::new("fix-struct-prefix-client", &["-c", BOTH]);
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    server.stop()?;
    scene.says("client", format!("(prints {} bytes)", client.stdout.len()))?;

    let mut findings = Findings::default();
    findings.equal(
        "65,536 bytes: it says",
        fitted.said().as_str(),
        "the command wrote 65536 bytes to stdout, 0 to stderr\n",
    );
    findings.holds(hangs, "65,537 bytes: nothing, ever", said);
    findings.equal("bytes from a server that reads both:", client.stdout.len(), 2 << 20);
    Ok(findings.verdict("65,536 bytes came, one more hung; read side by side, two mebibytes came"))
}
