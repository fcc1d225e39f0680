//! A chat with three clients, of which one stops reading. What it hasn't read waits in a queue with a limit; at the limit
//! it is disconnected, and the others never waited.
//!
//! The one that doesn't read is a client that is stopped, as Ctrl-Z does it: its kernel still takes what comes until its
//! receive buffer is full. Bob reads each line before Ann says the next, so only Carol's queue can fill up, however slow
//! the machine.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Actor, Ended, Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use observe::Event;
use stage::{Signal, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "chat",
    claim: "a chat client that stops reading is disconnected after 100 queued messages, and holds up nobody",
    prediction: Prediction {
        question: "Ann, Bob and Carol are in a chat. Carol's program is stopped with Ctrl-Z, and Ann writes one \
                   long line after the other. The server keeps at most 100 messages for each client that doesn't \
                   read. What does Bob see?",
        choices: &[
            right(
                "all of Ann's lines, and that Carol was disconnected",
                "What Carol doesn't read waits in a queue of her own. Once 100 messages are in it, the server \
                 disconnects her and tells the others. Nobody has to wait for her.",
            ),
            wrong(
                "Ann's lines until Carol's queue is full, then nothing",
                "The limit is there so that nobody has to wait. When Carol's queue is full, the server \
                 disconnects her, tells the others, and goes on.",
            ),
            wrong(
                "nothing from the moment Carol is stopped",
                "That would happen if the server got stuck in a `send` to Carol. It doesn't: at first the \
                 kernels' buffers take everything, and once they're full, the server puts her messages in a queue \
                 and moves on to Bob.",
            ),
        ],
    },
    run,
};

/// What the server keeps for a client.
const QUEUE: usize = 100;
/// More would be needed only if the buffers on the way had no end.
const ENOUGH: usize = 50_000;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("chat-server", &[]);
    let client = |name| {
        CommandLine::new(
            "chat-client",
            match name {
                "ann" => &["ann"],
                "bob" => &["bob"],
                _ => &["carol"],
            },
        )
    };
    scene.terminals(&[&server, &client("ann"), &client("bob"), &client("carol")])?;
    scene.then(
        "and Ctrl-Z there; then hundreds of long lines in terminal 2, and at the end `fg` in terminal 4",
    )?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let mut join = |name| -> Result<Actor, SetupError> {
        let joined = scene.client(name, &client(name), &server.address()?)?;
        let news = format!("* {name} is here");
        server.wait_for_line(Stream::Stdout, &news, TIMEOUT)?;
        scene.says("server", news)?;
        Ok(joined)
    };
    let (mut ann, bob, carol) = (join("ann")?, join("bob")?, join("carol")?);

    carol.signal(Signal::STOP);
    scene.says("carol", "(stopped)")?;
    let mut said = 0;
    while said < ENOUGH && news(&bob).is_none() {
        ann.write(line(said).as_bytes())?;
        bob.wait_for_line(Stream::Stdout, &format!("ann: {said} "), TIMEOUT)?;
        said += 1;
    }
    scene.says("ann", format!("(says {said} lines of 1000 letters, and bob reads each)"))?;
    let news = news(&bob).unwrap_or_default();
    scene.says("bob", &news)?;
    ann.write(b"still here?\n")?;
    let answer = bob.wait_for_line(Stream::Stdout, "ann: still", TIMEOUT)?;
    scene.says("bob", answer)?;

    carol.signal(Signal::CONT);
    let carol = carol.end_somehow()?;
    let read = carol.said().lines().count().saturating_sub(1); // the welcome
    let code = carol.code.unwrap_or(-1);
    scene.says("carol", format!("(reads {read} lines that its kernel has; exit code {code})"))?;
    let (_, bob, server) = (ann.end()?, bob.end()?, server.stop()?);

    let before: Vec<String> = lines_of(&bob).take_while(|line| *line != news).collect();
    let taken = taken(&server.events);
    // The last one that bob read before the news is the one for which carol's queue had no room.
    let waited = before.len().saturating_sub(1 + taken);
    scene.blank()?;
    scene.row("for carol: taken by the kernels", &taken.to_string())?;
    scene.row("for carol: waiting in the queue", &waited.to_string())?;
    scene.came(match news.is_empty() {
        false => "all of Ann's lines, and that Carol was disconnected",
        true => "Ann's lines until Carol's queue is full, then nothing",
    });

    let mut findings = Findings::default();
    let expected: Vec<String> =
        (0..before.len()).map(|at| format!("ann: {}", line(at).trim_end())).collect();
    findings.holds(before == expected, "bob to read each line of ann's, in order", before.len());
    findings.equal(
        "the news",
        news.as_str(),
        "* carol is disconnected: 100 messages were waiting, and it didn't read",
    );
    findings.equal("messages in the queue:", waited, QUEUE);
    findings.holds(read <= taken, "carol to read only what the kernels had taken", (read, taken));
    findings.equal("carol's exit code", carol.code, Some(4));
    Ok(findings.verdict("bob read everything; carol was disconnected when 100 messages waited"))
}

fn line(number: usize) -> String {
    format!("{number} {}\n", "x".repeat(1000))
}

/// What bob has read about carol, after she came.
fn news(bob: &Actor) -> Option<String> {
    let mut lines =
        bob.said().into_iter().map(|line| String::from_utf8_lossy(&line.text).into_owned());
    lines.find(|line| line.starts_with("* carol is disconnected"))
}

/// What bob has read since all three were there.
fn lines_of(bob: &Ended) -> impl Iterator<Item = String> {
    let said = bob.said();
    let lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.into_iter().skip_while(|line| line != "* carol is here").skip(1)
}

/// How many of the messages for carol, the third who came, went out whole, after the welcome.
fn taken(events: &[Event]) -> usize {
    let accepted = events.iter().filter(|event| event.call == "accept" && event.error.is_none());
    let carol = accepted.map(|event| event.conn).nth(2);
    let sends = events.iter().filter(|event| event.call == "send" && Some(event.conn) == carol);
    let bytes = sends.filter_map(|send| send.data.as_deref()).flatten();
    bytes.filter(|byte| **byte == b'\n').count().saturating_sub(1)
}
