//! unix: an echo server on a Unix socket that replaces a dead server's file, and never anything else.
//!
//! Check it:  scripts/lab.sh check DIR
//! The path comes as the last argument, for example /run/user/1000/echo.sock.

use std::convert::Infallible;
use std::env;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1).map(PathBuf::from) else {
        let _ = writeln!(io::stderr(), "usage: unix PATH");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&path);
    let _ = writeln!(io::stderr(), "unix: cannot serve {}: {error}", path.display());
    ExitCode::from(3)
}

fn serve(path: &Path) -> io::Result<Infallible> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    // The standard library's bind also listens, so for a moment others could connect if the directory lets them in: put
    // the socket into one that only you can enter.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    writeln!(io::stdout(), "listening on {}", path.display())?;
    loop {
        let (conn, _peer) = listener.accept()?;
        if let Err(error) = echo(conn) {
            // It left before it had read everything. That's no reason to stop.
            let _ = writeln!(io::stderr(), "unix: a peer left: {error}");
        }
    }
}

/// Removes a socket that nobody listens on, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    // Not `metadata`: that would describe the target of a symbolic link.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(taken("something else than a socket stands there"));
        }
        Ok(_) => {}
    }
    // A datagram socket can ask, whatever is there, and never waits, as a stream would if the accept queue is full. A
    // live stream server is the wrong kind (EPROTOTYPE), and doesn't notice.
    match UnixDatagram::unbound()?.connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(taken("somebody has this socket open")),
    }
}

fn taken(why: &str) -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, why)
}

fn echo(mut conn: UnixStream) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let got = conn.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        conn.write_all(&buffer[..got])?;
    }
}
