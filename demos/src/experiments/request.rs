//! Requests stick too: two raw commands sent close together run as one; framed requests do not.
//!
//! The experiment plays the client itself: both commands are sent in one write, as may happen whenever a program sends two
//! without waiting in between. Framing the answers, however carefully, doesn't help the requests.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use observe::Event;
use proto::json::JsonFraming;
use proto::prefix::{self, PrefixFraming};
use proto::{Decoder, Framing, ack};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use timeline::{Message, Stream};

pub const EXPERIMENT: Experiment = Experiment {
    name: "request",
    claim: "two raw commands sent close together run as one in every protocol; framed commands stay two",
    prediction: Prediction {
        question: "a client sends `echo a` and `echo b` in one write. Nothing marks where the first one ends. \
                   What does the server answer?",
        choices: &[
            right(
                "aecho b",
                "One `recv` returned all twelve bytes, `echo aecho b`, and to the shell that's one command. \
                 Framing the answers doesn't help here: the requests need boundaries of their own.",
            ),
            wrong(
                "a, then b",
                "This server treats what one `recv` returns as one command. That was all twelve bytes, and \
                 nothing in them says where the first command ends.",
            ),
            wrong(
                "only a: the second command is lost",
                "TCP loses nothing. The second command did arrive, right after the first, and became part of \
                 it: the shell ran `echo aecho b`.",
            ),
        ],
    },
    run,
};

const COMMANDS: [&[u8]; 2] = [b"echo a", b"echo b"];
const RAW: [&str; 2] = ["--requests", "raw"];
/// The server whose recvs are drawn; those of the others look the same.
const DRAWN: &str = "struct";

/// How a server's answers are framed.
#[derive(Clone, Copy)]
enum Answers {
    Bare,
    Ack,
    PrefixFraming,
    JsonFraming,
}

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let raw = [
        ("sticky", CommandLine::new("sticky-packet-repro-server", &["shell"]), Answers::Bare),
        ("ack", CommandLine::new("fix-ack-handshake-server", &[]), Answers::Ack),
        ("struct", CommandLine::new("fix-struct-prefix-server", &RAW), Answers::PrefixFraming),
        ("json", CommandLine::new("fix-json-header-server", &RAW), Answers::JsonFraming),
        ("threaded", CommandLine::new("threaded-server", &RAW), Answers::JsonFraming),
    ];
    let framed = [
        ("struct", CommandLine::new("fix-struct-prefix-server", &[]), Answers::PrefixFraming),
        ("json", CommandLine::new("fix-json-header-server", &[]), Answers::JsonFraming),
        ("threaded", CommandLine::new("threaded-server", &[]), Answers::JsonFraming),
    ];
    let mut findings = Findings::default();

    show(scene, &raw, "the experiment sends each `echo a` and `echo b`, in one write:")?;
    let mut as_one = 0;
    let mut recorded = Vec::new();
    for (label, server, answers) in &raw {
        let (came, events) = ask(scene, label, server, *answers, &COMMANDS.concat(), 1)?;
        as_one += usize::from(came == ["aecho b\n"]);
        findings.equal(&format!("{label}, raw, to answer"), came, vec!["aecho b\n".to_owned()]);
        if *label == DRAWN {
            recorded = events;
        }
    }
    let message = |name: &str| Message::new(name, COMMANDS[0].len());
    draw(scene, "raw", &recorded, &[message("command 1"), message("command 2")])?;
    scene.came(match as_one == raw.len() {
        true => "aecho b",
        false => "a, then b",
    });

    let mut requests = Vec::new();
    for command in COMMANDS {
        let head = prefix::encode_head(command.len())
            .map_err(|error| SetupError::peer("framing a request")(io::Error::other(error)))?;
        requests.extend([&head, command].concat());
    }
    show(scene, &framed, "the same in one write, each command with its length in front:")?;
    for (label, server, answers) in &framed {
        let (came, events) = ask(scene, label, server, *answers, &requests, 2)?;
        let expected = vec!["a\n".to_owned(), "b\n".to_owned()];
        findings.equal(&format!("{label}, framed, to answer"), came, expected);
        if *label == DRAWN {
            recorded = events;
        }
    }
    let message = |name: &str| Message::framed(name, prefix::PREFIX_LEN, COMMANDS[0].len());
    draw(scene, "framed", &recorded, &[message("command 1"), message("command 2")])?;
    scene.text("These came in one piece, too, but each says where it ends.\n")?;
    Ok(findings.verdict("raw, five servers ran `echo aecho b`; framed, three ran both commands"))
}

fn show(
    scene: &mut Scene,
    servers: &[(&str, CommandLine, Answers)],
    then: &str,
) -> Result<(), SetupError> {
    scene.terminals(&[&servers[0].1])?;
    scene.then("and, one after the other:")?;
    servers[1..].iter().try_for_each(|(_, server, _)| scene.then_type(server))?;
    scene.then(then)?;
    scene.blank()
}

/// Writes the requests in one piece; returns the answers (this many, and whatever else comes) and what the server recorded.
fn ask(
    scene: &mut Scene,
    label: &str,
    server: &CommandLine,
    answers: Answers,
    requests: &[u8],
    count: usize,
) -> Result<(Vec<String>, Vec<Event>), SetupError> {
    let server = scene.start(label, server, &["--listen", "127.0.0.1:0"])?;
    let came = talk(&server.address()?, answers, requests, count);
    let came = came.map_err(SetupError::peer("asking"))?;
    let server = server.stop()?;
    came.iter().try_for_each(|answer| scene.says(label, answer))?;
    Ok((came, server.events))
}

/// What the server received, up to the end of the stream.
fn draw(
    scene: &mut Scene,
    title: &str,
    server: &[Event],
    messages: &[Message],
) -> Result<(), SetupError> {
    let ends = |event: &Event| event.call == "recv" && event.got == Some(0);
    let events: Vec<_> = server.iter().take_while(|event| !ends(event)).cloned().collect();
    let stream = Stream::from_events(&[], &events)?.between("client", "struct").called(title);
    scene.picture(&stream.with_messages(messages))
}

fn talk(address: &str, answers: Answers, requests: &[u8], count: usize) -> io::Result<Vec<String>> {
    let mut conn = TcpStream::connect(address)?;
    conn.set_read_timeout(Some(TIMEOUT))?;
    conn.write_all(requests)?;
    let mut came = match answers {
        Answers::Bare => vec![one_recv(&mut conn)?],
        Answers::Ack => {
            let length = one_recv(&mut conn)?.parse().map_err(io::Error::other)?;
            conn.write_all(ack::OK)?;
            let mut answer = vec![0; length];
            conn.read_exact(&mut answer)?;
            vec![String::from_utf8_lossy(&answer).into_owned()]
        }
        Answers::PrefixFraming => frames(&mut conn, Decoder::new(PrefixFraming::default()), count)?,
        Answers::JsonFraming => frames(&mut conn, Decoder::new(JsonFraming::default()), count)?,
    };
    // We ask nothing more, and nothing more should come.
    conn.shutdown(Shutdown::Write)?;
    let mut more = Vec::new();
    conn.read_to_end(&mut more)?;
    came.extend((!more.is_empty()).then(|| String::from_utf8_lossy(&more).into_owned()));
    Ok(came)
}

/// What one recv returns: on loopback, all of one short send.
fn one_recv(conn: &mut TcpStream) -> io::Result<String> {
    let mut buffer = [0; 1024];
    let got = conn.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..got]).into_owned())
}

fn frames<F: Framing>(
    conn: &mut TcpStream,
    mut decoder: Decoder<F>,
    count: usize,
) -> io::Result<Vec<String>> {
    let mut came = Vec::new();
    while came.len() < count {
        match decoder.decode().map_err(io::Error::other)? {
            Some(frame) => came.push(String::from_utf8_lossy(frame.body).into_owned()),
            None => match conn.read(decoder.space())? {
                0 => break,
                n => decoder.filled(n),
            },
        }
    }
    came.extend((!decoder.unread().is_empty()).then(|| "(more)".to_owned()));
    Ok(came)
}
