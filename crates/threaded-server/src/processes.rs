//! A process for each connection: Python's `ForkingTCPServer`.
//!
//! Nothing that goes wrong in one connection, not even an abort, reaches another. Python forks: it copies the running
//! process. A copy of a program with threads may hold a lock that nobody will ever give back, so Rust calls `fork`
//! unsafe. This model starts the program anew instead, with the connection as its standard input, and as its standard
//! output a line to this process: there it asks for permits, and it ends when the line does.

mod family;
mod permits;

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;

use observe::{Backoff, Failure, Socket};
use shell::Peer;

use self::family::{Family, Member};
pub use self::permits::WithPermit;
use crate::connection;
use crate::connections::{Accepted, Connections};
use crate::{Handler, Service};

/// Serves until a signal ends the process.
///
/// For each connection it starts the running program again, with `flag` added to its arguments: there that program must
/// call [`serve_inherited`].
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(
    listener: &Socket,
    service: &Service<H>,
    flag: &str,
) -> Result<(), Failure> {
    let connections = Connections::new(service);
    let family = Family::start(&service.shutdown).map_err(Failure::system("watching processes"))?;
    let mut backoff = Backoff::default();
    loop {
        // The line first: a client for whom there is none waits in the queue, and is not reset.
        let accepted = UnixStream::pair().and_then(|line| Ok((line, listener.accept()?)));
        let Some(((line, theirs), (conn, peer))) = backoff.check(accepted)? else { continue };
        let Some(Accepted { conn, permit, .. }) = connections.admit(conn, &peer) else { continue };
        // The model: a new process inherits the connection, and ours is closed.
        match start(&conn, theirs, flag) {
            Ok(process) => family.add(Member { process, line: Some(line), _permit: permit }),
            Err(error) => {
                tracing::debug!(%error, "no process for a connection");
                connections.refuse(conn, &format!("no process can be started: {error}"));
                thread::sleep(backoff.after(&error).unwrap_or_default());
            }
        }
    }
}

/// Starts this program again, with the same arguments, for one connection.
fn start(conn: &Socket, line: UnixStream, flag: &str) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1)).arg(flag);
    command.stdin(Stdio::from(conn.as_fd().try_clone_to_owned()?));
    command.stdout(Stdio::from(OwnedFd::from(line)));
    // A Ctrl-C at the terminal is for us: we tell the children.
    command.process_group(0);
    if env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "error"); // the warnings of the start have been said once
    }
    command.spawn()
}

/// The child's part: serves the connection on standard input, and ends.
///
/// # Errors
/// When standard input is no connection.
pub fn serve_inherited<H: Handler>(service: &Service<WithPermit<H>>) -> Result<(), Failure> {
    let serve = || {
        let conn = Socket::inherited(io::stdin().as_fd().try_clone_to_owned()?);
        let peer = conn.peer_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        // The server has asked whether it may come in; it may have left since.
        if let Ok(session) = service.handler.setup(&Peer::of(&conn)) {
            connection::serve(Connections::new(service).inherited(conn, peer, session), service);
            service.shutdown.wait_until_closed();
        }
        Ok(())
    };
    serve().map_err(Failure::system("the inherited connection"))
}

/// The child's handler: it asks the server's process for permits, over the line on standard output.
///
/// # Errors
/// No thread or descriptor left.
pub fn with_permit<H: Handler>(handler: H) -> Result<WithPermit<H>, Failure> {
    let line = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    line.and_then(|line| WithPermit::new(handler, line))
        .map_err(Failure::system("the line to the server's process"))
}
