//! The sticky packet, the server's side: commands without frames, and two sends that arrive glued together.
//!
//! ```text
//! 1$ cargo run -q --bin sticky-packet-repro-server shell
//! listening on 127.0.0.1:8888
//!
//! 2$ cargo run -q --bin sticky-packet-repro-client shell
//! >>: seq 1 110
//! (the first 100 bytes)
//! >>: echo hi
//! (the next 100 bytes of seq!)
//! ```
//!
//! Wrong on purpose; the mistakes are marked `WRONG`. Chapters 9 to 11 fix them.

mod server_shell;
mod server_two_reads;

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use observe::{Failure, Socket, report};
use socket2::{Domain, Type};

fn main() -> ExitCode {
    let args = Args::parse();
    report(run(&args))
}

/// socket, bind, listen.
fn listen(address: SocketAddr) -> io::Result<Socket> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&address.into())?;
    listener.listen(128)?;
    Ok(listener)
}

fn run(args: &Args) -> Result<(), Failure> {
    args.log.start()?;
    match &args.part {
        Part::Shell(server) => {
            let gate = gate(args.listen, server)?;
            server_shell::serve(&open(args)?, &gate)
        }
        Part::TwoReads { reads } => {
            observe::exit_when_told();
            server_two_reads::serve(&open(args)?, reads)
        }
    }
}

/// Listens, says where, and with `--hold` waits before anybody is accepted.
fn open(args: &Args) -> Result<Socket, Failure> {
    let listener = listen(args.listen).map_err(Failure::cannot_listen(args.listen))?;
    observe::say_listening(&listener)?;
    if args.hold {
        // Nobody has called accept yet, but clients can already connect, send and close: the kernel does that. What they
        // send waits in the receive buffer of their connection.
        let _ = writeln!(io::stderr(), "holding: press Enter to accept");
        let _ = io::stdin().lock().read_line(&mut String::new());
    }
    Ok(listener)
}

/// Who may run commands: see `shell::Gate`.
fn gate(listen: SocketAddr, server: &shell::ServerArgs) -> Result<shell::Gate, Failure> {
    let shutdown = shell::Shutdown::on_signals()?;
    Ok(server.gate(listen, proto::request::RequestForm::Raw, &shutdown)?)
}

/// The terminals of both demonstrations, for `--help`.
fn terminals() -> String {
    let sources = [include_str!("server.rs"), include_str!("server_two_reads.rs")];
    sources.map(observe::terminals).join("\n\n")
}

/// Shows that a TCP stream keeps no message boundaries.
///
/// The lesson: recv returns what has arrived, not what one send sent. Use the client of the same name.
#[derive(Parser)]
#[command(version, after_help = terminals())]
struct Args {
    #[command(subcommand)]
    part: Part,
    /// Where to listen; port 0 takes a free one
    #[arg(long, global = true, value_name = "ADDR", default_value = proto::agreed::ADDRESS, value_parser = observe::parse_address)]
    listen: SocketAddr,
    /// Wait for Enter before accepting; meanwhile the kernel completes connections, and keeps what they send
    #[arg(long, global = true)]
    hold: bool,
    #[command(flatten)]
    log: observe::LogArgs,
}

#[derive(Subcommand)]
enum Part {
    /// Run the commands that arrive, and send their output without a frame
    Shell(shell::ServerArgs),
    /// Take one client, and print what each recv of the given size returns
    TwoReads {
        /// The sizes, one for each recv
        #[arg(
            long,
            value_name = "BYTES,BYTES",
            value_delimiter = ',',
            default_value = "1024,1024",
            value_parser = observe::parse_number::<usize>
        )]
        reads: Vec<usize>,
    },
}
