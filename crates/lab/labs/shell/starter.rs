//! shell: run the commands that a peer sends, and answer each with a JSON header and its output.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitCode, Stdio};

/// The longest request.
const COMMAND: i32 = 64 << 10;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|address| address.parse::<SocketAddr>().ok());
    // Anyone who can connect can run commands.
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        let _ = writeln!(io::stderr(), "usage: shell 127.0.0.1:PORT");
        return ExitCode::from(2);
    };
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "shell: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        // What goes wrong with one peer ends that peer, and not the server.
        if let Err(error) = listener.accept().and_then(|(conn, _peer)| client(conn)) {
            let _ = writeln!(io::stderr(), "shell: {error}");
        }
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    while let Some(command) = read_request(&mut conn)? {
        let (header, body) = run(&command)?;
        let mut answer = (header.len() as i32).to_le_bytes().to_vec();
        answer.extend(header.as_bytes());
        answer.extend(body);
        conn.write_all(&answer)?;
    }
    Ok(())
}

/// Runs a command: the header and the body of its answer.
fn run(command: &[u8]) -> io::Result<(String, Vec<u8>)> {
    // This waits for the command to end, however long that takes and however much it writes; and it keeps only what the
    // command wrote to stdout. What else does the page ask for?
    let output = Command::new("/bin/sh")
        .arg("-c")
        .arg(OsStr::from_bytes(command))
        .stderr(Stdio::inherit())
        .output()?;
    let header = format!("{{\"data_len\": {}}}", output.stdout.len());
    Ok((header, output.stdout))
}

/// The next command; `None` when the peer has ended its side between two requests.
fn read_request(conn: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    // `take` and `read_to_end` read that many bytes, and fewer only if the stream ends first.
    let mut prefix = Vec::new();
    conn.take(4).read_to_end(&mut prefix)?;
    let length = match prefix[..] {
        [] => return Ok(None),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
        _ => return Err(ErrorKind::UnexpectedEof.into()),
    };
    if !(0..=COMMAND).contains(&length) {
        let what = format!("expected a length from 0 to {COMMAND}, got {length}");
        return Err(io::Error::new(ErrorKind::InvalidData, what));
    }
    let mut command = Vec::new();
    conn.take(length as u64).read_to_end(&mut command)?;
    if command.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(command))
}
