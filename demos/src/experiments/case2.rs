//! Case 2: a recv that asks for too little leaves the rest to the next.

use crate::experiments::{Experiment, case1};
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "case2",
    claim: "the same client; recv(2) takes `he`, and recv(5) takes the rest of it and all of `hi`",
    prediction: Prediction {
        question: "a client sends `hello`, then `hi`, and closes. Only then does the server read: `recv(2)`, \
                   then `recv(5)`. What does it print?",
        choices: &[
            wrong(
                "info_1: he, info_2: llo",
                "`recv(5)` doesn't know that a message ends after `llo`. It may take five bytes, and five are \
                 there: `llo`, and right after it `hi`.",
            ),
            right(
                "info_1: he, info_2: llohi",
                "`recv(2)` took two bytes, and the other five stayed in the kernel. `recv(5)` has room for \
                 exactly those: the end of one message, and all of the next.",
            ),
            wrong(
                "info_1: hello, info_2: hi",
                "The number is a limit: `recv(2)` returns two bytes at most. The rest of `hello` isn't lost: \
                 it waits in the kernel for the next `recv`.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    let info = case1::two_reads(scene, &["two-reads", "--hold", "--reads", "2,5"])?;
    scene.came(case1::on_one_line(&info));
    findings.equal("the server to say", info.as_str(), "info_1: he\ninfo_2: llohi\n");
    Ok(findings
        .verdict("the second recv began in the middle of one message and ended after another"))
}
