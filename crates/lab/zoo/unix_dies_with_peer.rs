//! Wrong: it treats one peer's error as its own, and ends.
//!
//! A peer that leaves while something is written to it is an error of write: EPIPE or ECONNRESET. It ends this
//! conversation; here it ends the server, and any peer can do that. The fix is to go on with the next one.
//!
//! lab: unix, case: peer-leaves

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
        let _ = writeln!(io::stderr(), "usage: zoo-unix-dies-with-peer PATH");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&path);
    let _ =
        writeln!(io::stderr(), "zoo-unix-dies-with-peer: cannot serve {}: {error}", path.display());
    ExitCode::from(3)
}

fn serve(path: &Path) -> io::Result<Infallible> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    writeln!(io::stdout(), "listening on {}", path.display())?;
    loop {
        let (conn, _peer) = listener.accept()?;
        // here: the others have not left
        echo(conn)?;
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(taken("something else than a socket stands there"));
        }
        Ok(_) => {}
    }
    match UnixDatagram::unbound()?.connect(path) {
        Ok(()) => Err(taken("another server listens there")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(_) => Err(taken("somebody's socket stands there")),
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
