//! unix: an echo server on a Unix socket that replaces a dead server's file, and never anything else.
//!
//! Check it:  scripts/lab.sh check DIR
//! The path comes as the last argument, for example /run/user/1000/echo.sock.

use std::env;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1).map(PathBuf::from) else {
        let _ = writeln!(io::stderr(), "usage: unix PATH");
        return ExitCode::from(2);
    };
    match serve(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "unix: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(path: &Path) -> io::Result<()> {
    // bind creates the file. What if something is already there? And who may connect?
    let listener = UnixListener::bind(path)?;
    writeln!(io::stdout(), "listening on {}", path.display())?;
    let (mut conn, _peer) = listener.accept()?;

    // This sends back what came, once. What about the rest, and the next peer?
    let mut buffer = [0; 16];
    let got = conn.read(&mut buffer)?;
    conn.write_all(&buffer[..got])?;
    Ok(())
}
