//! Wrong: it treats the end of the pipes as the end of the command.
//!
//! A child in the background has the pipes open, too. The fix is to wait for the shell, and to kill its group then.
//!
//! lab: shell, case: background

use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::{ffi::OsStrExt, process::CommandExt};
use std::process::{Command, ExitCode, Stdio};
use std::{sync::mpsc, thread, time::Duration};

const COMMAND: usize = 64 << 10;
const OUTPUT: usize = 1 << 20;

fn main() -> ExitCode {
    let address = env::args().next_back().and_then(|last| last.parse::<SocketAddr>().ok());
    let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
        return ExitCode::from(2);
    };
    let Ok(listener) = TcpListener::bind(address) else { return ExitCode::from(3) };
    let _ = writeln!(io::stdout(), "listening on {address}");
    loop {
        let _ = listener.accept().and_then(|(conn, _peer)| client(conn));
    }
}

fn client(mut conn: TcpStream) -> io::Result<()> {
    let mut came = Vec::new();
    loop {
        let prefix = came.first_chunk().map_or(0, |prefix| i32::from_le_bytes(*prefix));
        let length = usize::try_from(prefix).ok().filter(|length| *length <= COMMAND);
        let end = 4 + length.ok_or(ErrorKind::InvalidData)?;
        if came.len() >= end {
            let (header, body) = run(&came[4..end])?;
            let length = (header.len() as i32).to_le_bytes();
            conn.write_all(&[&length[..], header.as_bytes(), &body].concat())?;
            came.drain(..end);
        } else {
            let mut piece = [0; 4 << 10];
            match conn.read(&mut piece)? {
                0 if came.is_empty() => return Ok(()),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                got => came.extend(&piece[..got]),
            }
        }
    }
}

fn run(command: &[u8]) -> io::Result<(String, Vec<u8>)> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(OsStr::from_bytes(command)).process_group(0);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.spawn()?;
    let group = shell.id();
    let (over, ended) = mpsc::channel::<()>();
    let other = over.clone(); // each reader drops its own when its pipe has ended
    let stdout = shell.stdout.take().map(|pipe| thread::spawn(move || (read(pipe, group), over).0));
    let stderr =
        shell.stderr.take().map(|pipe| thread::spawn(move || (read(pipe, group), other).0));
    // here: this waits for two pipes, not for the shell
    let timed_out =
        ended.recv_timeout(Duration::from_secs(2)) == Err(mpsc::RecvTimeoutError::Timeout);
    kill(group);
    shell.wait()?;
    let (mut body, mut truncated) = (Vec::new(), false);
    for pipe in [stdout, stderr].into_iter().flatten() {
        let kept = pipe.join().unwrap_or_default();
        truncated |= kept.len() > OUTPUT;
        body.extend(kept.iter().take(OUTPUT));
    }
    let flags = format!(r#""truncated": {truncated}, "timed_out": {timed_out}"#);
    Ok((format!(r#"{{"data_len": {}, {flags}}}"#, body.len()), body))
}

fn read(pipe: impl Read, group: u32) -> Vec<u8> {
    let mut kept = Vec::new();
    let _ = pipe.take(OUTPUT as u64 + 1).read_to_end(&mut kept);
    if kept.len() > OUTPUT {
        kill(group);
    }
    kept
}

fn kill(group: u32) {
    let kill = format!("kill -s KILL -- -{group}");
    let _ = Command::new("/bin/sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}
