//! Wrong: it removes any socket, even one that a server is listening on.
//!
//! The server lives on, and nobody can reach it: its name leads to the second one now, and when that ends, nowhere. The
//! fix is to connect first: only when that is refused does nobody listen.
//!
//! lab: unix, case: second-instance

use std::convert::Infallible;
use std::env;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1).map(PathBuf::from) else {
        let _ = writeln!(io::stderr(), "usage: zoo-unix-unlinks-live PATH");
        return ExitCode::from(2);
    };
    let Err(error) = serve(&path);
    let _ =
        writeln!(io::stderr(), "zoo-unix-unlinks-live: cannot serve {}: {error}", path.display());
    ExitCode::from(3)
}

fn serve(path: &Path) -> io::Result<Infallible> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    writeln!(io::stdout(), "listening on {}", path.display())?;
    loop {
        let (conn, _peer) = listener.accept()?;
        if let Err(error) = echo(conn) {
            let _ = writeln!(io::stderr(), "zoo-unix-unlinks-live: a peer left: {error}");
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
    // here: is nobody listening there?
    fs::remove_file(path)
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
