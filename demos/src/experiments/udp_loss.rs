//! Datagrams vanish without an error when the receiver is slower.
//!
//! The server is stopped (SIGSTOP), so nobody reads while they arrive. They wait in its socket's receive buffer. We send
//! four times what that holds, so there is no room for the rest, and the kernel drops it. Luck plays no part. Then the
//! server continues, and reads what is there.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Actor, Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use socket2::SockRef;
use stage::{Signal, StageError};
use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

pub const EXPERIMENT: Experiment = Experiment {
    name: "udp-loss",
    claim: "datagrams vanish without an error when the receiver is slower than the sender",
    prediction: Prediction {
        question: "a UDP server is stopped (Ctrl-Z), 1000 datagrams of 1000 bytes are sent to it, and then it \
                   goes on (fg). What happens to them?",
        choices: &[
            wrong(
                "it gets all of them, late",
                "They wait in the socket's receive buffer, and that buffer can fill up. In our run, it held \
                 212,992 bytes, including the kernel's own bookkeeping: 92 datagrams found room, and the others \
                 were dropped.",
            ),
            wrong(
                "it gets some; sendto reported the others as errors",
                "`sendto` reports only what happens while it hands the datagram over, and that went well 1000 \
                 times. The receiving kernel drops a datagram later, and has no connection on which to say so.",
            ),
            right(
                "it gets some; nobody reported anything",
                "The receive buffer was full after 92 of 1000 datagrams in our run, and the kernel dropped the \
                 rest. Every send had succeeded, and the server never learns what it didn't get.",
            ),
        ],
    },
    run,
};

const SIZE: usize = 1000;
const LAST: &str = "that was the last";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("udp-basic-server", &["--forever"]);
    scene.terminals(&[&server])?;
    scene.then("while it is stopped (Ctrl-Z), the experiment sends; then it goes on (fg)")?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let socket = client(&server.address()?).map_err(SetupError::peer("making a socket"))?;
    let buffer = SockRef::from(&socket).recv_buffer_size().map_err(SetupError::peer("asking"))?;
    // What waits in a buffer never has more bytes than the buffer: of four times as many, some must be lost.
    let count = (4 * buffer / SIZE).max(1000);

    server.signal(Signal::STOP);
    let datagram = [b'x'; SIZE];
    let errors = (0..count).filter(|_| socket.send(&datagram).is_err()).count();
    server.signal(Signal::CONT);
    wait_until_all_is_read(&server, &socket)?;
    let server = server.stop()?;

    let came = server.moved("recvfrom").iter().filter(|taken| taken.len() == SIZE).count();
    scene.says("server", format!("(printed {came} datagrams of {SIZE} bytes)"))?;
    scene.blank()?;
    scene.count("sends that reported an error", errors, count)?;
    scene.count("datagrams that arrived", came, count)?;
    scene.text(&format!(
        "{} bytes were sent, and the socket's receive buffer holds {buffer}, the kernel's notes on each \
         datagram included. What found it full is gone, and only the receiving kernel counted it.\n",
        count * SIZE
    ))?;
    scene.came(match (came < count, errors) {
        (false, _) => "it gets all of them, late",
        (true, 0) => "it gets some; nobody reported anything",
        (true, _) => "it gets some; sendto reported the others as errors",
    });

    let mut findings = Findings::default();
    findings.equal("sends that reported an error:", errors, 0);
    findings.holds(came > 0, "some datagrams to arrive", came);
    findings.holds(came < count, "fewer to arrive than were sent", (came, count));
    Ok(findings.verdict("every send was taken, and most of the datagrams are gone"))
}

fn client(server: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server)?;
    Ok(socket)
}

/// The datagrams of one sender stay in order: when the server prints this one, it has read everything before it. It may
/// be lost too, so it is sent until the server prints it.
fn wait_until_all_is_read(server: &Actor, socket: &UdpSocket) -> Result<(), SetupError> {
    let give_up = Instant::now() + TIMEOUT;
    loop {
        socket.send(LAST.as_bytes()).map_err(SetupError::peer("sending the last datagram"))?;
        match server.wait_for_line(stage::Stream::Stdout, LAST, Duration::from_millis(50)) {
            Err(StageError::TimedOut { .. }) if Instant::now() < give_up => {}
            heard => return heard.map(drop).map_err(SetupError::from),
        }
    }
}
