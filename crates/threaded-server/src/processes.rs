//! A process for each connection: Python's `ForkingTCPServer`.
//!
//! Nothing that goes wrong in one connection, not even an abort, reaches another. Python forks: it copies the running
//! process. A copy of a program with threads may hold a lock that nobody will ever give back, so Rust calls `fork`
//! unsafe. This model starts the program anew instead, with the connection as its standard input, and as its standard
//! output a line to this process: there it asks for permits, and it ends when the line does.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use observe::{Backoff, Socket};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, kill_process};
use shell::{Caller, MAX_RUNNING, poll};

use crate::connection;
use crate::permits::{Permits, WithPermit};
use crate::seats::{Seat, Seats};
use crate::{Handler, Service};

/// Serves until the server is told to stop, and then until each process has ended.
///
/// For each connection it starts the running program again, with `flag` behind its arguments: there that program must
/// call [`serve_inherited`].
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>, flag: &str) -> io::Result<()> {
    let seats = Seats::new(service.max_connections);
    let mut permits = Permits::new(MAX_RUNNING);
    let mut backoff = Backoff::default();
    let mut children: Vec<Served> = Vec::new();
    let mut number = 0;
    let mut ended = ending::on_child_exit()?;
    loop {
        let mut fds = vec![
            PollFd::from_borrowed_fd(service.stop.as_fd(), PollFlags::IN),
            PollFd::new(&ended, PollFlags::IN),
            PollFd::new(listener, PollFlags::IN),
        ];
        let lines = children.iter().filter_map(|child| child.line.as_ref());
        fds.extend(lines.map(|line| PollFd::new(line, PollFlags::IN)));
        poll(&mut fds, None)?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let (stop, child_ended, came) = (ready[0], ready[1], ready[2]);
        if stop {
            break;
        }
        let mut heard = ready[3..].iter();
        for child in children.iter_mut().filter(|child| child.line.is_some()) {
            if *heard.next().unwrap_or(&false) {
                child.listen(&mut permits);
            }
        }
        if child_ended {
            // How many bytes there are does not matter: each child is asked.
            let _ = ended.read(&mut [0; 1024])?;
            // An ended child that nobody asks for stays as a zombie.
            children.retain_mut(|child| {
                let lives = matches!(child.process.try_wait(), Ok(None));
                if !lives {
                    permits.gone(child.number);
                }
                lives
            });
        }
        while let Some(next) = permits.next() {
            if let Some(child) = children.iter().find(|child| child.number == next) {
                child.grant();
            }
        }
        if !came {
            continue;
        }
        // The line first: a client for whom there is none waits in the queue, and is not reset.
        let accepted = UnixStream::pair().and_then(|line| Ok((line, listener.accept()?)));
        match accepted {
            Ok((line, (conn, peer))) => {
                backoff.reset();
                let Some((conn, _, seat)) = seats.admit(conn, &peer, service) else { continue };
                // The model: a new process inherits the connection, and ours is closed.
                match Served::start(&conn, line, flag, number, seat) {
                    Ok(child) => children.push(child),
                    Err(error) => {
                        tracing::debug!(%error, "no process for a connection");
                        seats.refuse(conn, &format!("no process can be started: {error}"));
                        service.stop.pause(backoff.after(&error).unwrap_or_default())?;
                    }
                }
                number += 1;
            }
            Err(error) => service.stop.pause(backoff.after(&error).ok_or(error)?)?,
        }
    }
    for child in &children {
        // Not waited for yet, so the number is still this child's.
        let _ = kill_process(Pid::from_child(&child.process), Signal::TERM);
    }
    for mut child in children {
        child.process.wait()?;
    }
    Ok(())
}

/// A connection's process.
struct Served {
    process: Child,
    number: u64,
    /// Until it has closed its end.
    line: Option<UnixStream>,
    _seat: Seat,
}

impl Served {
    /// Starts this program again, with the same arguments, for one connection.
    fn start(
        conn: &Socket,
        (line, theirs): (UnixStream, UnixStream),
        flag: &str,
        number: u64,
        seat: Seat,
    ) -> io::Result<Served> {
        line.set_nonblocking(true)?;
        let mut command = Command::new(env::current_exe()?);
        command.args(env::args_os().skip(1)).arg(flag);
        command.stdin(Stdio::from(conn.as_fd().try_clone_to_owned()?));
        command.stdout(Stdio::from(OwnedFd::from(theirs)));
        // A Ctrl-C at the terminal is for us: we tell the children.
        command.process_group(0);
        if env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "error"); // the warnings of the start have been said once
        }
        Ok(Served { process: command.spawn()?, number, line: Some(line), _seat: seat })
    }

    /// Hears what it says, or that it says nothing more.
    fn listen(&mut self, permits: &mut Permits) {
        let Some(mut line) = self.line.as_ref() else { return };
        let mut said = [0; 16];
        match line.read(&mut said) {
            Ok(n @ 1..) => said[..n].iter().for_each(|what| permits.said(self.number, *what)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => {
                permits.gone(self.number);
                self.line = None;
            }
        }
    }

    fn grant(&self) {
        // Where it fails the process has just ended, and gives the permit back by that.
        let _ = self.line.as_ref().map(|mut line| line.write(&[0]));
    }
}

/// The child's part: serves the connection on standard input, and ends.
///
/// # Errors
/// When standard input is no connection.
pub fn serve_inherited<H: Handler>(service: &Service<WithPermit<H>>) -> io::Result<()> {
    let conn = Socket::inherited(io::stdin().as_fd().try_clone_to_owned()?);
    let peer = conn.peer_addr()?;
    // The server has asked whether it may come in; it may have left since.
    if let Ok(visit) = service.handler.setup(&Caller::of(&conn)) {
        connection::run(&conn, &peer, visit, service);
    }
    Ok(())
}

/// The child's handler: it asks the server's process for permits, over the line on standard output.
///
/// # Errors
/// No thread or descriptor left.
pub fn with_permit<H: Handler>(handler: H) -> io::Result<WithPermit<H>> {
    WithPermit::new(handler, File::from(io::stdout().as_fd().try_clone_to_owned()?))
}
