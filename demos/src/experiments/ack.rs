//! Fix 1 works, and costs one more round trip: the length is sent, `OK` comes back, and only then is the answer sent.
//!
//! First counted: each time a client sends and must then wait for something is a round trip. Then timed, with a
//! relay between the two that delays every byte.

use crate::command_line::CommandLine;
use crate::exchange::{Exchange, exchanges};
use crate::experiments::Experiment;
use crate::linked_networks::LinkedNetworks;
use crate::prediction::{Prediction, right, wrong};
use crate::samples::Samples;
use crate::scene::{Ended, Scene};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::{Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "ack",
    claim: "announcing the length and waiting for OK works, and costs one more round trip per command",
    prediction: Prediction {
        question: "a byte takes 25 ms to get across. If the server puts the length right in front of the \
                   answer, a command takes 50 ms. How long does it take if the server sends the length first, \
                   and waits for an `OK` before it sends the answer?",
        choices: &[
            wrong(
                "50 ms: one round trip",
                "After 50 ms, the client has only the length. The server doesn't send the answer until the \
                 `OK` arrives: the command, the length, the `OK` and the answer are four trips of 25 ms.",
            ),
            wrong(
                "75 ms: a round trip and a half",
                "That leaves out the `OK`, which has to travel too. The command, the length, the `OK` and the \
                 answer are four trips of 25 ms, one after another.",
            ),
            right(
                "100 ms: two round trips",
                "The command and the length are one round trip; the `OK` and the answer are another. You pay \
                 for both with every command.",
            ),
        ],
    },
    run,
};

const ARGUMENTS: [&str; 6] = ["-c", "echo one", "-c", "echo two", "-c", "echo three"];
const COMMANDS: usize = ARGUMENTS.len() / 2;
const ANSWERS: &str = "one\ntwo\nthree\n";

const ACK: [&str; 2] = ["fix-ack-handshake-server", "fix-ack-handshake-client"];
const PREFIX: [&str; 2] = ["fix-struct-prefix-server", "fix-struct-prefix-client"];
const KINDS: [([&str; 2], &str); 2] =
    [(ACK, "length, OK, answer"), (PREFIX, "length before answer")];
/// How many milliseconds a byte is delayed, one way.
const DELAYS: [&str; 4] = ["0", "5", "25", LONGEST];
const LONGEST: &str = "50";
/// At the longest delay two round trips take no less, in milliseconds.
const TWO_ROUND_TRIPS: f64 = 190.0;
/// How often the longest delay is timed with the prefix, if the machine is so busy that one round trip always takes as
/// long as two.
const MOST_TIMES: usize = 6;
const ECHO: &str = "echo hi";

const INSTRUMENT: &str = "\
Timed through the relay, with a delay each way. It ends each of the two TCP connections and delays the data that passes \
between them; what the kernels do by themselves, such as acknowledge, it does not delay.
";

const TRUE_LINK: &str = "\
Timed across a true link (relay-link --delay 25): two networks on this machine, and a line that \
keeps each packet for 25 ms, acknowledgments too. Each program runs at one end of it.
";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    let (server, client) = play(scene, ACK)?;
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

    let (_, prefixed) = play(scene, PREFIX)?;
    findings.equal("the prefix client's stdout", prefixed.said().as_str(), ANSWERS);

    let (with_ack, with_prefix) = (round_trips(&client), round_trips(&prefixed));
    scene.text(&format!("round trips for {COMMANDS} commands\n"))?;
    scene.row("length, OK, answer", &with_ack.to_string())?;
    scene.row("length before answer", &with_prefix.to_string())?;
    findings.equal("round trips with the handshake:", with_ack, 2 * COMMANDS);
    findings.equal("round trips with the prefix:", with_prefix, COMMANDS);
    scene.came(match with_ack / COMMANDS {
        1 => "50 ms: one round trip",
        2 => "100 ms: two round trips",
        _ => "something else",
    });

    let longest = time(scene)?;
    time_across_link(scene)?;
    // At 50 ms each way two round trips take 200 ms, and nothing makes them shorter; 10 ms are for a client that isn't
    // scheduled between its send and its look at the clock. One round trip takes 100 ms plus what the machine adds: a busy
    // machine may often double that, but not every time.
    let [with_ack, with_prefix] = longest;
    findings.holds(
        with_ack >= TWO_ROUND_TRIPS,
        "at 50 ms each way the handshake never below 190 ms",
        with_ack,
    );
    findings.holds(
        with_prefix < TWO_ROUND_TRIPS,
        "the prefix below 190 ms at least once",
        with_prefix,
    );
    Ok(findings.verdict("two round trips a command with the handshake, one with the prefix"))
}

/// Runs the three commands.
fn play(
    scene: &mut Scene,
    [server, client]: [&'static str; 2],
) -> Result<(Ended, Ended), SetupError> {
    let (server, client) = (CommandLine::new(server, &[]), CommandLine::new(client, &ARGUMENTS));
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    scene.says("client", &client.stdout)?;
    Ok((server.stop()?, client))
}

/// Times both at each delay; returns the shortest times at the longest, in milliseconds.
fn time(scene: &mut Scene) -> Result<[f64; 2], SetupError> {
    let trials = scene.trials(5) as usize;
    let relay = CommandLine::new("relay", &["--delay", "25"]).at("--to", "127.0.0.1:8888");
    let client = CommandLine::new(ACK[1], &["-c", ECHO]).at("--connect", "127.0.0.1:7777");
    scene.terminals(&[&CommandLine::new(ACK[0], &[]), &relay, &client])?;
    scene.then("and with the other delays, and with fix-struct-prefix")?;
    scene.text(INSTRUMENT)?;
    scene.blank()?;
    let mut servers = Vec::new();
    for [server, _] in [ACK, PREFIX] {
        servers.push(scene.start(
            server,
            &CommandLine::new(server, &[]),
            &["--listen", "127.0.0.1:0"],
        )?);
    }
    let mut least = [f64::NAN; 2];
    for delay in DELAYS {
        let relay = CommandLine::new("relay", &["--delay", delay]);
        for (index, ([_, client], kind)) in KINDS.into_iter().enumerate() {
            let decides = delay == LONGEST && client == PREFIX[1];
            least[index] = f64::INFINITY;
            for _ in 0..if decides { MOST_TIMES } else { 1 } {
                let relay = scene.relay(&relay, &servers[index].address()?)?;
                let client = CommandLine::new(client, &["-c", ECHO].repeat(trials));
                let client = scene.client("client", &client, &relay.address()?)?.end()?;
                relay.stop()?;
                let took = exchanges(&client.events, ECHO.as_bytes());
                let took = Samples::new(took.iter().map(Exchange::took).collect(), " ms");
                scene.measured(&format!("{delay:>2} ms, {kind}"), &took)?;
                least[index] = least[index].min(took.least());
                if least[index] < TWO_ROUND_TRIPS {
                    break;
                }
            }
        }
    }
    Ok(least)
}

/// Times both across a real link, if there can be one: only shown, since it depends on the system.
fn time_across_link(scene: &mut Scene) -> Result<(), SetupError> {
    let trials = scene.trials(5) as usize;
    let line = CommandLine::new("relay-link", &["--delay", "25"]);
    let networks = match LinkedNetworks::start(scene, &line)? {
        Ok(networks) => networks,
        Err(why) => return scene.text(&format!("Not timed across a true link: {why}\n")),
    };
    scene.text(TRUE_LINK)?;
    scene.blank()?;
    for ([server, client], kind) in KINDS {
        let server = networks.server(scene, &CommandLine::new(server, &[]))?;
        let client = CommandLine::new(client, &["-c", ECHO].repeat(trials));
        let client = networks.client(scene, &client, &server.address()?)?.end()?;
        server.stop()?;
        let took = exchanges(&client.events, ECHO.as_bytes());
        let took = Samples::new(took.iter().map(Exchange::took).collect(), " ms");
        scene.measured(&format!("25 ms link, {kind}"), &took)?;
    }
    networks.end()
}

/// How often the client sent and then had to wait: a recv right after a send.
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
