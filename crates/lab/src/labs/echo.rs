//! echo: a TCP server that sends back every byte until the peer's end of stream, and then ends.

use super::{Case, Lab, texts};
use crate::{Broken, Trial};

pub(super) const LAB: Lab = Lab {
    name: "echo",
    task: "a TCP server that sends back every byte until the peer's end of stream, then ends",
    cases: &[
        Case {
            id: "hello",
            points: 1,
            rule: "what the peer sends comes back unchanged",
            hint: "Does your program read from the connection, and write back what it read?",
            play: hello,
        },
        Case {
            id: "cut-everywhere",
            points: 2,
            rule: "a message that comes a byte at a time comes back whole",
            hint: "One recv brings what is there, not what was sent. When does your loop end?",
            play: cut_everywhere,
        },
    ],
    texts: texts!("echo"),
};

fn hello(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.send(b"hello")?;
    peer.expect(b"hello")?;
    peer.end()?;
    peer.expect_end()
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=1 direction=to-server")?;
    let message = trial.text(40);
    peer.send(&message)?;
    peer.expect(&message)?;
    peer.end()?;
    peer.expect_end()
}
