//! Pausing between sends hides the problem on this machine, and fixes nothing.
//!
//! `hello`, 10 ms, `hi`: on loopback the reader has usually taken the first when the second arrives. But a pause is not a
//! boundary: anything between the two may hold bytes for a moment and pass them on together, and networks do that.
//! Here the relay does it (`--merge`). No program of the course pauses, so the experiment holds both ends itself.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::recorded::Recorded;
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use socket2::SockRef;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;
use timeline::Stream;

pub const EXPERIMENT: Experiment = Experiment {
    name: "sleep",
    claim: "a pause between sends hides the problem on this machine; a network may bring it back",
    prediction: Prediction {
        question: "a client sends `hello`, and 10 ms later `hi`. On the way, a relay collects bytes for 500 ms \
                   from the first one on, and then passes them on. What does the first `recv(1024)` return?",
        choices: &[
            wrong(
                "hello",
                "The pause keeps the two apart only until something on the way collects them. The relay still \
                 has `hello` when `hi` comes, 10 ms later, and passes them on together.",
            ),
            right(
                "hellohi",
                "The pause is over long before the relay passes anything on, so it has both. A pause marks no \
                 boundary: it only makes the accident rare on your own machine.",
            ),
            wrong(
                "sometimes hello, sometimes hellohi",
                "Without the relay, it depends on the machine: in our run, the two were glued 0 of 20 times. But \
                 the relay waits 50 times as long as the pause, so it has both before it passes anything on.",
            ),
        ],
    },
    run,
};

const PAUSE: Duration = Duration::from_millis(10);
/// How many at once: they share the pause, and the relay's time.
const TOGETHER: usize = 20;
const BOTH: &[u8] = b"hellohi";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let trials = scene.trials(20) as usize;
    let doing = SetupError::peer;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(doing("listening"))?;
    let address = listener.local_addr().map_err(doing("listening"))?.to_string();

    // How long the relay collects after the first byte: fifty times the pause. The machine would have to stop for
    // half a second between the two sends for the second to come too late.
    let relay = CommandLine::new("relay", &["--merge", "500"]).at("--to", "127.0.0.1:8888");
    scene.terminals(&[&relay])?;
    scene.then("the experiment is both the client, which pauses, and the server")?;
    scene.blank()?;
    let relay = scene.relay(&relay, &address)?;
    let place = relay.address()?;
    scene.says("relay", format!("listening on {place}"))?;

    let direct = first_recvs(&listener, &address, trials).map_err(doing("sending directly"))?;
    let relayed =
        first_recvs(&listener, &place, trials).map_err(doing("sending through the relay"))?;
    relay.stop()?;
    let glued = |streams: &[Pair]| streams.iter().filter(|pair| pair.brought == BOTH).count();
    let (direct_glued, relay_glued) = (glued(&direct), glued(&relayed));
    scene.blank()?;
    scene.count("glued, directly", direct_glued, trials)?;
    scene.count("glued, through the relay", relay_glued, trials)?;
    if let Some(pair) = relayed.last() {
        scene.text("The last one through the relay:\n")?;
        scene.picture(&pair.stream()?)?;
    }
    scene.came(match relay_glued {
        0 => "hello",
        all if all == trials => "hellohi",
        _ => "sometimes hello, sometimes hellohi",
    });

    let mut findings = Findings::default();
    // Directly, the machine decides: only shown.
    findings.equal("glued through the relay:", relay_glued, trials);
    Ok(findings.verdict("through the relay each first recv returned both, pause or no pause"))
}

/// Both ends of one trial, and what the first recv returned.
struct Pair {
    client: Recorded<TcpStream>,
    server: Recorded<TcpStream>,
    brought: Vec<u8>,
}

impl Pair {
    fn stream(&self) -> Result<Stream, SetupError> {
        let stream = Stream::from_events(&self.client.events, &self.server.events)?;
        Ok(stream.between("client", "server"))
    }
}

/// What the first recv returns in this many trials, when the client connects to `place`.
fn first_recvs(listener: &TcpListener, place: &str, trials: usize) -> io::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    while pairs.len() < trials {
        let together = TOGETHER.min(trials - pairs.len());
        pairs.extend(trial(listener, place, together)?);
    }
    Ok(pairs)
}

fn trial(listener: &TcpListener, place: &str, together: usize) -> io::Result<Vec<Pair>> {
    // So that neither accept nor recv waits forever (on Linux this limits accept too: socket(7)).
    SockRef::from(listener).set_read_timeout(Some(TIMEOUT))?;
    let mut pairs = Vec::new();
    for _ in 0..together {
        let client = TcpStream::connect(place)?;
        let (server, _) = listener.accept()?;
        server.set_read_timeout(Some(TIMEOUT))?;
        pairs.push((Recorded::connected(client)?, Recorded::accepted(server)?));
    }
    thread::scope(|scope| {
        // Each reader waits in recv before the first is sent.
        let mut readers = Vec::new();
        let mut clients = Vec::new();
        for (client, mut server) in pairs {
            readers.push(scope.spawn(move || server.recv(1024).map(|brought| (server, brought))));
            clients.push(client);
        }
        clients.iter_mut().try_for_each(|client| client.send(b"hello"))?;
        thread::sleep(PAUSE);
        clients.iter_mut().try_for_each(|client| client.send(b"hi"))?;
        let mut done = Vec::new();
        for (client, reader) in clients.into_iter().zip(readers) {
            let read = reader.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            let (server, brought) = read?;
            done.push(Pair { client, server, brought });
        }
        Ok(done)
    })
}
