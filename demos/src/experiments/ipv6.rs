//! The same TCP pair over IPv6: only the address changes.

use crate::command_line::CommandLine;
use crate::experiments::{Experiment, tcp};
use crate::prediction::Prediction;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::Verdict;
use std::net::{Ipv6Addr, TcpListener};

pub const EXPERIMENT: Experiment = Experiment {
    name: "ipv6",
    claim: "the same programs talk over IPv6: only the address changes, no call",
    prediction: Some(Prediction {
        question: "the same pair over IPv6: which calls of the two programs change?",
        choices: &[
            "socket, bind and connect have other names",
            "none: only the address is different",
            "listen and accept are not needed",
        ],
    }),
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    if let Err(error) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        return Ok(Verdict::NotTested(format!("this machine has no IPv6 loopback: {error}")));
    }
    let server = CommandLine::new("tcp-basic-server", &[]).at("--listen", "[::1]:8888");
    let client = CommandLine::new("tcp-basic-client", &[]).at("--connect", "[::1]:8888");
    let verdict = tcp::pair(scene, &server, &client, "[::1]")?;
    if verdict.is_fine() {
        scene.came("none: only the address is different");
    }
    Ok(verdict)
}
