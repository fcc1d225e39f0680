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
use std::num::NonZeroU64;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use observe::{Failure, LogArgs, report};
use relay::{Cut, Delay, Direction, Endpoint, Millis, Relay, RelayError, Schedule};
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
  2$ relay --to 127.0.0.1:8888 --cut 1
  3$ fix-ack-handshake-client --connect 127.0.0.1:7777 -c 'seq 1000'

The client reads the first digit of the length and takes it for the whole. The programs of fix 2 and 3
do not notice the relay. `--cut 1 --delay 25` and `--reset-after 100` are worth a try, too."
)]
struct Args {
    /// Where to listen: an address (port 0 takes a free one) or, with a `/` in it, a Unix socket
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7777")]
    listen: Endpoint,
    /// The server
    #[arg(long, value_name = "ADDR")]
    to: Endpoint,
    #[command(flatten)]
    faults: Faults,
    /// All faults as one value, the way the relay prints it: 'cut=1 delay=25 seed=7'
    #[arg(long, value_name = "TEXT", conflicts_with = "Faults")]
    schedule: Option<Schedule>,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "What happens to the bytes")]
struct Faults {
    /// Pieces that the reader sees one by one: 1, or 3,1 (in turn), or 3,1,* (the rest uncut), or random:1..7
    #[arg(long, value_name = "SIZES", default_value_t)]
    cut: Cut,
    /// Collect for so long after the first byte, then pass all in one write
    #[arg(long, value_name = "MS", default_value_t)]
    merge: Millis,
    /// How long each byte travels, one way; 20..30 draws from a range
    #[arg(long, value_name = "MS", default_value_t)]
    delay: Delay,
    /// How many bytes pass in a second
    #[arg(long, value_name = "BYTES/S")]
    rate: Option<NonZeroU64>,
    /// The end of the stream passes so much later than the last byte
    #[arg(long, value_name = "MS", default_value_t)]
    slow_close: Millis,
    /// After N bytes nothing passes any more; the connection stays open
    #[arg(long, value_name = "N")]
    stall_after: Option<u64>,
    /// After N bytes both sides get a reset
    #[arg(long, value_name = "N")]
    reset_after: Option<u64>,
    /// After N bytes both sides get the end of the stream
    #[arg(long, value_name = "N")]
    close_after: Option<u64>,
    /// Which way all this happens: to-server, to-client or both
    #[arg(long, value_name = "WAY", default_value_t)]
    direction: Direction,
    /// What chance draws from; without it, each run has a new one
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

impl From<Faults> for Schedule {
    fn from(faults: Faults) -> Schedule {
        let mut schedule = Schedule {
            cut: faults.cut,
            merge: faults.merge,
            delay: faults.delay,
            rate: faults.rate,
            slow_close: faults.slow_close,
            stall_after: faults.stall_after,
            reset_after: faults.reset_after,
            close_after: faults.close_after,
            direction: faults.direction,
            seed: faults.seed.unwrap_or(0),
            ..Schedule::default()
        };
        if schedule.has_chance() && faults.seed.is_none() {
            // Whatever differs from run to run; it is printed, and --seed repeats it.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            schedule.seed = u64::from(now.subsec_micros());
        }
        schedule
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    report(args.log.start().and_then(|()| run(args)))
}

fn run(args: Args) -> Result<(), Failure> {
    let schedule = args.schedule.unwrap_or_else(|| args.faults.into());
    let mut told = told_to_stop().map_err(Failure::listen(&args.listen))?;
    let relay = Relay::start(args.listen, args.to, schedule.clone()).map_err(failure)?;
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
