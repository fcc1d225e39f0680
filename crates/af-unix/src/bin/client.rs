//! A client of a server whose address is a file: AF_UNIX, as a stream, as datagrams, as seqpacket.
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
//! `-v` shows each call as it happens. Compare tcp-basic-client: only the address is new.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::Duration;

use af_unix::{Claim, Kind, NameError, address, default_path};
use clap::Parser;
use observe::{Failure, Socket, exit_when_interrupted, report};
use socket2::{Domain, SockAddr};

fn main() -> ExitCode {
    let args = Args::parse();
    report(run(&args))
}

fn connect(args: &Args, path: &Path) -> io::Result<Socket> {
    let conn = Socket::new(Domain::UNIX, args.kind.try_into()?, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?; // this limits connect too (Linux)
    conn.connect(&address(path)?).map_err(NameError::from)?;
    Ok(conn)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let path = args.path()?;
    let answer = match args.kind {
        Kind::Datagram => ask(args, &path)?,
        _ => {
            exit_when_interrupted();
            let conn = connect(args, &path).map_err(Failure::cannot_connect(path.display()))?;
            talk(&conn).map_err(Failure::asking(path.display(), "waiting for the answer"))?
        }
    };
    print(&answer).map_err(Failure::Stdout)
}

/// One conversation over a connection, as in tcp-basic-client.
fn talk(conn: &Socket) -> io::Result<Vec<u8>> {
    conn.send(b"hello")?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match conn.recv(&mut buffer)? {
            0 if answer.is_empty() => {
                let what = "the server closed without an answer";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, what));
            }
            0 => return Ok(answer),
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
}

/// One datagram and its answer.
fn ask(args: &Args, path: &Path) -> Result<Vec<u8>, Failure> {
    // Unlike UDP, the kernel picks no address for us: without a name of our own there is no answer.
    let mut own = OsString::from(path);
    own.push(format!(".{}", process::id()));
    let own = PathBuf::from(own);
    let (socket, _claim) = bind(args, &own).map_err(Failure::cannot_listen(own.display()))?;

    // connect first: then the kernel drops what anybody but the server sends to our name.
    address(path)
        .and_then(|server| Ok(socket.connect(&server)?))
        .map_err(|error| Failure::cannot_connect(path.display())(error.into()))?;
    talk_once(&socket).map_err(Failure::asking(path.display(), "waiting for the answer"))
}

fn bind(args: &Args, own: &Path) -> io::Result<(Socket, Claim)> {
    let mut claim = Claim::new(own)?;
    let socket = Socket::new(Domain::UNIX, args.kind.try_into()?, None)?;
    socket.set_read_timeout(Some(args.timeout))?;
    socket.set_write_timeout(Some(args.timeout))?;
    socket.bind(&SockAddr::unix(own)?)?;
    claim.keep()?;
    claim.remove_when_told(130)?;
    Ok((socket, claim))
}

fn talk_once(socket: &Socket) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 1024];
    socket.send(b"hello")?;
    // One recv is one datagram, whole: there is no end of stream to read to.
    let n = socket.recv(&mut buffer)?;
    Ok(buffer[..n].to_vec())
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A client of a Unix socket: it says `hello`, and prints what the server answers.
///
/// The lesson: a file takes the place of the IP address and the port, and the rest stays the same.
/// Only a datagram client needs a name of its own, or nobody can answer it. `-v` shows the calls as
/// they happen.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// The file that names the server [default: in a private directory of this user]
    #[arg(long, value_name = "FILE")]
    path: Option<PathBuf>,
    /// The kind of socket; both sides need the same
    #[arg(long, value_enum, default_value = "stream")]
    kind: Kind,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}

impl Args {
    fn path(&self) -> Result<PathBuf, Failure> {
        let path = self.path.clone().map_or_else(default_path, Ok);
        path.map_err(|error| Failure::cannot_connect("the usual place")(error.into()))
    }
}
