//! Requests stick too: two raw commands sent close together run as one; framed requests do not.
//!
//! The experiment plays the client itself: both commands leave in one write, as they may whenever a program sends two
//! without waiting in between.

use crate::experiments::Experiment;
use crate::scene::Scene;
use crate::trouble::Trouble;
use crate::typed::Typed;
use crate::verdict::{Findings, Verdict};
use proto::prefix::{self, Prefix};
use proto::{Decoder, ReadError};
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "request",
    claim: "two raw commands sent close together run as one; framed commands stay two",
    prediction: None,
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, Trouble> {
    let raw = Typed::new("fix-struct-prefix-server", &["--requests", "raw"]);
    let framed = Typed::new("fix-struct-prefix-server", &["--requests", "framed"]);

    scene.terminals(&[&raw])?;
    scene.then("the experiment sends it `echo a` and `echo b` in one write")?;
    let from_raw = ask(scene, &raw, b"echo aecho b", 1)?;

    let mut requests = Vec::new();
    for command in [b"echo a", b"echo b"] {
        prefix::encode(command, &mut requests)
            .map_err(|error| Trouble::peer("framing a request")(io::Error::other(error)))?;
    }
    scene.terminals(&[&framed])?;
    scene.then("the same two commands in one write, each with its length in front")?;
    let from_framed = ask(scene, &framed, &requests, 2)?;

    let mut findings = Findings::default();
    findings.equal("answers to the raw requests:", from_raw, vec!["aecho b\n".to_owned()]);
    findings.equal("answers to the framed:", from_framed, vec!["a\n".to_owned(), "b\n".to_owned()]);
    Ok(findings
        .verdict("the raw ones ran as `echo aecho b`, the framed ones as `echo a` and `echo b`"))
}

/// Writes the requests in one piece; returns so many answers.
fn ask(
    scene: &mut Scene,
    server: &Typed,
    requests: &[u8],
    answers: usize,
) -> Result<Vec<String>, Trouble> {
    scene.blank()?;
    let server = scene.server("server", server, "127.0.0.1")?;
    let said = talk(&server.address()?, requests, answers).map_err(Trouble::peer("asking"))?;
    server.stop()?;
    for answer in &said {
        scene.lane("answer", answer)?;
    }
    Ok(said)
}

fn talk(address: &str, requests: &[u8], answers: usize) -> io::Result<Vec<String>> {
    let mut conn = TcpStream::connect(address)?;
    conn.set_read_timeout(Some(crate::scene::PATIENCE))?;
    conn.write_all(requests)?;
    let mut decoder = Decoder::new(Prefix::default());
    let mut said = Vec::new();
    while said.len() < answers {
        let answer = proto::read_frame(&mut conn, &mut decoder).map_err(|error| match error {
            ReadError::Io(error) => error,
            ReadError::Frame(error) => io::Error::other(error),
        })?;
        let Some(answer) = answer else { break };
        said.push(String::from_utf8_lossy(answer.body).into_owned());
    }
    conn.shutdown(Shutdown::Write)?;
    Ok(said)
}
