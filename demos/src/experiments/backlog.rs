//! The backlog is a queue for accept, not a limit on connections.
//!
//! listen(3) queues a few connections that nobody has accepted yet (on Linux one more than it says: listen(2), "the
//! queue length for completely established sockets"). Each accept makes room again, so the number of open connections
//! has nothing to do with it. No program of the course listens and never accepts, or lets you choose its backlog: here
//! the experiment listens itself.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::thread;
use std::time::Duration;

pub const EXPERIMENT: Experiment = Experiment {
    name: "backlog",
    claim: "the backlog is a queue for accept, not a limit: listen(3) holds a few, and 100 are open at once",
    prediction: Prediction {
        question: "a server calls `listen(3)`, and then `accept` in a loop that waits for nothing else. 100 \
                   clients connect, and all of them stay connected. How many are served?",
        choices: &[
            wrong(
                "3, the others are refused",
                "That treats the backlog as a limit on clients. It's only the length of the queue in front of \
                 `accept`. And even a full queue refuses nobody (on Linux): the client gets no answer, and its \
                 kernel tries again.",
            ),
            wrong(
                "4, the others wait",
                "That's what happens without `accept`: then 4 of 10 get through, because Linux keeps one more \
                 than you ask for. But this server does call `accept`, and each call makes room for the next \
                 client.",
            ),
            right(
                "all 100, at the same time",
                "The queue is only for clients that haven't been accepted yet. Each `accept` makes room, so \
                 the number of open connections has nothing to do with the 3.",
            ),
        ],
    },
    run,
};

const BACKLOG: i32 = 3;
/// How many connect while nobody accepts.
const KNOCK: usize = 10;
/// How long they wait. A connection over loopback takes microseconds; a client that has none by then waits for an accept.
const WAIT: Duration = Duration::from_millis(300);
/// How many are served.
const SERVED: usize = 100;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    scene.blank()?;
    scene.says("listener", "listen(3), and no accept")?;
    let queued = knock().map_err(SetupError::peer("connecting while nobody accepts"))?;
    let text = format!("{KNOCK} connect: {queued} are connected, {} wait", KNOCK - queued);
    scene.says("clients", text)?;
    scene.says("listener", "listen(3), and accept for each client")?;
    let served = serve().map_err(SetupError::peer("serving many"))?;
    scene.says(
        "clients",
        format!("{SERVED} connect and stay; then each sends a byte, and gets it back"),
    )?;
    scene.came(match served {
        SERVED => "all 100, at the same time".to_owned(),
        fewer => fewer.to_string(),
    });

    scene.blank()?;
    scene.count("connected, without accept", queued, KNOCK)?;
    scene.count("open at once, with accept", served, SERVED)?;

    scene.text(
        "The queue is for those that nobody has accepted yet (Linux: one more than listen says). The others \
         are not refused: nothing answers them, and their kernels try again. Each accept makes room.\n",
    )?;

    let mut findings = Findings::default();
    // How long the queue is for a backlog of 3 is up to the system (POSIX calls it a hint). Here it matters only that there
    // is a queue, and that it has an end.
    findings.holds((1..KNOCK).contains(&queued), "some of 10 to be queued, not all", queued);
    findings.equal("clients served at the same time:", served, SERVED);
    Ok(findings.verdict("the queue ended after a few, and 100 connections were open at once"))
}

fn listen() -> io::Result<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
    listener.listen(BACKLOG)?;
    Ok(listener)
}

/// How many of ten clients get a connection while nobody accepts.
fn knock() -> io::Result<usize> {
    let listener = listen()?;
    let address = listener.local_addr()?;
    let mut clients = Vec::new();
    for _ in 0..KNOCK {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // So that connect doesn't block, and all of them can wait together.
        client.set_nonblocking(true)?;
        match client.connect(&address) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => clients.push(client),
        }
    }
    thread::sleep(WAIT);
    // Only a connected socket has a peer.
    Ok(clients.iter().filter(|client| client.peer_addr().is_ok()).count())
}

/// How many of a hundred clients, all of them connected, are answered.
fn serve() -> io::Result<usize> {
    let listener = listen()?;
    let address = listener.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
    thread::spawn(move || accept_and_echo(&listener));
    let mut clients = Vec::new();
    for _ in 0..SERVED {
        let mut client = TcpStream::connect(address)?;
        client.set_read_timeout(Some(TIMEOUT))?;
        // The greeting is sent after the accept, so the next client finds the queue empty, however slow the machine is.
        client.read_exact(&mut [0])?;
        clients.push(client);
    }
    let mut served = 0;
    for mut client in clients {
        client.write_all(b"?")?;
        let mut answer = [0];
        client.read_exact(&mut answer)?;
        served += usize::from(answer == *b"?");
    }
    Ok(served)
}

/// Accepts and greets all of them first, then answers each once.
fn accept_and_echo(listener: &Socket) -> io::Result<()> {
    let mut open = Vec::new();
    for _ in 0..SERVED {
        let (mut conn, _) = listener.accept()?;
        conn.write_all(b"!")?;
        open.push(conn);
    }
    for mut conn in open {
        let mut byte = [0];
        conn.read_exact(&mut byte)?;
        conn.write_all(&byte)?;
    }
    Ok(())
}
