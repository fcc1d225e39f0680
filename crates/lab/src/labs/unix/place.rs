//! What is at the server's path before the server starts, and whether it is still there afterwards.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Type};

use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// The longest path of a Unix socket, in bytes: the size of sun_path, minus the NUL at its end. unix(7)
pub(super) const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// A kind of Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    Stream,
    Datagram,
    Seqpacket,
}

impl Socket {
    /// Those that the system supports.
    pub const ALL: &[Socket] = if cfg!(target_os = "linux") {
        &[Socket::Stream, Socket::Datagram, Socket::Seqpacket]
    } else {
        &[Socket::Stream, Socket::Datagram]
    };

    pub fn name(self) -> &'static str {
        match self {
            Socket::Stream => "stream",
            Socket::Datagram => "datagram",
            Socket::Seqpacket => "seqpacket",
        }
    }
}

/// A socket of ours at this path. It listens if it can, with room for this many connections and one more.
pub(super) fn listener(
    path: &Path,
    kind: Socket,
    backlog: i32,
) -> Result<socket2::Socket, CaseFailure> {
    let kind = match kind {
        Socket::Stream => Type::STREAM,
        Socket::Datagram => Type::DGRAM,
        Socket::Seqpacket => Type::SEQPACKET,
    };
    let made = socket2::Socket::new(Domain::UNIX, kind, None).and_then(|socket| {
        socket.bind(&SockAddr::unix(path)?)?;
        if kind != Type::DGRAM {
            socket.listen(backlog)?;
        }
        Ok(socket)
    });
    made.map_err(|error| CaseFailure::machine("make a socket", error))
}

/// Connects until the accept queue is full. Linux only: elsewhere, a full queue refuses connections, as if nobody were
/// listening.
pub(super) fn fill_queue(path: &Path) -> Result<Vec<socket2::Socket>, CaseFailure> {
    let mut waiting = Vec::new();
    while cfg!(target_os = "linux") && waiting.len() < 10 {
        let tried = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok((SockAddr::unix(path)?, socket))
        });
        let (address, socket) = tried.map_err(|error| CaseFailure::machine("connect", error))?;
        if socket.connect(&address).is_err() {
            break;
        }
        waiting.push(socket);
    }
    Ok(waiting)
}

/// Checks that nothing was sent to this socket of ours: no bytes on a connection, and no datagram, not even an empty
/// one.
pub(super) fn nothing_was_sent(socket: &socket2::Socket, kind: Socket) -> Result<(), CaseFailure> {
    let machine = |error| CaseFailure::machine("look what came", error);
    socket.set_nonblocking(true).map_err(machine)?;
    let mut buffer = [0; 64];
    let sent = |what: &str, bytes: &[u8]| {
        let what = format!("the program sent {what} to the other program's socket");
        Err(CaseFailure::differs(Fault::Extra, what, b"", bytes))
    };
    if kind == Socket::Datagram {
        return match (&*socket).read(&mut buffer) {
            Ok(length) => sent(&format!("a datagram of {length} bytes"), &buffer[..length]),
            Err(_) => Ok(()),
        };
    }
    while let Ok((mut conn, _)) = socket.accept() {
        conn.set_nonblocking(true).map_err(machine)?;
        match conn.read(&mut buffer) {
            Ok(length) if length > 0 => return sent(&format!("{length} bytes"), &buffer[..length]),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn leave_stale(trial: &Trial, path: &Path, kind: Socket) -> Result<(), CaseFailure> {
    let name = path.file_name().unwrap_or_default().display();
    let kind_name = kind.name();
    trial.step(format!("there is a {kind_name} socket at {name} that nobody has open any more"));
    // Dropping a socket doesn't remove its file.
    listener(path, kind, 1).map(drop)
}

pub(super) fn path_of(folder: &Path, length: usize) -> PathBuf {
    let name = length.saturating_sub(folder.as_os_str().len() + 1);
    folder.join("s".repeat(name))
}

/// Identifies the file at a path: its number, and its mode, which includes its kind.
pub(super) type Id = (u64, u32);

pub(super) fn id(path: &Path) -> Result<Id, CaseFailure> {
    let found =
        fs::symlink_metadata(path).map_err(|e| CaseFailure::machine("look at the file", e))?;
    Ok((found.ino(), found.mode()))
}

pub(super) fn same(path: &Path, was: Id) -> Result<(), CaseFailure> {
    let what = match fs::symlink_metadata(path) {
        Ok(found) if (found.ino(), found.mode()) == was => return Ok(()),
        Ok(found) if found.ino() == was.0 => "its mode was changed",
        Ok(found) if found.file_type().is_socket() => "the program put a socket of its own there",
        Ok(_) => "something else is there now",
        Err(_) => "it is gone: the program removed something that wasn't its own",
    };
    let name = path.file_name().unwrap_or_default().display();
    Err(CaseFailure::new(Fault::Rule, format!("{name}: {what}")))
}

pub(super) fn is_empty(folder: &Path) -> Result<(), CaseFailure> {
    let mut found =
        fs::read_dir(folder).map_err(|e| CaseFailure::machine("read a directory", e))?;
    match found.next() {
        None => Ok(()),
        Some(entry) => {
            let name = entry.map(|entry| entry.file_name()).unwrap_or_default();
            Err(CaseFailure::new(
                Fault::Rule,
                format!("the program left a file: {}", name.display()),
            ))
        }
    }
}
