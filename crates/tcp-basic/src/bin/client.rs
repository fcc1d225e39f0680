//! A TCP client: every socket call it takes, in order.
//!
//! ```text
//! 1$ cargo run -q --bin tcp-basic-server
//! listening on 127.0.0.1:8888
//! hello
//!
//! 2$ cargo run -q --bin tcp-basic-client
//! hi
//! ```
//!
//! `-v` shows each call as it happens.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use observe::{Failure, Socket, report};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    observe::exit_when_interrupted();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    let conn = connect(args).map_err(Failure::cannot_connect(args.connect))?;
    let answer = talk(&conn).map_err(Failure::asking(args.connect, "waiting for the answer"))?;
    print(&answer).map_err(Failure::Stdout)
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?; // connect waits no longer, either (Linux)
    // No bind: the kernel picks a free port for this end.
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

fn talk(conn: &Socket) -> io::Result<Vec<u8>> {
    // send takes all of `hello`, because the send buffer is empty; longer messages need a loop: see tcp-basic-sendall.
    conn.send(b"hello")?;

    // The answer ends where the stream ends: the server ends its side after it. So read until recv returns 0. One
    // recv(1024), as in many first examples, is right only if the whole answer arrives in one piece.
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() <= MAX_ANSWER {
        match conn.recv(&mut buffer)? {
            0 if answer.is_empty() => {
                let what = "the server closed without an answer";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, what));
            }
            0 => return Ok(answer),
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
    Err(io::Error::new(
        ErrorKind::InvalidData,
        format!("more than {MAX_ANSWER} bytes arrived, and no end of stream"),
    ))
}

/// The most bytes that an answer may have: a server that never stops must not use up our memory.
const MAX_ANSWER: usize = 64 * 1024;

fn print(line: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&[line, b"\n"].concat())?;
    out.flush()
}

/// A TCP client: it says `hello`, and prints what the server answers.
///
/// The lesson: socket, connect, send, recv, close; a client has no bind, listen or accept.
/// `-v` shows the calls as they happen.
#[derive(Parser)]
#[command(version, after_help = observe::terminals(include_str!("client.rs")))]
struct Args {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How long the server may be silent, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}
