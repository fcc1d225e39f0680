//! shell: run the commands that a peer sends, and answer each with a JSON header and its output.
//!
//! Check it:  scripts/lab.sh check DIR
//! The address comes as the last argument, for example 127.0.0.1:9000.

use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The longest request.
const COMMAND: i32 = 64 << 10;
/// What is kept of each pipe.
const OUTPUT: usize = 1 << 20;
/// How long a command may run.
const TIME: Duration = Duration::from_secs(2);

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

/// Runs a command within its bounds: the header and the body of its answer.
fn run(command: &[u8]) -> io::Result<(String, Vec<u8>)> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(OsStr::from_bytes(command)).process_group(0);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.spawn()?;
    let group = shell.id();

    // Both pipes are read at once: a command that fills one may already have filled the other.
    let stdout = shell.stdout.take().map(|pipe| thread::spawn(move || read_pipe(pipe, group)));
    let stderr = shell.stderr.take().map(|pipe| thread::spawn(move || read_pipe(pipe, group)));
    let (over, ended) = mpsc::channel();
    thread::spawn(move || over.send(shell.wait()));
    let timed_out = ended.recv_timeout(TIME).is_err();
    // What the shell has left running holds the pipes open, and their readers waiting. What has left the group (setsid)
    // is out of reach, and would delay this answer: a server for real use would stop reading here.
    kill(group);

    let (mut body, mut truncated) = (Vec::new(), false);
    for pipe in [stdout, stderr].into_iter().flatten() {
        let (kept, more) = pipe.join().unwrap_or_default();
        body.extend(kept);
        truncated |= more;
    }
    let length = body.len();
    let header = format!(
        "{{\"data_len\": {length}, \"truncated\": {truncated}, \"timed_out\": {timed_out}}}"
    );
    Ok((header, body))
}

/// What is kept of a pipe, and whether there was more. If so, the command is killed: it writes too much.
fn read_pipe(pipe: impl Read, group: u32) -> (Vec<u8>, bool) {
    let mut kept = Vec::new();
    // One byte beyond the limit shows that there is more.
    let _ = pipe.take(OUTPUT as u64 + 1).read_to_end(&mut kept);
    let more = kept.len() > OUTPUT;
    if more {
        kill(group);
        kept.truncate(OUTPUT);
    }
    (kept, more)
}

/// Kills a process group. The standard library has no call for that, but every shell has.
fn kill(group: u32) {
    let kill = format!("kill -s KILL -- -{group}");
    // It fails if nothing is left.
    let _ = Command::new("/bin/sh").args(["-c", &kill]).stderr(Stdio::null()).status();
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
