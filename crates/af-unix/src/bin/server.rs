//! A server whose address is a file: AF_UNIX, as a stream, as datagrams, as seqpacket.
//!
//! ```text
//! 1$ cargo run -q --bin af-unix-server
//! listening on /run/user/1000/unstuck/af-unix.sock
//! from pid 4242, uid 1000
//! hello
//!
//! 2$ cargo run -q --bin af-unix-client
//! hi
//! ```
//!
//! `-v` shows each call as it happens. Compare `talk` with the one in tcp-basic-server: only the
//! address is new there.

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use af_unix::{Claim, Kind, default_path, peer_of_this_user};
use clap::Parser;
use observe::{Failure, Socket, report, show};
use socket2::{Domain, SockAddr};
use tracing::warn;

fn main() -> ExitCode {
    let args = Args::parse();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let path = args.path()?;
    // The claim owns the socket's file, and deletes it when the server ends.
    let (socket, _claim) =
        listen(args.kind, &path).map_err(Failure::cannot_listen(path.display()))?;
    print(format!("listening on {}", path.display()).as_bytes())?;
    serve(&socket, args)
}

fn listen(kind: Kind, path: &Path) -> io::Result<(Socket, Claim)> {
    let mut claim = Claim::new(path)?;
    let socket = Socket::new(Domain::UNIX, kind.try_into()?, None)?;
    // bind makes the file; no SO_REUSEADDR could take over an old one.
    socket.bind(&SockAddr::unix(path)?)?;
    claim.keep()?;
    claim.remove_when_told(0)?;
    match kind {
        // A client that does not read its answers would block us.
        Kind::Datagram => socket.set_write_timeout(Some(TIMEOUT))?,
        _ => socket.listen(10)?,
    }
    Ok((socket, claim))
}

fn serve(socket: &Socket, args: &Args) -> Result<(), Failure> {
    let mut backoff = observe::Backoff::default();
    loop {
        let said = match args.kind {
            Kind::Datagram => answer(socket),
            _ => {
                let Some((conn, _)) = backoff.check(socket.accept())? else { continue };
                converse(&conn)
            }
        };
        if !args.forever {
            return said.and_then(|said| print(&said));
        }
        // One client's error must not stop the server. Neither must a closed stdout.
        report(said.map(|said| observe::say_bytes(&said)));
    }
}

/// One conversation over a connection: returns who spoke, and what they said.
fn converse(conn: &Socket) -> Result<Vec<u8>, Failure> {
    // SO_PEERCRED: the kernel says which process and which user connected. Over TCP a server learns only an address.
    let peer = peer_of_this_user(conn).map_err(Failure::talking("a stranger", "SO_PEERCRED"))?;
    let message = talk(conn).map_err(Failure::talking(&peer, "the conversation"))?;
    Ok([format!("from {peer}\n").as_bytes(), &message].concat())
}

/// As in tcp-basic-server, without its limit: here only this user's programs can connect.
fn talk(conn: &Socket) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 1024];
    let mut message = match conn.recv(&mut buffer)? {
        0 => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the client said nothing")),
        n => buffer[..n].to_vec(),
    };
    conn.send(b"hi")?;
    conn.shutdown(Shutdown::Write)?;
    conn.set_read_timeout(Some(TIMEOUT))?;
    loop {
        match conn.recv(&mut buffer)? {
            0 => return Ok(message),
            n => message.extend_from_slice(&buffer[..n]),
        }
    }
}

/// One datagram and its answer: returns who spoke, and what they said.
fn answer(socket: &Socket) -> Result<Vec<u8>, Failure> {
    let mut buffer = [0; 1024];
    let datagram = socket.recv_from(&mut buffer).map_err(Failure::talking("anyone", "waiting"))?;
    let peer = show(&datagram.from);
    if datagram.truncated {
        warn!(
            peer,
            room = buffer.len(),
            "the datagram was longer than the buffer: the rest is lost"
        );
    }
    // Unlike in UDP, a client that did not bind has no address, and sendto fails with EINVAL.
    let what = "answering (did the client bind a name of its own?)";
    socket.send_to(b"hi", &datagram.from).map_err(Failure::talking(&peer, what))?;
    Ok([format!("from {peer}\n").as_bytes(), &buffer[..datagram.len]].concat())
}

/// How long a client that has begun to talk may be silent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A line on stdout, flushed at once: a program that started this server may be waiting for it.
fn print(line: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(&[line, b"\n"].concat()).and_then(|()| out.flush()).map_err(Failure::Stdout)
}

/// A server on a Unix socket: it answers `hi` to whatever the first client says, prints it, and ends.
///
/// The lesson: the address is a file, so the file's permissions say who may connect, the kernel
/// knows who did, and nobody from another machine can. `-v` shows the calls as they happen.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("server.rs")))]
struct Args {
    /// The file that names the endpoint [default: in a private directory of this user]
    #[arg(long, value_name = "FILE")]
    path: Option<PathBuf>,
    /// The kind of socket; both sides need the same
    #[arg(long, value_enum, default_value = "stream")]
    kind: Kind,
    /// Serve one client after another instead of one
    #[arg(long)]
    forever: bool,
    #[command(flatten)]
    log: observe::LogArgs,
}

impl Args {
    fn path(&self) -> Result<PathBuf, Failure> {
        let path = self.path.clone().map_or_else(default_path, Ok);
        path.map_err(|error| Failure::cannot_listen("the usual place")(error.into()))
    }
}
