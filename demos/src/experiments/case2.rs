//! Case 2: a recv that asks for too little leaves the rest to the next.

use crate::experiments::{Experiment, case1};
use crate::prediction::Prediction;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "case2",
    claim: "the same client; recv(2) takes `he`, and recv(5) takes the rest of it and all of `hi`",
    prediction: Some(Prediction {
        question: "a client sends `hello`, then `hi`. The server reads late: recv(2), then recv(5). What does it print?",
        choices: &[
            "info_1: he, info_2: llo",
            "info_1: he, info_2: llohi",
            "info_1: hello, info_2: hi",
        ],
    }),
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
