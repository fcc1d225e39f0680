//! The command line: what to measure, and how much of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::peers::Peer;

/// How much is done.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// How long a server is under load in each round.
    pub window: Duration,
    /// How many connections are idle.
    pub idle: usize,
    /// How many bytes of frames go over TCP; in memory it's an eighth.
    pub bytes: usize,
    /// How many bytes go through a relay.
    pub stream: usize,
}

/// Measures how fast the course's programs are: each compared with its peers, in the same run.
///
/// An absolute number says as much about the machine as about the program. So the contenders alternate, and what counts is
/// the ratio of two within the same round: above 1, the first is better. Look at the spread before you believe a median. On a
/// busy machine, look at the rows `cost` (processor time, which other programs can't take) and at `best` (the best round of
/// each).
///
/// docs/src/speed.md says what the peers are.
#[derive(Parser)]
#[command(
    name = "bench.sh",
    after_help = "\
Examples:
  scripts/bench.sh servers              requests, connections, and crowds
  scripts/bench.sh --quick              half a minute: does everything work?
  scripts/bench.sh all --json now.json  one JSON object a row
  scripts/bench.sh all --page           writes bench/results.txt, and the table and pictures of the page

Close what you can before you measure, above all the browser."
)]
pub struct Args {
    /// What to measure
    #[arg(value_enum, value_name = "PART", default_value = "all")]
    pub parts: Vec<Part>,
    /// Once, and briefly: shows that everything works, and measures nothing
    #[arg(long)]
    pub quick: bool,
    /// How often each contender has its turn
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Also write one JSON object for each row to FILE
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Also draw the ratios, a picture for each part, into DIR
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
    /// Where the course's programs are, built with --release
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release"))]
    pub programs: PathBuf,
    /// For this program itself: be one of the servers
    #[arg(long, value_enum, hide = true)]
    pub serve: Option<Peer>,
    #[arg(long, hide = true)]
    pub to: Option<SocketAddr>,
}

impl Args {
    pub fn effort(&self) -> Effort {
        match self.quick {
            true => Effort {
                rounds: 1,
                window: Duration::from_millis(100),
                idle: 1000,
                bytes: 4_000_000,
                stream: 50_000_000,
            },
            false => Effort {
                rounds: self.rounds as usize,
                window: Duration::from_secs(1),
                idle: 10_000,
                bytes: 256 * 1024 * 1024,
                stream: 1_000_000_000,
            },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// proto's decoder and tokio-util's codec; limits: a copy, the raw stream
    Framing,
    /// requests, connections and a crowd: our models, std's threads, mio, tokio, epoll, Python
    Servers,
    /// what an idle connection takes
    Idle,
    /// remote commands, and the same commands without a server
    Commands,
    /// a stream through the relay, and the raw stream
    Relay,
    /// system calls for each request, with strace
    Calls,
    All,
}

impl Part {
    /// The name for files, the title for people.
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Part::Framing => ("framing", "Finding frames"),
            Part::Servers => ("servers", "Many clients at once"),
            Part::Idle => ("idle", "Idle connections"),
            Part::Commands => ("commands", "Remote commands"),
            Part::Relay => ("relay", "The relay"),
            Part::Calls => ("calls", "System calls"),
            Part::All => ("all", "Everything"),
        }
    }
}
