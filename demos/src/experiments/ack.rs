//! Fix 1 works, and costs a round trip more: the length goes, `OK` comes back, and only then the answer goes.
//!
//! Counted, not timed: each time a client sends and must then wait for something to come is a round trip.

use crate::experiments::Experiment;
use crate::scene::{Ended, Scene};
use crate::trouble::Trouble;
use crate::typed::Typed;
use crate::verdict::{Findings, Verdict};
use timeline::{Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "ack",
    claim: "announcing the length and waiting for OK works, and costs one more round trip per command",
    prediction: None,
    run,
};

const ARGUMENTS: [&str; 6] = ["-c", "echo one", "-c", "echo two", "-c", "echo three"];
const COMMANDS: usize = ARGUMENTS.len() / 2;
const ANSWERS: &str = "one\ntwo\nthree\n";

fn run(scene: &mut Scene) -> Result<Verdict, Trouble> {
    let mut findings = Findings::default();
    let (server, client) = play(scene, "fix-ack-handshake-server", "fix-ack-handshake-client")?;
    findings.equal("the client's stdout", client.said().as_str(), ANSWERS);
    let sends = server.moved("send");
    let messages: Vec<Message> = sends
        .chunks(2)
        .zip(1..)
        .map(|(pair, number)| {
            let payload = pair.get(1).map_or(0, Vec::len);
            Message::framed(&format!("answer {number}"), pair[0].len(), payload)
        })
        .collect();
    let stream = Stream::from_events(&server.events, &client.events)?.between("server", "client");
    scene.picture(&stream.with_messages(&messages))?;
    findings.equal("the server to hear OK before each answer:", confirmed(&server), COMMANDS);

    let (_, prefixed) = play(scene, "fix-struct-prefix-server", "fix-struct-prefix-client")?;
    findings.equal("the prefix client's stdout", prefixed.said().as_str(), ANSWERS);

    let (with_ack, with_prefix) = (round_trips(&client), round_trips(&prefixed));
    scene.text(&format!(
        "round trips for {COMMANDS} commands\n\
         length, OK, answer      {with_ack}\n\
         length before answer    {with_prefix}\n"
    ))?;
    findings.equal("round trips with the handshake:", with_ack, 2 * COMMANDS);
    findings.equal("round trips with the prefix:", with_prefix, COMMANDS);
    Ok(findings.verdict("two round trips a command with the handshake, one with the prefix"))
}

/// Runs the three commands.
fn play(
    scene: &mut Scene,
    server: &'static str,
    client: &'static str,
) -> Result<(Ended, Ended), Trouble> {
    let (server, client) = (Typed::new(server, &[]), Typed::new(client, &ARGUMENTS));
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    scene.lane("client", &client.stdout)?;
    Ok((server.stop()?, client))
}

/// How often the client sent and then had to wait: a recv right behind a send.
fn round_trips(client: &Ended) -> usize {
    let calls: Vec<_> = client.events.iter().map(|event| event.call.as_str()).collect();
    calls.windows(2).filter(|pair| pair == &["send", "recv"]).count()
}

/// How often the server received exactly `OK` between two sends.
fn confirmed(server: &Ended) -> usize {
    let moves = |name: &str| name == "send" || name == "recv";
    let events: Vec<_> = server.events.iter().filter(|event| moves(&event.call)).collect();
    let is_ok = |event: &observe::Event| event.data.as_deref() == Some(b"OK");
    events
        .windows(3)
        .filter(|three| three[0].call == "send" && is_ok(three[1]) && three[2].call == "send")
        .count()
}
