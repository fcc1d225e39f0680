//! Remote commands with nothing but the standard library: a thread for each connection, and `Command::output`.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::thread;

use super::answer;

pub fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (conn, _) = listener.accept()?;
        thread::spawn(move || client(&conn));
    }
}

fn client(mut conn: &TcpStream) -> io::Result<()> {
    let mut command = [0; 1024];
    loop {
        // A raw request has no end: whatever one read returns is treated as one command.
        let n = conn.read(&mut command)?;
        if n == 0 {
            return Ok(());
        }
        conn.write_all(&answer(&run(&command[..n])?))?;
    }
}

/// A command's output: the bare work that every server of remote commands has to do.
pub fn run(command: &[u8]) -> io::Result<Vec<u8>> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(OsStr::from_bytes(command)).stdin(Stdio::null());
    let output = shell.output()?;
    Ok([output.stdout, output.stderr].concat())
}
