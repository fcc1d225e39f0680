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

use std::env;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{self, Command, ExitCode};
use std::thread;

use clap::{Parser, Subcommand};
use observe::{Failure, LogArgs, report};
use relay::{Endpoint, Faults, PeerCheck, Relay, RelayError, Schedule};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Sits between a client and a server, and makes the network as unkind as the standard allows.
///
/// The lesson: TCP promises the bytes and their order. It doesn't promise how many of them one recv
/// returns, how soon, or that the connection survives. A program that counts on more than that breaks here.
///
/// -v and --trace show everything that passes, even a token: the relay can't know that it is one.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Three terminals:
  1$ fix-ack-handshake-server
  2$ relay --to 127.0.0.1:8888 --cut 1 --rate 20 --direction to-client
  3$ fix-ack-handshake-client --connect 127.0.0.1:7777 -c 'seq 1000'

The answer has 3893 bytes. The client reads the first digit of that number as the whole length, prints
893, and notices nothing. The programs of fix 2 and 3 get everything. Try --reset-after 100 and
--stall-after 100, too."
)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// Where to listen: an address (port 0 picks a free one) or, with a `/` in it, a Unix socket. Only
    /// this user's programs are relayed, and with --allow-remote those of other machines
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7777")]
    listen: Endpoint,
    /// The server
    #[arg(long, value_name = "ADDR", required = true)]
    to: Option<Endpoint>,
    /// Listen where other machines can connect: they reach the server, and it sees only the relay
    #[arg(long)]
    allow_remote: bool,
    /// Relay datagrams instead of connections. A client is forgotten after two minutes without one, or
    /// when a new client needs its place (1024 are remembered)
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

#[derive(Subcommand)]
enum Other {
    /// Join two networks on this machine by a line that delays, drops and reorders packets (Linux)
    #[command(disable_help_flag = true)]
    Link {
        /// As `relay link --help` says
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Other::Link { arguments }) = args.other {
        return report(Err(become_link(&arguments)));
    }
    report(args.log.start().and_then(|()| run(args)))
}

fn run(args: Args) -> Result<(), Failure> {
    if !args.allow_remote && !args.listen.is_local() {
        return Err(Failure::Usage(format!(
            "{} can be reached from other machines, and to the server they would all look like you; \
             try 127.0.0.1, or add --allow-remote",
            args.listen
        )));
    }
    if !args.listen.is_local() {
        warn!(listen = %args.listen, "other machines can connect, and to the server they look like this user");
    }
    allow_many_descriptors();
    let schedule = args.schedule.unwrap_or_else(|| args.faults.into());
    let mut told = ending::told().map_err(Failure::cannot_listen(&args.listen))?;
    let Some(to) = args.to else { return Err(Failure::Usage("--to is missing".into())) };
    let relay = match args.udp {
        true => Relay::start_udp(args.listen, to, schedule.clone()),
        false => Relay::start_for(PeerCheck::ThisUser, args.listen, to, schedule.clone()),
    };
    let relay = relay.map_err(failure)?;
    let lines = format!("listening on {}\nschedule: {schedule}\n", relay.address());
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Stdout)?;
    // One byte for one signal. Then the relay is dropped, and with it all its connections.
    let _ = told.read(&mut [0]);
    // That can take as long as a silent server is given. A second signal does not wait for it.
    thread::spawn(move || told.read(&mut [0]).map(|_| process::exit(130)));
    Ok(())
}

/// A connection takes up to six descriptors, and a process usually gets 1024, although it may ask for more.
fn allow_many_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If that is refused (macOS has another limit besides this one), fewer connections fit.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// `relay link` is a program of its own, in the same folder as this one. Returns only if it can't be started.
fn become_link(arguments: &[OsString]) -> Failure {
    let link = env::current_exe().unwrap_or_default().with_file_name("relay-link");
    let error = Command::new(&link).args(arguments).exec();
    Failure::Usage(format!("cannot start {}: {error}; try cargo build --bins", link.display()))
}

fn failure(error: RelayError) -> Failure {
    match error {
        RelayError::Listen { address, error } => Failure::cannot_listen(address)(error),
        RelayError::Start(error) => Failure::cannot_listen("a new socket")(error),
        error => Failure::Usage(error.to_string()),
    }
}
