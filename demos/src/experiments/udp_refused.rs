//! Nobody listens on the port: only a connected UDP socket is told so.
//!
//! A datagram to a port without a socket makes the kernel there answer with an ICMP message, "port unreachable"
//! (RFC 1122, 4.1.3.1). The kernel here can pass that on only to a socket that has one peer, because `connect` said so: a
//! socket that sends to many would not know which of them it's about.
//!
//! The port is held by a socket that is connected to itself: no other program can take it, and it gets nothing from
//! anybody else, so for them nobody is there.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

pub const EXPERIMENT: Experiment = Experiment {
    name: "udp-refused",
    claim: "nobody is at the port: only a connected UDP socket says \"connection refused\"; it receives from its peer only",
    prediction: Prediction {
        question: "on Linux, two UDP sockets send to a port of the same machine that no program uses, one with \
                   `sendto`, the other with `connect` and `send`. Both then wait for an answer. What happens?",
        choices: &[
            wrong(
                "neither hears anything: both wait",
                "The kernel does answer, with \"port unreachable\" (ICMP). The connected socket has only one \
                 peer, so the kernel knows which socket the message is about, and `recv` says \"Connection \
                 refused\".",
            ),
            wrong(
                "both get an error at once",
                "Both cause the same ICMP message. But a socket that uses `sendto` may have sent to many \
                 peers, and an error wouldn't say which of them it's about. So that socket is told nothing, \
                 and waits until its timeout.",
            ),
            right(
                "only the connected one gets an error",
                "`connect` has named the one peer, so \"port unreachable\" (ICMP) can only be about that one: \
                 the next `recv` reports it, once. A socket that uses `sendto` may have many peers, and is \
                 told nothing.",
            ),
        ],
    },
    run,
};

/// How long the unconnected socket waits. The error of the other one, which sent later, is there already.
const WAIT: Duration = Duration::from_millis(300);

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let refused = refused().map_err(SetupError::peer("sending to nobody"))?;
    let heard = who_is_heard().map_err(SetupError::peer("sending to a connected socket"))?;
    scene.blank()?;
    scene.says("sendto", format!("to a port where nobody is: {}", said(&refused.sent)))?;
    scene.says("sendto", format!("recvfrom: {}", said(&refused.unconnected)))?;
    scene.says(
        "connect",
        format!("to the same port, and send: {}", said(&refused.sent_connected)),
    )?;
    scene.says("connect", format!("recv: {}", said(&refused.connected)))?;
    scene.says("connect", format!("recv again: {}", said(&refused.again)))?;
    scene.blank()?;
    scene.says("stranger", "sends `I am not the server` to a connected socket")?;
    scene.says("server", "sends `hi` to it")?;
    scene.says("connect", format!("recv: {}", String::from_utf8_lossy(&heard)))?;

    let kind = |said: &io::Result<usize>| said.as_ref().err().map(io::Error::kind);
    scene.came(match (kind(&refused.unconnected), kind(&refused.connected)) {
        (Some(ErrorKind::ConnectionRefused), Some(ErrorKind::ConnectionRefused)) => {
            "both get an error at once"
        }
        (_, Some(ErrorKind::ConnectionRefused)) => "only the connected one gets an error",
        _ => "neither hears anything: both wait",
    });
    let mut findings = Findings::default();
    findings.equal("sendto", refused.sent.ok(), Some(5));
    findings.equal("send", refused.sent_connected.ok(), Some(5));
    findings.equal("recvfrom", kind(&refused.unconnected), Some(ErrorKind::WouldBlock));
    findings.equal("recv, connected", kind(&refused.connected), Some(ErrorKind::ConnectionRefused));
    findings.equal("recv again", kind(&refused.again), Some(ErrorKind::WouldBlock));
    findings.equal("what the connected socket hears first", heard, b"hi".to_vec());
    Ok(findings
        .verdict("only the connected socket was told, once; and it heard nobody but its peer"))
}

/// What each call returned.
struct Refused {
    sent: io::Result<usize>,
    unconnected: io::Result<usize>,
    sent_connected: io::Result<usize>,
    connected: io::Result<usize>,
    again: io::Result<usize>,
}

fn refused() -> io::Result<Refused> {
    let (_held, nobody) = hold()?;
    let unconnected = UdpSocket::bind("127.0.0.1:0")?;
    let connected = UdpSocket::bind("127.0.0.1:0")?;
    unconnected.set_read_timeout(Some(WAIT))?;
    connected.set_read_timeout(Some(WAIT))?;
    connected.connect(nobody)?;

    let sent = unconnected.send_to(b"hello", nobody);
    let sent_connected = connected.send(b"hello");
    // The unconnected one has sent before: if it were told, it would be by now.
    wait_for_error(&connected)?;
    let buffer = &mut [0; 8];
    Ok(Refused {
        sent,
        unconnected: unconnected.recv(buffer),
        sent_connected,
        connected: connected.recv(buffer),
        again: connected.recv(buffer),
    })
}

/// A stranger sends first, the peer second. What the first recv returned.
fn who_is_heard() -> io::Result<Vec<u8>> {
    let [client, server, stranger] = [
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
    ];
    let place = client.local_addr()?;
    client.connect(server.local_addr()?)?;
    client.set_read_timeout(Some(TIMEOUT))?;
    stranger.send_to(b"I am not the server", place)?;
    server.send_to(b"hi", place)?;
    let mut buffer = vec![0; 64];
    let n = client.recv(&mut buffer)?;
    buffer.truncate(n);
    Ok(buffer)
}

/// A port where nobody is, for everybody but this socket itself.
fn hold() -> io::Result<(UdpSocket, SocketAddr)> {
    let held = UdpSocket::bind("127.0.0.1:0")?;
    let own = held.local_addr()?;
    held.connect(own)?;
    Ok((held, own))
}

fn wait_for_error(socket: &UdpSocket) -> io::Result<()> {
    let most = Timespec::try_from(TIMEOUT).map_err(io::Error::other)?;
    poll(&mut [PollFd::new(socket, PollFlags::empty())], Some(&most))?;
    Ok(())
}

fn said(result: &io::Result<usize>) -> String {
    match result {
        Ok(n) => format!("{n} bytes"),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            format!("nothing within {} ms", WAIT.as_millis())
        }
        Err(error) => error.to_string(),
    }
}
