//! UDP keeps boundaries: each datagram is one recvfrom. What does not fit is lost, and an empty one is not an end.
//!
//! The server is stopped (SIGSTOP) while four datagrams are sent, so that all of them wait in its buffer at once. In a
//! stream they would be glued. Then the server continues.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use stage::Signal;
use std::net::UdpSocket;

pub const EXPERIMENT: Experiment = Experiment {
    name: "udp-boundaries",
    claim: "UDP keeps boundaries: a datagram is one recvfrom; what does not fit is gone; empty is not the end",
    prediction: Prediction {
        question: "four datagrams wait for a server that calls `recvfrom(1024)`: 5, 2, 0 and 2000 bytes. How \
                   many calls does it take to read them all?",
        choices: &[
            wrong(
                "two, for 2007 bytes",
                "That's how a stream would do it: as many bytes as fit, from whichever message. Each \
                 `recvfrom` returns one datagram, even if there's room for more.",
            ),
            wrong(
                "three: an empty one is nothing",
                "An empty datagram is a message of 0 bytes. It travels like any other, and takes a `recvfrom` \
                 of its own, which returns 0. That's not the end of anything: UDP has no stream that could \
                 end.",
            ),
            right(
                "four, and 976 bytes of the long one are gone",
                "One datagram, one `recvfrom`: they return 5, 2, 0 and 1024 bytes. What didn't fit into the \
                 buffer is thrown away, and the next call returns the next datagram.",
            ),
            wrong(
                "five, the long one in two pieces",
                "TCP keeps for the next `recv` what you didn't take. UDP doesn't: `recvfrom(1024)` returns \
                 1024 of the 2000 bytes, and the other 976 are gone.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let long = [b'x'; 2000];
    let sent: [&[u8]; 4] = [b"hello", b"hi", b"", &long];

    let server = CommandLine::new("udp-basic-server", &["--forever"]);
    scene.terminals(&[&server])?;
    scene.then("while it is stopped, the experiment sends it four datagrams; then it goes on")?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    server.signal(Signal::STOP);
    send(&sent, &server.address()?).map_err(SetupError::peer("sending datagrams"))?;
    server.signal(Signal::CONT);
    // The answer is the last thing that it does for a datagram.
    server.wait_for_calls("sendto", sent.len())?;
    let server = server.stop()?;
    scene.says("server", server.said_then())?;

    let came = server.moved("recvfrom");
    let mut table = "sent          recvfrom(1024) took\n".to_owned();
    for (sent, came) in sent.iter().zip(&came) {
        let lost = match sent.len().saturating_sub(came.len()) {
            0 => String::new(),
            lost => format!("; the other {lost} are gone"),
        };
        table += &format!("{:>4} bytes    {:>4} bytes{lost}\n", sent.len(), came.len());
    }
    scene.table(&table)?;

    let taken: usize = came.iter().map(Vec::len).sum();
    scene.came(match (came.len(), taken) {
        (4, 1031) => "four, and 976 bytes of the long one are gone",
        (5, 2007) => "five, the long one in two pieces",
        (3, _) => "three: an empty one is nothing",
        _ => "two, for 2007 bytes",
    });
    let mut findings = Findings::default();
    let expected = [b"hello".as_slice(), b"hi", b"", &long[..1024]];
    findings.equal("datagrams taken:", came.len(), expected.len());
    for (number, (came, expected)) in came.iter().zip(expected).enumerate() {
        findings.equal(&format!("datagram {}", number + 1), came.as_slice(), expected);
    }
    Ok(findings
        .verdict("four datagrams were four recvfroms, and 976 bytes of the long one are lost"))
}

fn send(datagrams: &[&[u8]], to: &str) -> std::io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    datagrams.iter().try_for_each(|datagram| socket.send_to(datagram, to).map(drop))
}
