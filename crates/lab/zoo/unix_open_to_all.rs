//! Wrong: it leaves the socket's mode to chance.
//!
//! bind makes the file with the mode that the umask leaves, as a rule 0755. Who may write to it may connect: with a
//! umask of 002 the group, with 0 everybody. The fix is 0600, in a directory that only its owner can enter.
//!
//! lab: unix, case: permissions

use std::convert::Infallible;
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1).map(PathBuf::from) else {
        let _ = writeln!(io::stderr(), "usage: zoo-unix-open-to-all PATH");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&path);
    let _ =
        writeln!(io::stderr(), "zoo-unix-open-to-all: cannot serve {}: {error}", path.display());
    ExitCode::from(3)
}

fn serve(path: &Path) -> io::Result<Infallible> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    // here: who may connect?
    writeln!(io::stdout(), "listening on {}", path.display())?;
    loop {
        let (conn, _peer) = listener.accept()?;
        if let Err(error) = echo(conn) {
            let _ = writeln!(io::stderr(), "zoo-unix-open-to-all: a peer left: {error}");
        }
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
