//! How fast the course's programs are: each beside its peers, in the same run.
//!
//! ```text
//! $ scripts/bench.sh                    everything: some fifteen minutes
//! $ scripts/bench.sh servers --quick    does it work?
//! ```

mod calls;
mod commands;
mod framing;
mod idle;
mod load;
mod peers;
mod relay;
mod report;
mod rounds;
mod server;
mod servers;

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use report::Section;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.serve {
        Some(peer) => peers::serve(peer, args.to),
        None => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> io::Result<()> {
    let start = Instant::now();
    let effort = args.effort();
    let wanted = |part| args.parts.iter().any(|&it| it == part || it == Part::All);
    let mut sections = Vec::new();
    for part in Part::value_variants().iter().copied().filter(|&part| wanted(part)) {
        let (name, title) = part.title();
        let rows = match part {
            Part::Framing => framing::framing(effort)?,
            Part::Servers => servers::servers(effort)?,
            Part::Idle => idle::idle(effort)?,
            Part::Commands => commands::commands(&args.programs, effort)?,
            Part::Relay => relay::relay(&args.programs, effort)?,
            Part::Calls => calls::calls(&args.programs)?,
            Part::All => continue,
        };
        sections.push(Section { name, title, rows });
    }
    let text = report::table(&how(effort, start.elapsed())?, &sections);
    io::stdout().lock().write_all(text.as_bytes())?;
    if let Some(file) = &args.json {
        fs::write(file, report::json(&sections))?;
    }
    if let Some(folder) = &args.svg {
        fs::create_dir_all(folder)?;
        for section in &sections {
            if let Some(picture) = report::svg(section) {
                fs::write(folder.join(format!("{}.svg", section.name)), picture)?;
            }
        }
    }
    Ok(())
}

/// Where and how it was measured.
fn how(effort: Effort, time: Duration) -> io::Result<String> {
    let cores = server::cores();
    let load = fs::read_to_string("/proc/loadavg")?;
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let apart = if cores > 1 { "server and load on one each" } else { "shared by server and load" };
    Ok(format!(
        "{} rounds in {} s; {cores} cores, {apart}. Load of the machine in the last 1, 5, 15 minutes: {}.",
        effort.rounds,
        time.as_secs(),
        load.join(" "),
    ))
}

/// What is being measured now, on stderr.
fn progress(what: &str) {
    eprintln!("bench: {what}");
}

/// How much is done.
#[derive(Clone, Copy)]
pub struct Effort {
    rounds: usize,
    /// How long a server is under load in each round.
    window: Duration,
    /// How many connections are idle.
    idle: usize,
    /// How many bytes of frames go over TCP; in memory it's an eighth.
    bytes: usize,
    /// How many bytes go through a relay.
    stream: usize,
}

/// Measures how fast the course's programs are: each beside its peers, in the same run.
///
/// An absolute number says as much about the machine as about the program. So the contenders alternate, and what counts is
/// the ratio of two within the same round: above 1, the first is better. Look at the spread before you believe a median. On a
/// machine that does something else, look at the rows `cost` (processor time, which others can't take) and at `best` (the
/// best round of each).
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
struct Args {
    /// What to measure
    #[arg(value_enum, value_name = "PART", default_value = "all")]
    parts: Vec<Part>,
    /// Once, and for a moment: shows that everything works, and measures nothing
    #[arg(long)]
    quick: bool,
    /// How often each contender has its turn
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Also write one JSON object a row to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also draw the ratios, a picture for each part, into DIR
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// Where the course's programs are, built with --release
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release"))]
    programs: PathBuf,
    /// For this program itself: be one of the servers
    #[arg(long, value_enum, hide = true)]
    serve: Option<peers::Peer>,
    #[arg(long, hide = true)]
    to: Option<SocketAddr>,
}

impl Args {
    fn effort(&self) -> Effort {
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
enum Part {
    /// proto's decoder and tokio-util's codec; limits: a copy, the raw stream
    Framing,
    /// requests, connections and a crowd: our models, std's threads, mio, tokio, epoll, Python
    Servers,
    /// what a connection takes that says nothing
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
    fn title(self) -> (&'static str, &'static str) {
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
