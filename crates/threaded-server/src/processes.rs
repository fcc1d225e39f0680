//! A process for each connection: Python's `ForkingTCPServer`.
//!
//! Nothing that goes wrong in one connection, not even an abort, reaches another. Python forks: it copies the running
//! process. A copy of a program with threads may hold a lock that nobody will ever release, so in Rust `fork` is
//! unsafe. This model starts the program again instead, with the connection as its standard input, and a line to this
//! process as its standard output: over that line it asks for permits, and it ends when the line does.

mod family;
mod line;
mod permits;

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use observe::{Backoff, Failure, Socket};
use shell::Peer;

use self::family::{Family, Member};
pub use self::permits::WithPermit;
use crate::connection;
use crate::connections::{Accepted, Connections};
use crate::{Handler, Service};

/// What a connection's process is given, and how long it waits.
#[derive(Clone, Copy)]
pub struct Inherit<'a> {
    /// Added to the arguments, with the connection's number after it. With it, the program must call [`with_permit`] and
    /// [`serve_inherited`].
    pub flag: &'a str,
    /// What its handler is made from, handed over secretly: a token. At most 4 KiB, which fit into
    /// the line.
    pub secret: &'a [u8],
    /// How long a request waits for a permit before it's answered with `busy`.
    pub permit_timeout: Duration,
}

/// Serves until a signal ends the process.
///
/// For each connection it starts the running program again, with the same arguments and two more.
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(
    listener: &Socket,
    service: &Service<H>,
    inherit: Inherit<'_>,
) -> Result<(), Failure> {
    let connections = Connections::new(service);
    let family = Family::start(&service.shutdown, inherit.permit_timeout)
        .map_err(Failure::system("watching processes"))?;
    let mut backoff = Backoff::default();
    loop {
        // First the line, and two spare descriptors, for what a start or a refusal opens. If there are none left, the
        // client waits in the queue, and isn't reset.
        let accepted =
            UnixStream::pair().and_then(|line| Ok((line, io::pipe()?, listener.accept()?)));
        let Some((line, spare, (conn, peer))) = backoff.check_part(accepted)? else { continue };
        drop(spare);
        let Some(Accepted { conn, permit, .. }) = connections.admit(conn, &peer) else { continue };
        // The model: a new process inherits the connection, and ours is closed.
        match start(&conn, line, inherit) {
            Ok((process, line)) => {
                backoff.reset();
                family.add(Member { process, line: Some(line), _permit: permit });
            }
            Err(error) => {
                connections.refuse(conn, &format!("no process can be started: {error}"));
                backoff.warn("no process for a connection: its client is refused", &error);
                thread::sleep(backoff.after(&error).unwrap_or_default());
            }
        }
    }
}

/// Starts this program again, for one connection. Returns our end of the line.
fn start(
    conn: &Socket,
    (ours, theirs): (UnixStream, UnixStream),
    inherit: Inherit<'_>,
) -> io::Result<(Child, UnixStream)> {
    line::hand_over(&ours, inherit.secret)?;
    let mut args = env::args_os();
    let mut command = Command::new(this_program()?);
    command.arg0(args.next().unwrap_or_default()).args(args);
    command.arg(inherit.flag).arg(conn.number().to_string());
    command.stdin(Stdio::from(conn.as_fd().try_clone_to_owned()?));
    command.stdout(Stdio::from(OwnedFd::from(theirs)));
    // A Ctrl-C at the terminal is for us: we tell the children.
    command.process_group(0);
    if env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "error"); // the server has already logged the start's warnings
    }
    Ok((command.spawn()?, ours))
}

/// The file of the running program. On Linux it's this very file, even if a `cargo build` has put a new one in its
/// place.
fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { env::current_exe() }
}

/// The child's part: serves the connection on standard input, which has this number in the log, and ends.
///
/// # Errors
/// When standard input is no connection.
pub fn serve_inherited<H: Handler>(
    number: u64,
    service: &Service<WithPermit<H>>,
) -> Result<(), Failure> {
    keep_name();
    let serve = || {
        let conn = Socket::inherited_as(io::stdin().as_fd().try_clone_to_owned()?, number);
        let peer = conn.peer_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        // The server has let this client in; the client may have left since.
        if let Ok(session) = service.handler.setup(&Peer::of(&conn)) {
            connection::serve(Connections::new(service).inherited(conn, peer, session), service);
            service.shutdown.wait_until_closed();
        }
        Ok(())
    };
    serve().map_err(Failure::system("the inherited connection"))
}

/// Linux names a process after the path that it was started with, here `exe`. In `top` it should have the program's name.
fn keep_name() {
    let path = PathBuf::from(env::args_os().next().unwrap_or_default());
    if let Some(name) = path.file_name().filter(|_| cfg!(target_os = "linux")) {
        let _ = fs::write("/proc/self/comm", name.as_encoded_bytes());
    }
}

/// The child's handler, made from the [secret](Inherit::secret) that the server's process hands over. It asks that process
/// for permits, over the line on standard output.
///
/// # Errors
/// No thread or descriptor left; the server's process has ended.
pub fn with_permit<H: Handler>(
    handler: impl FnOnce(Vec<u8>) -> H,
) -> Result<WithPermit<H>, Failure> {
    let line = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    line.and_then(|line| WithPermit::new(handler(line::take_over(&line)?), line))
        .map_err(Failure::system("the line to the server's process"))
}
