//! A chat client: it sends what you type, and shows what the others say.
//!
//! ```text
//! 1$ cargo run -q --bin chat-server
//! listening on 127.0.0.1:8888
//!
//! 2$ cargo run -q --bin chat-client ann
//! * welcome, ann: nobody else is here yet
//! * bob is here
//! hello, bob
//! ```
//!
//! Two things can happen at any time, a line of yours and one of theirs. So two threads wait, one for each.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use chat::{Lines, MAX_LINE};
use clap::Parser;
use observe::{Failure, Socket, report};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(run(&args))
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_write_timeout(Some(args.timeout))?; // connect waits no longer, either (Linux)
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    let conn = Arc::new(conn);
    let name = format!("{}\n", args.name);
    (&*conn).write_all(name.as_bytes()).map_err(Failure::asking(args.connect, "saying a name"))?;

    let left = Arc::new(OnceLock::new());
    let (keyboard, timeout) = ((conn.clone(), left.clone()), args.timeout);
    // Nobody waits for this thread: when the server has closed, the program ends though somebody may still be typing.
    thread::spawn(move || {
        let (conn, left) = keyboard;
        // If sending fails, the other thread learns why.
        if send_lines(&conn).is_ok() {
            left.get_or_init(Instant::now);
        }
        let _ = conn.shutdown(Shutdown::Write);
        // Now the server closes its side, too. If it doesn't, we end the stream for ourselves.
        thread::sleep(timeout);
        let _ = conn.shutdown(Shutdown::Read);
    });
    show_lines(&conn, args)?;
    let peer = args.connect.to_string();
    match left.get() {
        Some(left) if left.elapsed() < timeout => Ok(()),
        Some(_) => {
            let what = "we left, and the server doesn't close; --timeout waits longer".to_owned();
            Err(Failure::TimedOut { peer, what })
        }
        None => Err(Failure::Ended { peer, what: "the server closed the connection".to_owned() }),
    }
}

/// The keyboard: a line is sent whole, with its end.
fn send_lines(mut conn: &Socket) -> io::Result<()> {
    let mut input = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(()); // the end of the input: we leave
        }
        if line.last() != Some(&b'\n') {
            line.push(b'\n'); // what is longer is said in several lines
        }
        conn.write_all(&line)?;
    }
}

/// The network: shows each line as soon as its end is there.
fn show_lines(conn: &Socket, args: &Args) -> Result<(), Failure> {
    let (mut lines, mut buffer) = (Lines::with_limit(MAX_MESSAGE), [0; 4096]);
    loop {
        let n = conn.recv(&mut buffer).map_err(Failure::asking(args.connect, "listening"))?;
        if n == 0 {
            return Ok(());
        }
        lines.push(&buffer[..n]);
        loop {
            let line = lines.take().map_err(|_| Failure::Violation {
                peer: args.connect.to_string(),
                what: format!("expected lines of at most {MAX_MESSAGE} bytes"),
            })?;
            let Some(line) = line else { break };
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::Stdout)?;
        }
    }
}

/// Name and line, and what a terminal would obey takes more bytes to show.
const MAX_MESSAGE: usize = 16 * MAX_LINE;

/// Joins the chat under a name; the end of the input (Ctrl-D) leaves it.
///
/// The lesson is in the server. To see it, stop a client with Ctrl-Z, and have another one say a lot.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// What the others call you: up to 20 letters (a to z, A to Z), digits, - and _, or Chinese characters
    name: String,
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How long to wait for the connection, and at the end for the server's close, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
