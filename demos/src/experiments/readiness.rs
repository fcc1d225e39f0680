//! One thread serves three clients, of which the first says nothing.
//!
//! With poll, the silent one costs the others nothing. Without it, a recv waits for the silent one, and the others wait
//! with it: that server is the zoo's. No time decides: what the others got is looked at before the silent one speaks. Only
//! for the wrong server we have to look a while, because what doesn't come can't be waited for.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use observe::Event;
use stage::Stream;
use std::thread;
use std::time::Duration;

pub const EXPERIMENT: Experiment = Experiment {
    name: "readiness",
    claim: "one thread serves three clients with poll; without it, a silent client holds up the others",
    prediction: Prediction {
        question: "one thread accepts three clients, on ordinary sockets (they block). It calls `recv` for the \
                   first, the second and the third, and then starts over. Two have sent a line each, but the \
                   first says nothing. When do the other two get their answers?",
        choices: &[
            wrong(
                "at once",
                "Their lines have arrived, but nobody reads them: the only thread is inside `recv` for the \
                 first client, and that `recv` waits for this one socket.",
            ),
            right(
                "as soon as the first has said something",
                "The thread sleeps in `recv` for the first client. Once that client has spoken, it goes on to \
                 the second and the third, whose lines have been in the kernel all along.",
            ),
            wrong(
                "never, even if the first says something",
                "Their lines aren't lost: they wait in the server's receive buffers. As soon as the first \
                 client says something, its `recv` returns, and the thread goes on to them.",
            ),
        ],
    },
    run,
};

/// How long we look at clients that get nothing. Over loopback an answer takes microseconds.
const LOOK: Duration = Duration::from_millis(300);

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let poll = CommandLine::new("readiness-server", &[]);
    let wrong = CommandLine::new("zoo-waits-in-turn", &[]).at("--listen", "127.0.0.1:8888");
    let client = CommandLine::new("readiness-client", &[]);
    scene.terminals(&[&poll, &client, &asks("second"), &asks("third")])?;
    scene.then("then in terminal 2 the line `first`; and all again, with this in terminal 1")?;
    scene.then_type(&wrong)?;
    scene.blank()?;

    let (with_poll, events) = play(scene, "poll", &poll)?;
    scene.table(&calls(&events))?;
    scene.blank()?;
    let (in_turn, _) = play(scene, "in turn", &wrong)?;
    scene.blank()?;
    scene.count("answered with poll", with_poll, 2)?;
    scene.count("answered in turn", in_turn, 2)?;
    scene.came(match in_turn {
        0 => "as soon as the first has said something",
        _ => "at once",
    });

    let mut findings = Findings::default();
    findings.equal("with poll, answers before the first client spoke:", with_poll, 2);
    findings.equal("in turn, answers before the first client spoke:", in_turn, 0);
    Ok(findings.verdict("with poll both were answered while the first was silent, in turn neither"))
}

fn asks(line: &'static str) -> CommandLine {
    CommandLine::new("readiness-client", &[line])
}

/// How many of the two were answered before the first client spoke, and what the server did.
fn play(
    scene: &mut Scene,
    label: &str,
    typed: &CommandLine,
) -> Result<(usize, Vec<Event>), SetupError> {
    let server = scene.server(label, typed, "127.0.0.1")?;
    let address = server.address()?;
    let mut first = scene.client("first", &CommandLine::new("readiness-client", &[]), &address)?;
    first.wait_for_calls("connect", 1)?;
    let (mut answered, mut waiting) = (0, Vec::new());
    for name in ["second", "third"] {
        let client = scene.client(name, &asks(name), &address)?;
        client.wait_for_calls("send", 1)?;
        if typed.records_calls() {
            // Each comes when the one before is done: so the server's calls have the same order each time.
            scene.says(name, client.end()?.said())?;
            answered += 1;
        } else {
            waiting.push((name, client));
        }
    }
    if !waiting.is_empty() {
        thread::sleep(LOOK);
    }
    for (name, client) in &waiting {
        let has_answer = client.said().iter().any(|line| line.stream == Stream::Stdout);
        scene.says(name, if has_answer { "(has its answer)" } else { "(waits)" })?;
        answered += usize::from(has_answer);
    }
    scene.you("first")?;
    first.write(b"first\n")?;
    first.close_stdin();
    for (name, client) in [("first", first)].into_iter().chain(waiting) {
        scene.says(name, client.end()?.said())?;
    }
    // The wrong one ends with its last client.
    let server = if typed.records_calls() { server.stop() } else { server.end() };
    Ok((answered, server?.events))
}

/// The server's calls on the three connections, in order.
fn calls(events: &[Event]) -> String {
    let clients = ["first", "second", "third"];
    let accepted = events.iter().filter(|event| event.call == "accept" && event.error.is_none());
    let numbers: Vec<u64> = accepted.map(|event| event.conn).collect();
    let mut table = "what the one thread did\n\n".to_owned();
    for event in events {
        let client = numbers.iter().position(|number| *number == event.conn);
        let Some(client) = client.and_then(|at| clients.get(at)) else { continue };
        let data = event.data.as_deref().unwrap_or_default();
        let what = match event.call.as_str() {
            "recv" if data.is_empty() => "the end of the stream".to_owned(),
            _ => String::from_utf8_lossy(data).into_owned(),
        };
        table += format!("  {:7}{client:8}{what}", event.call).trim_end();
        table.push('\n');
    }
    table
}
