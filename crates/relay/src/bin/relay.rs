//! A relay between any client and any server, which makes the network unkind.
//!
//! ```text
//! terminal 1   $ cargo run -q --bin fix-struct-prefix-server
//! terminal 2   $ cargo run -q --bin relay -- --to 127.0.0.1:8888 --cut 1
//!              listening on 127.0.0.1:7777
//!              schedule: cut=1
//! terminal 3   $ cargo run -q --bin fix-struct-prefix-client -- --connect 127.0.0.1:7777
//! ```
//!
//! `-v` shows each call as it happens.

use std::io::{self, PipeReader, Read, Write};
use std::process::ExitCode;

use clap::Parser;
use observe::{Failure, LogArgs, report};
use relay::{Endpoint, Faults, Relay, RelayError, Schedule};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe::register;

/// Stands between a client and a server, and makes the network as unkind as the standard allows.
///
/// The lesson: TCP promises the bytes and their order. It does not promise how many of them one recv
/// brings, how soon, or that the connection lives. What a program believes beyond that, breaks here.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Three terminals:
  1$ fix-ack-handshake-server
  2$ relay --to 127.0.0.1:8888 --cut 1 --direction to-client
  3$ fix-ack-handshake-client --connect 127.0.0.1:7777 -c 'seq 1000'

The answer has 3893 bytes. The client reads the first digit of that as the whole length, prints 893, and is
content. The programs of fix 2 and 3 do not notice the relay. Try --reset-after 100 and --stall-after 100, too."
)]
struct Args {
    /// Where to listen: an address (port 0 takes a free one) or, with a `/` in it, a Unix socket
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7777")]
    listen: Endpoint,
    /// The server
    #[arg(long, value_name = "ADDR")]
    to: Endpoint,
    /// Relay datagrams instead of connections
    #[arg(long)]
    udp: bool,
    #[command(flatten)]
    faults: Faults,
    /// All faults as one value, the way the relay prints it: 'cut=1 delay=25 seed=7'
    #[arg(long, value_name = "TEXT", conflicts_with = "Faults")]
    schedule: Option<Schedule>,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let args = Args::parse();
    report(args.log.start().and_then(|()| run(args)))
}

fn run(args: Args) -> Result<(), Failure> {
    let schedule = args.schedule.unwrap_or_else(|| args.faults.into());
    let mut told = told_to_stop().map_err(Failure::listen(&args.listen))?;
    let start = if args.udp { Relay::start_udp } else { Relay::start };
    let relay = start(args.listen, args.to, schedule.clone()).map_err(failure)?;
    let lines = format!("listening on {}\nschedule: {schedule}\n", relay.address());
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Stdout)?;
    // One byte for one signal. Then the relay is dropped, and with it all its connections.
    let _ = told.read(&mut [0]);
    Ok(())
}

/// Readable as soon as SIGINT or SIGTERM came. A signal handler may do almost nothing
/// (signal-safety(7)), so it writes a byte into a pipe.
fn told_to_stop() -> io::Result<PipeReader> {
    let (told, signal) = io::pipe()?;
    register(SIGINT, signal.try_clone()?)?;
    register(SIGTERM, signal)?;
    Ok(told)
}

fn failure(error: RelayError) -> Failure {
    match error {
        RelayError::Listen { address, error } => Failure::listen(address)(error),
        RelayError::Start(error) => Failure::listen("a new socket")(error),
        error => Failure::Usage(error.to_string()),
    }
}
