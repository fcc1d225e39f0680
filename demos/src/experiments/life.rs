//! The life of a connection: which state each end is in after each call, as the kernel has it.
//!
//! The experiment holds both ends, and asks the kernel after each call (sock_diag(7), as `ss -tan` does; Linux only). A
//! packet over loopback may arrive a moment after the call: so it waits until each end is where it should be, or says
//! where it is after a minute. No state in the tables ends by itself in that time, except TIME-WAIT, which lasts a
//! minute.
//!
//! The states that last only while a packet travels (SYN-RECV, FIN-WAIT-1, LAST-ACK) can't be seen here.

use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use diag::{State, connection};
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

pub const EXPERIMENT: Experiment = Experiment {
    name: "life",
    claim: "the end that says goodbye first stays in TIME-WAIT; the other waits in CLOSE-WAIT until it closes",
    prediction: Prediction {
        question: "a client and a server run on one machine. The client closes its end of their connection, and \
                   then the server closes its own. What does `ss -tan` show now?",
        choices: &[
            wrong(
                "nothing: both ends are gone",
                "The programs are done, but TCP isn't: something sent on this connection may still be on its \
                 way. So the kernel keeps the end that closed first, in TIME-WAIT.",
            ),
            right(
                "the client's end in TIME-WAIT",
                "The client closed first. So its kernel keeps its end for a while (a minute on Linux), in case \
                 something sent on this connection is still on its way. The server's end is gone at once.",
            ),
            wrong(
                "the server's end in TIME-WAIT",
                "TIME-WAIT has nothing to do with being the server: it's for the end that closes first, and \
                 that's the client here. The server's end was in CLOSE-WAIT until the server closed, and then \
                 it was gone.",
            ),
        ],
    },
    run,
};

const NOBODY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let listener = listen().map_err(SetupError::peer("listening"))?;
    let place = address(&listener).map_err(SetupError::peer("listening"))?;
    if !matches!(connection(place, NOBODY), Ok(Some(_))) {
        return Ok(Verdict::NotTested(
            "only Linux tells the state of a connection (sock_diag)".into(),
        ));
    }
    let mut walk = Walk { listener: place, client: NOBODY, rows: String::new(), wrong: Vec::new() };
    let last =
        close_in_order(&mut walk, &listener).map_err(SetupError::peer("closing in order"))?;
    scene.table(&walk.table("a half-close, then the end"))?;
    let error = reset(&mut walk, &listener).map_err(SetupError::peer("resetting"))?;
    scene.table(&walk.table("closed with bytes unread"))?;
    unanswered(&mut walk).map_err(SetupError::peer("connecting to a full queue"))?;
    scene.table(&walk.table("nobody accepts, queue full"))?;

    scene.came(match last {
        [Some(State::TimeWait), None] => "the client's end in TIME-WAIT",
        [None, Some(State::TimeWait)] => "the server's end in TIME-WAIT",
        _ => "nothing: both ends are gone",
    });
    let mut findings = Findings::default();
    findings.equal("ends in another state:", walk.wrong, Vec::new());
    findings.equal("the last recv after the reset", error, Some(ErrorKind::ConnectionReset));
    Ok(findings.verdict("only the end that closed first was left, in TIME-WAIT; a reset left none"))
}

/// The client says first that it's done.
fn close_in_order(walk: &mut Walk, listener: &Socket) -> io::Result<[Option<State>; 2]> {
    walk.step("listen", None, Some((State::Listen, 0)))?;
    let mut client = walk.connect()?;
    walk.step("connect; no accept yet", ESTABLISHED, ESTABLISHED)?;
    let mut server: TcpStream = listener.accept()?.0.into();
    walk.step("accept", ESTABLISHED, ESTABLISHED)?;
    client.write_all(b"hello")?;
    walk.step("the client sends hello", ESTABLISHED, Some((State::Established, 5)))?;
    server.read_exact(&mut [0; 5])?;
    walk.step("the server's recv: hello", ESTABLISHED, ESTABLISHED)?;

    client.shutdown(Shutdown::Write)?;
    // Until a recv has returned 0, the end of the stream is unread, too.
    walk.step("the client's shutdown", Some((State::FinWait2, 0)), Some((State::CloseWait, 1)))?;
    expect_end(&mut server)?;
    walk.step("the server's recv: the end", Some((State::FinWait2, 0)), CLOSE_WAIT)?;
    server.write_all(b"hi")?;
    client.read_exact(&mut [0; 2])?;
    walk.step("the server's hi, and recv", Some((State::FinWait2, 0)), CLOSE_WAIT)?;
    drop(server);
    walk.step("the server closes", Some((State::TimeWait, 0)), None)?;
    drop(client);
    walk.step("the client closes", Some((State::TimeWait, 0)), None)
}

/// The server closes while bytes lie unread in its receive buffer. What the client's recv said.
fn reset(walk: &mut Walk, listener: &Socket) -> io::Result<Option<ErrorKind>> {
    let mut client = walk.connect()?;
    let server: TcpStream = listener.accept()?.0.into();
    walk.step("connect, accept", ESTABLISHED, ESTABLISHED)?;
    client.write_all(b"hello")?;
    walk.step("the client sends hello", ESTABLISHED, Some((State::Established, 5)))?;
    drop(server);
    walk.step("the server closes", None, None)?;
    let error = client.read(&mut [0; 8]).err().map(|error| error.kind());
    let said = error.map_or("the end of the stream".to_owned(), |kind| kind.to_string());
    walk.rows += &format!("the client's recv: {said}\n");
    Ok(error)
}

/// A backlog of 0 is a queue for one. For the second client the kernel doesn't answer: it asks again and again.
fn unanswered(walk: &mut Walk) -> io::Result<()> {
    let full = listen()?;
    full.listen(0)?;
    walk.listener = address(&full)?;
    let _first = walk.connect()?;
    walk.step("the first connect", ESTABLISHED, ESTABLISHED)?;
    // Its connect waits: without this, so would we.
    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    second.set_nonblocking(true)?;
    let begun = second.connect(&walk.listener.into());
    if let Err(error) = begun.as_ref()
        && Errno::from_io_error(error) != Some(Errno::INPROGRESS)
    {
        return begun;
    }
    walk.client = address(&second)?;
    walk.step("the second connect waits", Some((State::SynSent, 0)), None)?;
    Ok(())
}

/// A state, and how many bytes lie unread.
type End = Option<(State, u32)>;

const ESTABLISHED: End = Some((State::Established, 0));
const CLOSE_WAIT: End = Some((State::CloseWait, 0));

/// Both ends of one connection, and what was seen of them.
struct Walk {
    listener: SocketAddr,
    /// [`NOBODY`] as long as there is no client.
    client: SocketAddr,
    rows: String,
    wrong: Vec<String>,
}

impl Walk {
    fn connect(&mut self) -> io::Result<TcpStream> {
        let client = TcpStream::connect(self.listener)?;
        client.set_read_timeout(Some(TIMEOUT))?;
        self.client = client.local_addr()?;
        Ok(client)
    }

    /// Writes a row after a call: the state of each end, and how many bytes lie unread there. `None`: there is no such
    /// end.
    fn step(&mut self, call: &str, client: End, server: End) -> io::Result<[Option<State>; 2]> {
        let give_up = Instant::now() + TIMEOUT;
        let seen = loop {
            let is_there = self.client != NOBODY;
            let seen = [
                if is_there { end(self.client, self.listener)? } else { None },
                end(self.listener, self.client)?,
            ];
            if seen == [client, server] || Instant::now() > give_up {
                break seen;
            }
            thread::sleep(Duration::from_millis(1));
        };
        let [client_is, server_is] = seen.map(words);
        let row = format!("{call:<27}{client_is:<13}{server_is}");
        self.rows += &format!("{}\n", row.trim_end());
        if seen != [client, server] {
            self.wrong.push(format!("{call}: {client_is}, {server_is}"));
        }
        Ok(seen.map(|end| end.map(|(state, _)| state)))
    }

    /// The rows since the last table.
    fn table(&mut self, title: &str) -> String {
        format!("{title:<27}{:<13}server\n{}", "client", mem::take(&mut self.rows))
    }
}

fn end(local: SocketAddr, remote: SocketAddr) -> io::Result<End> {
    Ok(connection(local, remote)?.map(|end| (end.state, end.recv_queue)))
}

/// As in `ss`, with what it calls Recv-Q.
fn words(end: End) -> String {
    match end {
        None => "-".to_owned(),
        Some((state, 0)) => state.to_string(),
        Some((state, unread)) => format!("{state}, Recv-Q {unread}"),
    }
}

fn expect_end(conn: &mut TcpStream) -> io::Result<()> {
    match conn.read(&mut [0; 8])? {
        0 => Ok(()),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn listen() -> io::Result<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
    listener.listen(1)?;
    Ok(listener)
}

fn address(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| ErrorKind::InvalidInput.into())
}
