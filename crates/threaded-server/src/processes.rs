//! A process for each connection: Python's `ForkingTCPServer`.
//!
//! Nothing that goes wrong in one connection, not even an abort, reaches another. Python forks: it copies the running
//! process. A copy of a program with threads may hold a lock that nobody will ever give back, so Rust calls `fork`
//! unsafe. This model starts the program anew instead, with the connection as its standard input.

use std::env;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use observe::{Backoff, Socket};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, kill_process};
use shell::{Stop, poll};
use signal_hook::consts::SIGCHLD;
use signal_hook::low_level::pipe::register;

use crate::connection::{self, announce};
use crate::seats::{Seat, Seats};
use crate::turns::Turns;
use crate::{Handler, Service};

/// Serves until the server is told to stop, and then until each process has ended.
///
/// For each connection it starts the running program again, with `flag` and a folder behind its arguments: there that
/// program must call [`serve_inherited`], with its handler [`InTurn`](crate::InTurn).
///
/// # Errors
/// When the listener is none any more.
pub fn serve<H>(listener: &Socket, service: &Service<H>, flag: &str) -> io::Result<()> {
    let seats = Seats::new(service.max_connections)?;
    let turns = Turns::new()?;
    let mut backoff = Backoff::default();
    let mut children: Vec<(Child, Seat)> = Vec::new();
    // A byte comes for each child that has ended. The other pipe ends with us, however we end.
    let (mut ended, notice) = io::pipe()?;
    register(SIGCHLD, notice)?;
    let (life, _alive) = io::pipe()?;
    loop {
        let fds = [service.stop.as_fd(), ended.as_fd(), listener.as_fd()];
        let mut fds = fds.each_ref().map(|fd| PollFd::new(fd, PollFlags::IN));
        poll(&mut fds, None)?;
        let [stop, child_ended, came] = fds.map(|fd| !fd.revents().is_empty());
        if stop {
            break;
        }
        if child_ended {
            // How many bytes there are does not matter: each child is asked.
            let _ = ended.read(&mut [0; 1024])?;
            // An ended child that nobody asks for stays as a zombie.
            children.retain_mut(|(child, _)| matches!(child.try_wait(), Ok(None)));
        }
        if !came {
            continue;
        }
        match listener.accept() {
            Ok((conn, peer)) => {
                backoff.reset();
                announce(&peer);
                let Some(seat) = seats.take() else {
                    seats.refuse(conn);
                    continue;
                };
                // The model: a new process inherits the connection, and ours is closed.
                match start(&conn, &life, flag, turns.folder()) {
                    Ok(child) => children.push((child, seat)),
                    Err(error) => {
                        tracing::error!(%error, "no process for a connection: closing it")
                    }
                }
            }
            Err(error) => service.stop.pause(backoff.after(&error).ok_or(error)?)?,
        }
    }
    for (child, _) in &children {
        // Not waited for yet, so the number is still this child's.
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
    }
    for (mut child, _) in children {
        child.wait()?;
    }
    Ok(())
}

/// Starts this program again, with the same arguments, for one connection.
fn start(conn: &Socket, life: &PipeReader, flag: &str, turns: &Path) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1)).arg(flag).arg(turns);
    command.stdin(Stdio::from(conn.as_fd().try_clone_to_owned()?));
    // It prints nothing; in that place it gets what tells it that we are gone.
    command.stdout(Stdio::from(life.try_clone()?));
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
pub fn serve_inherited<H: Handler>(service: &Service<H>) -> io::Result<()> {
    let parent = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    Stop::end_with(parent)?;
    let conn = Socket::inherited(io::stdin().as_fd().try_clone_to_owned()?);
    let peer = conn.peer_addr()?;
    connection::run(&conn, &peer, service);
    Ok(())
}
