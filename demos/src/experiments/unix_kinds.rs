//! Three kinds of Unix socket: a stream sticks like TCP; datagram and seqpacket keep boundaries.
//!
//! The server is stopped (SIGSTOP) while `hello` and `hi` are sent, so both wait for it at once. Then it continues and
//! reads with room for both: recv(1024).

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::recorded::Recorded;
use crate::scene::{Actor, Ended, Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use socket2::{Domain, SockAddr, Socket, Type};
use stage::Signal;
use std::io;
use std::net::Shutdown;
use std::path::Path;
use timeline::Stream;

pub const EXPERIMENT: Experiment = Experiment {
    name: "unix-kinds",
    claim: "a Unix stream sticks too; Unix datagrams and seqpacket (only on Linux) keep boundaries",
    prediction: Prediction {
        question: "a client sends `hello`, then `hi`, over a Unix socket: a stream, a datagram or a seqpacket \
                   socket. Then the server reads, with room for 1024 bytes. Which kinds give it `hello` alone?",
        choices: &[
            right(
                "datagram and seqpacket",
                "These two carry messages: each read returns one of them, `hello` and then `hi`, although both \
                 were waiting. The stream returned `hellohi`.",
            ),
            wrong(
                "all three: it's one machine",
                "A Unix stream socket carries bytes, just as TCP does: one `recv(1024)` returned `hellohi`. \
                 Being on one machine doesn't create boundaries.",
            ),
            wrong(
                "none: they all glue",
                "Only the stream glues them. A read on a datagram or seqpacket socket returns one message, \
                 `hello`, however much room there is and however many are waiting.",
            ),
        ],
    },
    run,
};

const SENDS: [&[u8]; 2] = [b"hello", b"hi"];
const KINDS: [(&str, Type); 3] =
    [("stream", Type::STREAM), ("datagram", Type::DGRAM), ("seqpacket", Type::SEQPACKET)];

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    // A datagram server serves one datagram and ends, unless it is told to continue.
    let typed = KINDS.map(|(name, kind)| match kind {
        Type::DGRAM => CommandLine::new("af-unix-server", &["--forever", "--kind", "datagram"]),
        _ => CommandLine::new(
            "af-unix-server",
            if name == "stream" { &[] } else { &["--kind", "seqpacket"] },
        ),
    });
    scene.terminals(&[&typed[0]])?;
    scene.then("while it is stopped, the experiment sends it `hello` and `hi`; then it goes on")?;
    scene.then("and the same with the other kinds:")?;
    scene.then_type(&typed[1])?;
    scene.then_type(&typed[2])?;
    scene.blank()?;

    let mut findings = Findings::default();
    let mut table = "kind         sent          each recv(1024) took\n".to_owned();
    let (mut picture, mut boundaries) = (None, Vec::new());
    let here = if cfg!(target_os = "linux") { &KINDS[..] } else { &KINDS[..2] };
    for (&(name, kind), typed) in here.iter().zip(&typed) {
        let file = scene.directory().join(name);
        let server = scene.start(name, typed, &["--path", &file.to_string_lossy()])?;
        scene.says(name, format!("listening on {}", server.address()?))?;
        server.signal(Signal::STOP);
        let client = two_sends(kind, &file).map_err(SetupError::peer("sending twice"))?;
        server.signal(Signal::CONT);
        let server = until_all_is_read(kind, server)?;
        scene.says(name, server.said_then())?;

        let call = if kind == Type::DGRAM { "recvfrom" } else { "recv" };
        let mut took = server.moved(call);
        took.retain(|bytes| !bytes.is_empty());
        let words: Vec<_> = took.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
        table += &format!("{name:<11}  hello, hi     {}\n", words.join(", "));
        if took == SENDS {
            boundaries.push(name);
        }
        match kind {
            Type::STREAM => {
                findings.equal("the stream's recvs:", took, vec![SENDS.concat()]);
                let stream = Stream::from_events(&client.events, &server.events)?;
                picture = Some(stream.between("client", "server"));
            }
            _ => findings.equal(
                &format!("the {name}'s recvs:"),
                took,
                SENDS.map(<[u8]>::to_vec).to_vec(),
            ),
        }
    }
    if let Some(stream) = picture {
        scene.picture(&stream)?;
    }
    scene.table(&table)?;
    scene.text(
        "The server prints the bytes of all its recvs at once; its trace has each recv by itself.\n",
    )?;
    scene.came(match boundaries[..] {
        [] => "none: they all glue",
        ["stream", ..] => "all three: it's one machine",
        _ => "datagram and seqpacket",
    });
    Ok(findings.verdict("the stream glued `hello` and `hi`; the others delivered each by itself"))
}

fn two_sends(kind: Type, server: &Path) -> io::Result<Recorded<Socket>> {
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    if kind == Type::DGRAM {
        // Without a name of its own nobody could answer it.
        socket.bind(&SockAddr::unix(server.with_extension("client"))?)?;
    }
    socket.connect(&SockAddr::unix(server)?)?;
    let mut socket = Recorded::connected(socket)?;
    SENDS.iter().try_for_each(|bytes| socket.send(bytes))?;
    if kind != Type::DGRAM {
        socket.shutdown(Shutdown::Write)?;
    }
    Ok(socket)
}

fn until_all_is_read(kind: Type, server: Actor) -> Result<Ended, SetupError> {
    match kind {
        Type::DGRAM => {
            server.wait_for_line(stage::Stream::Stdout, "hi", TIMEOUT)?;
            server.stop()
        }
        // It reads to the end of the stream, and ends.
        _ => server.end(),
    }
}
