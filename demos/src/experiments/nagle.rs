//! TCP_NODELAY does not give boundaries.
//!
//! Nagle's algorithm (RFC 9293, 3.7.4) holds a small segment back while an earlier one is not acknowledged. Many people
//! blame it for glued messages, and switch it off. But they are glued because the reader comes when both are there: recv
//! takes what has arrived. So in the first two rows the reader reads only when both have arrived, which is certain, and
//! the verdict rests on these rows. In the other two the reader already waits in recv; how often it gets both is luck, and
//! only shown. It's the sender's option, and no program of the course lets you set it: the experiment holds both ends.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::recorded::Recorded;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use timeline::Stream;

pub const EXPERIMENT: Experiment = Experiment {
    name: "nagle",
    claim: "TCP_NODELAY does not give boundaries: two sends come as one with it and without it",
    prediction: Prediction {
        question: "a client sets TCP_NODELAY, and sends `hello`, then `hi`. Both have arrived when the server \
                   calls `recv(1024)`. What does it get?",
        choices: &[
            right(
                "hellohi",
                "TCP_NODELAY decides when a segment leaves, not where a message ends. Both have arrived, so \
                 `recv(1024)` returns both: 200 of 200 times in our run, with the option and without it.",
            ),
            wrong(
                "hello",
                "With TCP_NODELAY, each send leaves at once, in a segment of its own. But the receiving kernel \
                 puts the bytes of both into one buffer, and `recv` returns what's in there: `hellohi`.",
            ),
            wrong(
                "sometimes hello, sometimes hellohi",
                "That happens to a reader that's already waiting in `recv` when the first bytes arrive: luck \
                 decides what it gets. This one calls `recv` when all seven bytes are there, and gets all seven, \
                 every time.",
            ),
        ],
    },
    run,
};

const SENDS: [&[u8]; 2] = [b"hello", b"hi"];
const BOTH: &[u8] = b"hellohi";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let trials = scene.trials(200) as usize;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(SetupError::peer("listening"))?;
    let mut findings = Findings::default();
    let mut merged_with = 0;
    let mut drawn = None;
    scene.blank()?;
    for (no_delay, name) in [(false, "no TCP_NODELAY"), (true, "TCP_NODELAY")] {
        let mut merged = 0;
        for _ in 0..trials {
            let (brought, stream) =
                late(&listener, no_delay).map_err(SetupError::peer("sending twice"))?;
            merged += usize::from(brought == BOTH);
            drawn = Some(stream?);
        }
        scene.count(&format!("glued, late, {name}"), merged, trials)?;
        findings.equal(&format!("{name}, and read late: glued in"), merged, trials);
        merged_with = merged;
    }
    for (no_delay, name) in [(false, "no TCP_NODELAY"), (true, "TCP_NODELAY")] {
        let mut merged = 0;
        for _ in 0..trials {
            let brought = eager(&listener, no_delay).map_err(SetupError::peer("sending twice"))?;
            merged += usize::from(brought == BOTH.len());
        }
        scene.count(&format!("glued, eager, {name}"), merged, trials)?;
    }
    scene.text(
        "The late reader comes when both have arrived. The eager one waits in recv before the first is sent: \
         how often it gets both is luck, and no count of them makes a boundary.\n",
    )?;
    scene.came(match merged_with {
        0 => "hello",
        all if all == trials => "hellohi",
        _ => "sometimes hello, sometimes hellohi",
    });
    if let Some(stream) = drawn {
        scene.text("The late reader, with TCP_NODELAY, the last time:\n")?;
        scene.picture(&stream)?;
    }
    Ok(findings.verdict(
        "a reader that comes when both have arrived gets both in one recv, with TCP_NODELAY too",
    ))
}

/// Two connected ends, with Nagle's algorithm switched off at the client's or not.
fn pair(listener: &TcpListener, no_delay: bool) -> io::Result<(TcpStream, TcpStream)> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    client.set_nodelay(no_delay)?;
    // With this, closing resets the connection: otherwise hundreds of them would keep their ports for a minute.
    SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
    Ok((client, listener.accept()?.0))
}

/// What the first recv returns when both have arrived before it.
fn late(
    listener: &TcpListener,
    no_delay: bool,
) -> io::Result<(Vec<u8>, Result<Stream, SetupError>)> {
    let (client, server) = pair(listener, no_delay)?;
    let (mut client, mut server) = (Recorded::connected(client)?, Recorded::accepted(server)?);
    SENDS.iter().try_for_each(|bytes| client.send(bytes))?;
    // peek looks at what has arrived, and leaves it there.
    while server.peek(&mut [0; 1024])? < BOTH.len() {
        thread::yield_now();
    }
    let brought = server.recv(1024)?;
    let stream = Stream::from_events(&client.events, &server.events).map_err(SetupError::from);
    Ok((brought, stream.map(|stream| stream.between("client", "server"))))
}

/// How many bytes the first recv returns to a reader that waits for them.
fn eager(listener: &TcpListener, no_delay: bool) -> io::Result<usize> {
    let (mut client, mut server) = pair(listener, no_delay)?;
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            start.wait();
            server.read(&mut [0; 1024])
        });
        start.wait();
        let sent = SENDS.iter().try_for_each(|bytes| client.write_all(bytes));
        let read = reader.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        sent.and(read)
    })
}
