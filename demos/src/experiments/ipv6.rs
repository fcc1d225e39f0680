//! The same TCP pair over IPv6: only the address changes.

use crate::command_line::CommandLine;
use crate::experiments::{Experiment, tcp};
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::Verdict;
use std::net::{Ipv6Addr, TcpListener};

pub const EXPERIMENT: Experiment = Experiment {
    name: "ipv6",
    claim: "the same programs talk over IPv6: only the address changes, no call",
    prediction: Prediction {
        question: "a server and a client that talk over IPv4 are told to use IPv6. Which of their calls \
                   change?",
        choices: &[
            right(
                "none: only the family and the address differ",
                "The address is now `[::1]:8888`, and `socket` gets the family to match. From `bind` to \
                 `close`, the programs make the same calls as with IPv4, in the same order.",
            ),
            wrong(
                "socket, bind and connect have other names",
                "The calls have the same names for every family: it's the address that differs. With \
                 `[::1]:8888` in place of `127.0.0.1:8888`, the programs make the very same calls, in the same \
                 order.",
            ),
            wrong(
                "listen and accept aren't needed",
                "That would be UDP, which has no connections. TCP over IPv6 is still TCP: the server listens, \
                 and accepts a connection for each client.",
            ),
        ],
    },
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
        scene.came("none: only the family and the address differ");
    }
    Ok(verdict)
}
