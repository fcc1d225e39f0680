//! A client that says lines, and prints what comes back: the same, in capital letters.
//!
//! ```text
//! 1$ cargo run -q --bin readiness-server
//! listening on 127.0.0.1:8888
//!
//! 2$ cargo run -q --bin readiness-client
//! hello
//! HELLO
//! ```
//!
//! `readiness-client hello` says it, prints the answer and ends.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report};
use socket2::{Domain, Type};

/// The longest line that is sent, in bytes.
const MAX_LINE: u64 = 64 << 10;

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(run(&args))
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?; // connect waits no longer, either (Linux)
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    match args.lines.as_slice() {
        [] => say_input(&conn, args)?,
        lines => lines.iter().try_for_each(|line| say(&conn, line.as_bytes(), args))?,
    }
    leave(&conn).map_err(Failure::asking(args.connect, "after the last answer"))
}

/// Says the lines of standard input.
fn say_input(conn: &Socket, args: &Args) -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(Failure::system("reading standard input"))? == 0 {
            return Ok(());
        }
        say(conn, line.strip_suffix(b"\n").unwrap_or(&line), args)?;
    }
}

/// Says a line, and prints its answer.
fn say(conn: &Socket, line: &[u8], args: &Args) -> Result<(), Failure> {
    let answer =
        ask(conn, line).map_err(Failure::asking(args.connect, "waiting for the answer"))?;
    let mut out = io::stdout().lock();
    out.write_all(&[&answer, &b"\n"[..]].concat())
        .and_then(|()| out.flush())
        .map_err(Failure::Stdout)
}

/// The answer is as long as what was said. So this client knows how much to wait for, without any framing.
fn ask(conn: &Socket, line: &[u8]) -> io::Result<Vec<u8>> {
    // A line fits the buffers on the way. To send much more before reading anything, a client needs poll, too.
    let mut sent = 0;
    while sent < line.len() {
        sent += conn.send(&line[sent..])?;
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while answer.len() < line.len() {
        let room = buffer.len().min(line.len() - answer.len());
        match conn.recv(&mut buffer[..room])? {
            0 => {
                let what =
                    format!("the stream ended after {} of {} bytes", answer.len(), line.len());
                return Err(io::Error::new(ErrorKind::UnexpectedEof, what));
            }
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(answer)
}

/// We say nothing more. Then the server has nothing to answer: what comes is the end of the stream, or a mistake.
fn leave(conn: &Socket) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    match conn.recv(&mut [0; 64])? {
        0 => Ok(()),
        n => {
            let what = format!("{n} bytes came that nobody announced");
            Err(io::Error::new(ErrorKind::InvalidData, what))
        }
    }
}

/// Says lines to readiness-server, one after the other, and prints its answers.
///
/// The lesson is in the server. This client blocks: it has one thing to wait for.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// What to say; without any, the lines of standard input
    #[arg(value_name = "LINE")]
    lines: Vec<String>,
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
