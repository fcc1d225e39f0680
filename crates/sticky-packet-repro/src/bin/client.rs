//! The sticky packet, the client's side: one recv for each answer, and two sends in a row.
//!
//! The top of the server's file shows what to type. The programs are wrong on purpose; the mistakes are marked `WRONG`.
//! Chapters 9 to 11 fix them.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
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
    match &args.part {
        Part::TwoSends => two_sends(&conn).map_err(Failure::asking(args.connect, "sending")),
        Part::Shell { bufsize, prompt } => {
            for command in prompt.commands(&conn)? {
                let command = command?;
                command.print(ask(&conn, args.connect, &command, *bufsize)?)?;
                conn.note(format_args!("printed as the answer to `{command}`"));
            }
            Ok(())
        }
    }
}

fn connect(args: &Args) -> io::Result<Socket> {
    let conn = Socket::new(Domain::for_address(args.connect), Type::STREAM, None)?;
    conn.set_read_timeout(Some(args.timeout))?;
    conn.set_write_timeout(Some(args.timeout))?;
    conn.connect(&args.connect.into())?;
    Ok(conn)
}

fn ask(
    mut conn: &Socket,
    peer: SocketAddr,
    command: &[u8],
    bufsize: usize,
) -> Result<Vec<u8>, Failure> {
    conn.write_all(command).map_err(Failure::asking(peer, "sending the command"))?;

    // WRONG: one recv for one answer. A longer answer is cut, and its rest turns up as the answer
    // to the next command. If a command prints nothing, the client waits until its timeout.
    let mut buffer = vec![0; bufsize];
    let n = conn.recv(&mut buffer).map_err(Failure::asking(
        peer,
        "waiting for the answer (without a frame, a command that prints nothing has none)",
    ))?;

    if n == 0 {
        let what = "waiting for the answer: the server closed the connection".into();
        return Err(Failure::Ended { peer: peer.to_string(), what });
    }
    buffer.truncate(n);
    Ok(buffer)
}

fn two_sends(conn: &Socket) -> io::Result<()> {
    // Two sends are not two messages: the stream is `hellohi`.
    conn.send(b"hello")?;
    conn.send(b"hi")?;
    // With SO_LINGER, close returns when the peer's kernel has acknowledged everything. So once this
    // program has ended, all of it waits at the server, however slowly the machine runs.
    conn.set_linger(Some(Duration::from_secs(10)))
}

/// Of both demonstrations.
fn terminals() -> String {
    let sources = [include_str!("server.rs"), include_str!("server_two_reads.rs")];
    sources.map(observe::terminals).join("\n\n")
}

/// Shows that a TCP stream keeps no message boundaries.
///
/// The lesson: recv returns what has arrived, not what one send sent. Use the server of the same name.
#[derive(Parser)]
#[command(version, after_help = terminals())]
struct Args {
    #[command(subcommand)]
    part: Part,
    /// Where the server listens
    #[arg(long, global = true, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    connect: SocketAddr,
    /// How long the server may be silent, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = observe::parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    log: observe::LogArgs,
}

#[derive(Subcommand)]
enum Part {
    /// Send commands, and take one recv for the whole answer
    Shell {
        /// How many bytes that recv asks for
        #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = observe::parse_number::<usize>)]
        bufsize: usize,
        #[command(flatten)]
        prompt: shell::PromptArgs,
    },
    /// Send `hello`, send `hi`, and close
    TwoSends,
}
