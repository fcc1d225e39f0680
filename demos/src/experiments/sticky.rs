//! The sticky packet: one recv(100) for each command, and the second answer begins with the rest of the first.
//!
//! Three commands, typed one after the other, each when the server has answered the previous one. The first answer has
//! more than 300 bytes, so each of three recv(100) finds 100 bytes, and every run is the same.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::{Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "sticky",
    claim: "ask three commands with one recv(100) each: the second answer is the rest of the first",
    prediction: Prediction {
        question: "a client sends a command, receives once with `recv(100)`, prints that, and sends the next. The \
                   first answer has 315 bytes; the second command is `echo two`. What does the client print as \
                   the answer to that?",
        choices: &[
            wrong(
                "two",
                "`recv` doesn't return messages, and it doesn't throw away what it didn't take. It returns the \
                 next bytes of the stream, 100 at most: 215 bytes of the first answer are still unread.",
            ),
            right(
                "the next 100 bytes of the first answer",
                "The answers are one stream, and each `recv(100)` takes the next 100 bytes of it: here, bytes 100 \
                 to 199 of the first answer. The client doesn't even wait for `two`, which comes after all 315 \
                 bytes of the first answer.",
            ),
            wrong(
                "all the rest of the first answer, and then two",
                "`recv(100)` takes at most 100 bytes, and 215 bytes of the first answer are left. So it doesn't \
                 even get to the end of that answer, let alone to `two`.",
            ),
            wrong(
                "nothing: it waits",
                "`recv` waits only if there's nothing to return. 215 bytes of the first answer are in the \
                 client's kernel, so it returns at once, with 100 of them.",
            ),
        ],
    },
    run,
};

const COMMANDS: [&str; 3] =
    ["seq -f 'this is line %g of the first answer' 9", "echo two", "echo three"];

const WHAT_HAPPENED: &str = "\
What happened: TCP carries bytes, not messages. The server sent three answers, but nothing in the \
stream says where one ends. Each recv(100) took the next 100 bytes, whichever answer they belonged to. \
So `echo two` was answered with the rest of the first answer. Its own answer arrived, too, after that \
rest: nobody has read it yet. From here on, every answer would be a wrong one.

How to fix it: say where a message ends. Chapter 9 announces its length and waits for an OK, \
chapter 10 puts the length in front of it, chapter 11 a header that can say more.
";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("sticky-packet-repro-server", &["shell"]);
    let client = CommandLine::new("sticky-packet-repro-client", &["shell"]);
    scene.terminals(&[&server, &client])?;
    scene.at_prompt(&COMMANDS)?;
    scene.blank()?;

    let server = scene.server("server", &server, "127.0.0.1")?;
    let mut client = scene.client("client", &client, &server.address()?)?;
    for (index, command) in COMMANDS.iter().enumerate() {
        client.write(format!("{command}\n").as_bytes())?;
        server.wait_for_calls("send", index + 1)?;
    }
    let client = client.end()?;
    let server = server.stop()?;

    scene.says("server", server.said_then())?;
    let (answers, brought) = (server.moved("send"), client.moved("recv"));
    for (command, brought) in COMMANDS.iter().zip(&brought) {
        scene.you(command)?;
        scene.says("client", brought)?;
    }
    let name = |(index, answer): (usize, &Vec<u8>)| {
        Message::new(&format!("answer {}", index + 1), answer.len())
    };
    let messages: Vec<Message> = answers.iter().enumerate().map(name).collect();
    let stream = Stream::from_events(&server.events, &client.events)?
        .between("server", "client")
        .with_messages(&messages);
    scene.picture(&stream)?;
    scene.text(WHAT_HAPPENED)?;

    let sent = answers.concat();
    let mut findings = Findings::default();
    findings.equal("answers:", answers[1..].to_vec(), vec![b"two\n".to_vec(), b"three\n".to_vec()]);
    findings.equal("recv calls:", brought.len(), COMMANDS.len());
    let hundreds: Vec<_> = sent.chunks(100).take(COMMANDS.len()).map(<[u8]>::to_vec).collect();
    scene.came(match brought.get(1) {
        Some(second) if Some(second) == hundreds.get(1) => "the next 100 bytes of the first answer",
        Some(second) if second == b"two\n" => "two",
        _ => "something else",
    });
    findings.holds(brought == hundreds, "100 bytes of the stream in each recv", &brought);
    findings.equal("the client's stdout", client.said(), brought_as_text(&brought));
    Ok(findings.verdict("the answer to `echo two` was bytes 100 to 199 of the first answer"))
}

fn brought_as_text(brought: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(&brought.concat()).into_owned()
}
