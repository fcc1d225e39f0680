//! A delimiter says where a message ends: at its line feed, and not where a recv happened to stop.
//!
//! The relay cuts a line in two at every place. It sends the first piece, and holds the second until the reader has taken
//! the first: so each cut is two recvs, every time.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::many_runs;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Ended, Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use proto::lines;
use stage::Signal;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use timeline::{Direction, Framing};

pub const EXPERIMENT: Experiment = Experiment {
    name: "delimiter",
    claim: "cut inside a line, a server that splits each recv sees more messages; one that keeps the rest does not",
    prediction: Prediction {
        question: "a server takes the bytes of each `recv`, and splits them at the line feeds. A client sends \
                   `hello` and `hi`, with a line feed after each; 3 bytes arrive first, then the rest. Which \
                   messages does the server see?",
        choices: &[
            right(
                "hel, lo, hi",
                "The first `recv` returned `hel`, and the server treated that as a message. The second \
                 returned the rest, which it split into `lo` and `hi`. A `recv` can end anywhere: it knows \
                 nothing about lines.",
            ),
            wrong(
                "hello, hi",
                "It would, if it kept `hel` until the rest arrived. But this server treats the end of a `recv` \
                 as the end of a line, and the first `recv` ended after 3 bytes.",
            ),
            wrong(
                "lo, hi: the beginning is lost",
                "TCP loses nothing, and this server doesn't throw `hel` away, either: it treats it as a whole \
                 message, and answers it.",
            ),
        ],
    },
    run,
};

/// Cut at each of its places.
const LINE: &str = "hello, world";
const ANSWER: &[u8] = b"HELLO, WORLD\n";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    let naive = CommandLine::new("zoo-splits-each-recv", &[]).at("--listen", "127.0.0.1:8888");
    let keeps = CommandLine::new("lines-server", &[]);
    let cut = CommandLine::new("relay", &["--cut", "3,*", "--direction", "to-server"])
        .at("--to", "127.0.0.1:8888");
    let client = CommandLine::new("lines-client", &[]).at("--connect", "127.0.0.1:7777");

    scene.terminals(&[&naive, &cut, &client])?;
    scene.blank()?;
    let server = scene.server("splits", &naive, "127.0.0.1")?;
    let relay = scene.relay(&cut, &server.address()?)?;
    let asked = scene.client("client", &client, &relay.address()?)?.end_somehow()?;
    relay.stop()?;
    // It serves forever: only a signal ends it.
    server.signal(Signal::TERM);
    let said = messages(&server.end_somehow()?);
    show(scene, "splits", &said)?;
    scene.says("client", &asked.stdout)?;
    let error = asked.complaint();
    scene.says("client", error.split_once("answer: ").map_or(error.as_str(), |(_, why)| why))?;
    scene.says("client", format!("(exit code {})", asked.code.unwrap_or(-1)))?;
    findings.equal("messages of the one that splits:", said.join(", "), "hel, lo, hi".to_owned());
    findings.equal("its client's exit code", asked.code, Some(5));
    scene.came(said.join(", "));

    scene.terminals(&[&keeps])?;
    scene.then("and the same relay, and the same client:")?;
    scene.blank()?;
    let server = scene.server("keeps", &keeps, "127.0.0.1")?;
    let relay = scene.relay(&cut, &server.address()?)?;
    let asked = scene.client("client", &client, &relay.address()?)?.end()?;
    let (relay, server) = (relay.stop()?, server.end()?);
    let said = messages(&server);
    show(scene, "keeps", &said)?;
    scene.says("client", &asked.stdout)?;
    let ends = [asked.events.clone(), server.events].concat();
    for connection in &timeline::connections(&ends, &relay.events) {
        scene.picture(&connection.stream(Direction::ToServer)?.framed(&Framing::Lines))?;
    }
    findings.equal("messages of the one that keeps the rest:", said.join(", "), "hello, hi".into());
    findings.equal("what its client prints", asked.said().as_str(), "HELLO\nHI\n");

    everywhere(scene, &mut findings)?;
    inside(scene, &mut findings)?;
    Ok(findings.verdict("splitting each recv was wrong at every cut, keeping the rest at none"))
}

/// The line, cut in two at each of its places, for each server.
fn everywhere(scene: &mut Scene, findings: &mut Findings) -> Result<(), SetupError> {
    let splits = scene.start(
        "splits",
        &CommandLine::new("zoo-splits-each-recv", &[]),
        &["--listen", "127.0.0.1:0"],
    )?;
    let keeps = CommandLine::new("lines-server", &["--forever"]);
    let keeps = scene.start("keeps", &keeps, &["--listen", "127.0.0.1:0"])?;
    scene.text(&format!("`{LINE}`, cut in two at every place: read as one message\n"))?;
    scene.blank()?;
    for (what, server, crlf, right) in [
        ("splits each recv", &splits, false, false),
        ("keeps the rest", &keeps, false, true),
        ("keeps the rest, CRLF", &keeps, true, true),
    ] {
        // The last cut is the one before the line feed: with CRLF, between the two.
        let places = LINE.len() + usize::from(crlf);
        let mut whole = 0;
        for place in 1..=places {
            whole += usize::from(is_whole(&server.address()?, place, crlf)?);
        }
        scene.count(what, whole, places)?;
        let expected = if right { places } else { 0 };
        findings.equal(&format!("{what}: read as one message, times:"), whole, expected);
    }
    splits.signal(Signal::TERM);
    splits.end_somehow()?;
    keeps.stop().map(drop)
}

/// Whether the line comes back as one, when it is cut here.
fn is_whole(server: &str, place: usize, crlf: bool) -> Result<bool, SetupError> {
    let arguments: &[&str] = if crlf { &["--crlf", LINE] } else { &[LINE] };
    let relay = many_runs::relay(&format!("cut={place},* direction=to-server"), server)?;
    let client = many_runs::client(&CommandLine::new("lines-client", arguments), &relay)?;
    let client = client.wait(TIMEOUT)?;
    Ok(client.code == Some(0) && client.stdout == ANSWER)
}

/// A line feed inside a message: as it is, and escaped.
fn inside(scene: &mut Scene, findings: &mut Findings) -> Result<(), SetupError> {
    const MESSAGE: &str = "two\nlines";
    let server = CommandLine::new("lines-server", &[]);
    scene.terminals(&[&server])?;
    scene.then("the experiment sends 74 77 6f 0a 6c 69 6e 65 73 0a: a line feed inside")?;
    scene.blank()?;
    let bare = scene.start("server", &server, &["--listen", "127.0.0.1:0"])?;
    let address = bare.address()?;
    talk(&address, &[MESSAGE.as_bytes(), b"\n"].concat()).map_err(SetupError::peer("asking"))?;
    let said = messages(&bare.end()?);
    show(scene, "server", &said)?;
    findings.equal("unescaped, the messages", said.join(", "), "two, lines".to_owned());

    let client = CommandLine::new("lines-client", &[MESSAGE]);
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let escaped = scene.start("server", &server, &["--listen", "127.0.0.1:0"])?;
    let asked = scene.client("client", &client, &escaped.address()?)?.end()?;
    let said = messages(&escaped.end()?);
    show(scene, "server", &said)?;
    let sent = asked.moved("send").concat();
    scene.says("wire", hex(&sent))?;
    findings.equal("escaped, the messages", said.join(", "), "two\\nlines".to_owned());
    findings.equal("the line", sent, lines::encode(MESSAGE.as_bytes()));
    findings.equal("what the client prints", asked.said(), "TWO\nLINES\n".to_owned());
    Ok(())
}

fn talk(address: &str, bytes: &[u8]) -> io::Result<()> {
    let mut conn = TcpStream::connect(address)?;
    conn.set_read_timeout(Some(TIMEOUT))?;
    conn.write_all(bytes)?;
    conn.shutdown(Shutdown::Write)?;
    conn.read_to_end(&mut Vec::new()).map(drop)
}

/// The messages that the server found.
fn messages(server: &Ended) -> Vec<String> {
    let said = server.said();
    let messages = said.lines().filter_map(|line| line.strip_prefix("message "));
    messages.filter_map(|line| Some(line.split_once(": ")?.1.to_owned())).collect()
}

fn show(scene: &mut Scene, label: &str, messages: &[String]) -> Result<(), SetupError> {
    let mut numbered = (1..).zip(messages);
    numbered
        .try_for_each(|(number, message)| scene.says(label, format!("message {number}: {message}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
