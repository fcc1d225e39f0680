//! A name has several addresses, and "connection refused" is about one of them.
//!
//! A server listens on 127.0.0.1, as most first servers do. To a client that says `localhost`, the system gives two
//! addresses, ::1 first (RFC 6724 prefers it). Nobody listens there: refused, although the server is running. The client
//! that tries each address in turn gets through.
//!
//! On some machines `localhost` is only 127.0.0.1. So that the run doesn't depend on it, the experiment names the two
//! addresses itself. It also holds the server's port on ::1, so that no other program listens there by chance.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Ended, Scene};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};

pub const EXPERIMENT: Experiment = Experiment {
    name: "names",
    claim: "`localhost` is often two addresses: one refuses although the server runs; try each in turn",
    prediction: Prediction {
        question: "a server listens on 127.0.0.1. A client wants to connect to `localhost`, which is both ::1 \
                   and 127.0.0.1, and tries them in that order. What happens?",
        choices: &[
            wrong(
                "both addresses lead to the server: it connects at once",
                "Both are this machine, but a server listens on an address, not on a machine. Ours listens on \
                 127.0.0.1, so ::1 says \"connection refused\".",
            ),
            right(
                "::1 is refused, then 127.0.0.1 connects",
                "Nobody listens on ::1, so the kernel refuses at once, although the server is running. A \
                 refusal is about one address: the client tries the next one, and gets its `hi`.",
            ),
            wrong(
                "::1 waits until a timeout, then 127.0.0.1 connects",
                "Silence is what you get from a machine that isn't there. This one is there: its kernel knows \
                 that nobody listens on ::1, and says so at once.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    if let Err(error) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        return Ok(Verdict::NotTested(format!("this machine has no IPv6 loopback: {error}")));
    }
    let server = CommandLine::new("tcp-basic-server", &[]);
    let one = CommandLine::new("tcp-basic-client", &[]).at("--connect", "[::1]:8888");
    let each = CommandLine::new("tcp-basic-names", &["::1", "127.0.0.1"]);
    scene.terminals(&[&server, &one])?;
    scene.then("and then, as for a `localhost` that has both addresses:")?;
    scene.then_type(&each)?;
    scene.blank()?;
    let server = scene.server("server", &server, "127.0.0.1")?;
    let address: SocketAddr = server.address()?.parse().unwrap_or(([127, 0, 0, 1], 8888).into());
    let other = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
    let _held = match hold(other) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return Ok(Verdict::NotTested(format!("another program has {other}")));
        }
        held => held.map_err(SetupError::peer("holding the port on ::1"))?,
    };

    let first = scene.client("client", &one, &other.to_string())?.end_somehow()?;
    scene.says("client", first.complaint())?;
    let place = ["--port", &address.port().to_string()];
    let each = scene.start("names", &each, &place)?.end()?;
    scene.says("names", each.said())?;
    scene.says("server", server.end()?.said_then())?;

    let tried = connects(&each);
    scene.came(match &tried[..] {
        [(_, false), (_, true)] => "::1 is refused, then 127.0.0.1 connects",
        _ => "both addresses lead to the server: it connects at once",
    });
    let mut findings = Findings::default();
    findings.equal("the exit code of the client that tried one address:", first.code, Some(3));
    findings.equal("what it tried:", connects(&first), vec![(other.to_string(), false)]);
    let both = vec![(other.to_string(), false), (address.to_string(), true)];
    findings.equal("the addresses tried, and whether they answered:", tried, both);
    findings.holds(each.said().ends_with("\nhi\n"), "the answer `hi`", each.said());
    Ok(findings.verdict("the server was running, ::1 refused, and the next address connected"))
}

/// Bound, so that no other program can listen there, and not listening: the kernel refuses.
fn hold(address: SocketAddr) -> io::Result<Socket> {
    let deaf = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    deaf.set_only_v6(true)?;
    deaf.bind(&address.into())?;
    Ok(deaf)
}

/// Each address that a program tried, and whether it connected.
fn connects(program: &Ended) -> Vec<(String, bool)> {
    let calls = program.events.iter().filter(|event| event.call == "connect");
    calls.map(|call| (call.peer.clone().unwrap_or_default(), call.error.is_none())).collect()
}
