//! Fix 3: a JSON header may grow, and a client that knows only `data_len` still reads every answer.
//!
//! The old client is in this file, twenty lines with std alone, because the claim is about it.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use timeline::{Direction, Kind, Message, Part, connections};

pub const EXPERIMENT: Experiment = Experiment {
    name: "json",
    claim: "a JSON header can grow: a client that knows only `data_len` still reads every answer",
    prediction: Prediction {
        question: "a server now puts more into the JSON header, such as the command's exit code and whether it \
                   timed out. What does a client do that was written when there was only `data_len`?",
        choices: &[
            wrong(
                "it stops with an error",
                "It would, if it refused what it doesn't know. But the members of a JSON object have names, so \
                 the old client picks out `data_len`, and ignores `status`, `timed_out` and the rest.",
            ),
            wrong(
                "it reads the wrong number of bytes",
                "That's what happens in a format where a field is found by its position. Here four bytes in \
                 front say how long the header is, whatever it holds, and `data_len` is found by its name.",
            ),
            right(
                "it reads every answer",
                "It finds `data_len` by its name, and ignores the rest. The four bytes in front say how long \
                 the header is, so it also knows where the payload begins.",
            ),
        ],
    },
    run,
};

const COMMANDS: [&str; 2] = ["echo hi", "ls /nowhere 2>/dev/null; echo failed >&2; exit 3"];

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("fix-json-header-server", &[]);
    let client =
        CommandLine::new("fix-json-header-client", &["-c", COMMANDS[0], "-c", COMMANDS[1]]);
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let address = server.address()?;
    let new = scene.client("new", &client, &address)?.end()?;
    let old = old_client(&address).map_err(SetupError::peer("playing the old client"))?;
    let server = server.stop()?;

    scene.says("new", &new.stdout)?;
    for (header, body) in &old {
        scene.says("header", header)?;
        scene.says("old", body)?;
    }
    let messages = old.iter().zip(1..).map(|((header, body), number)| Message {
        name: format!("answer {number}"),
        parts: [(Kind::Framing, 4), (Kind::Framing, header.len()), (Kind::Payload, body.len())]
            .map(|(kind, len)| Part { kind, len })
            .to_vec(),
    });
    // The server talked to both; only the new client recorded its end.
    let events = [&server.events[..], &new.events].concat();
    let connection = connections(&events, &[]).into_iter().find(|one| !one.client.is_empty());
    let stream = connection.unwrap_or_default().stream(Direction::ToClient)?;
    let stream = stream.between("server", "new client");
    scene.picture(&stream.with_messages(&messages.collect::<Vec<_>>()))?;

    let known = |(header, _): &(Vec<u8>, Vec<u8>)| {
        serde_json::from_slice::<Value>(header).ok()?.as_object().map(|members| members.len())
    };
    let members: Vec<_> = old.iter().map(known).collect();
    let grown = members.iter().all(|count| count.is_some_and(|count| count > 1));
    let bodies = old.iter().map(|(_, body)| body.as_slice()).collect::<Vec<_>>().concat();
    let mut findings = Findings::default();
    findings.holds(grown, "headers with more than data_len", members);
    scene.came(match bodies == b"hi\nfailed\n" {
        true => "it reads every answer",
        false => "it reads the wrong number of bytes",
    });
    findings.equal(
        "the old client's answers",
        String::from_utf8_lossy(&bodies).as_ref(),
        "hi\nfailed\n",
    );
    findings.equal("the new client's answers", new.stdout.as_slice(), bodies.as_slice());
    Ok(findings.verdict("the headers said more than `data_len`; the old client read both answers"))
}

/// Sends the commands; returns each answer's header and body. It reads one member of the header and ignores the rest.
fn old_client(address: &str) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut conn = TcpStream::connect(address)?;
    conn.set_read_timeout(Some(TIMEOUT))?;
    let mut answers = Vec::new();
    for command in COMMANDS {
        let length = (command.len() as i32).to_le_bytes();
        conn.write_all(&[&length, command.as_bytes()].concat())?;

        let mut length = [0; 4];
        conn.read_exact(&mut length)?;
        let mut header = vec![0; i32::from_le_bytes(length).unsigned_abs().min(1 << 16) as usize];
        conn.read_exact(&mut header)?;
        let members: Value = serde_json::from_slice(&header)?;
        let mut body = vec![0; members["data_len"].as_u64().unwrap_or(0).min(1 << 20) as usize];
        conn.read_exact(&mut body)?;
        answers.push((header, body));
    }
    Ok(answers)
}
