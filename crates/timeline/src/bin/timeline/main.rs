//! Draws what programs recorded with `--trace`, or what strace saw of any program: who sent which bytes, and which call took
//! them.
//!
//! ```text
//! $ cargo run -q --bin sticky-packet-repro-server -- --trace server.trace two-reads --hold --reads 2,5
//! $ cargo run -q --bin sticky-packet-repro-client -- --trace client.trace two-sends
//! $ cargo run -q --bin timeline -- client.trace server.trace
//! ```

mod pick;
mod steps;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use observe::{Event, Failure, exit_when_interrupted, replace_private, report};
use timeline::{Framing, Ladder, connections, read_trace};

/// Draws the byte picture of a run: what each call sent, and what each call took.
///
/// The lesson: a box is a call. Where the boxes of the two sides do not line up, the stream did not keep the messages
/// apart. Nothing is guessed: what is in no trace is not drawn.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Record a run with --trace, which every program of the course has, and draw it:
  1$ sticky-packet-repro-server --trace server.trace two-reads --hold --reads 2,5
  2$ sticky-packet-repro-client --trace client.trace two-sends
     (press Enter in terminal 1)
  2$ timeline client.trace server.trace
  2$ timeline client.trace server.trace --html run.html     (open it in a browser)

With only one trace, only that side is drawn. A new run appends to its trace: remove the old one first.

Any other program can be recorded with strace (Linux). This script records and draws:
  1$ scripts/see.sh --save server.strace -- python3 server.py
  2$ scripts/see.sh server.strace -- python3 client.py"
)]
struct Args {
    /// Recordings of the client and the server: their --trace files, or strace's output
    #[arg(required_unless_present_any = ["via", "levels"], value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// The trace of a relay between them, or captured segments: drawn as the lane in the middle
    #[arg(long, value_name = "TRACE")]
    via: Vec<PathBuf>,
    /// Which connection to draw, by its number in the list that is printed when there are several. Without this option,
    /// the only one with recordings of both ends
    #[arg(long, value_name = "N", value_parser = observe::parse_number::<usize>)]
    conn: Option<usize>,
    /// Which way the bytes go
    #[arg(long, value_enum, default_value = "both")]
    direction: pick::Directions,
    /// How the programs mark where a message ends. Without this option, each send counts as one message.
    /// prefix: a 4-byte length before each message, least significant byte first; prefix-be: the same, most significant byte first;
    /// json: a JSON header before each message, and the header's own length before that (json:KEY if the header calls the body length
    /// KEY); lines: a line feed after each message; none: just bytes, no messages
    #[arg(long, value_name = "KIND")]
    framing: Option<Framing>,
    /// Draw a ladder of calls and segments. steps: one connection, a row for each step; time: all connections, side by side along
    /// a time axis. It needs strace's recordings, and --via with the file that segments --every wrote
    #[arg(long, value_enum, value_name = "SCALE", requires = "via")]
    ladder: Option<steps::Scale>,
    /// Draw only this exchange: from the client's Nth send to its next one
    #[arg(long, value_name = "N", requires = "ladder")]
    exchange: Option<usize>,
    /// Draw a table of what was where after each step, and nothing else
    #[arg(long, value_name = "TABLE", requires = "svg", conflicts_with_all = ["traces", "via"])]
    levels: Option<PathBuf>,
    /// Write the picture to FILE, for a page or a book
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page to FILE that steps through the run
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    if let (Some(table), Some(file)) = (&args.levels, &args.svg) {
        return say(&save(file, &steps::levels(table)?)?);
    }
    let mut events = Vec::new();
    let mut known = Vec::new();
    for trace in &args.traces {
        // The same file twice is one recording.
        let file = trace.canonicalize().unwrap_or_else(|_| trace.clone());
        if !known.contains(&file) {
            events.extend(read(trace)?);
            known.push(file);
        }
    }
    let mut via = Vec::new();
    for trace in &args.via {
        via.extend(read(trace)?);
    }
    let all = pick::that_carried(connections(&events, &via));
    if all.is_empty() {
        return Err(pick::none(&events));
    }
    if let Some(scale) = args.ladder {
        let ladders = steps::ladders(scale, &all, &events, args)?;
        return say(&match &args.svg {
            Some(file) => save(file, &steps::svg(scale, &ladders))?,
            None => ladders.iter().map(Ladder::text).collect::<Vec<_>>().join("\n"),
        });
    }
    let connection = pick::one(&all, args.conn)?;
    let mut streams = pick::streams(connection, args.direction)?;
    if let Some(framing) = &args.framing {
        streams = streams.into_iter().map(|stream| stream.framed(framing)).collect();
    }

    let mut said = Vec::new();
    if let Some(file) = &args.svg {
        said.push(save(file, &timeline::svg("The byte picture", &streams))?);
    }
    if let Some(file) = &args.html {
        said.push(save(
            file,
            &timeline::page("A run, call by call", &streams, &connection.parties()),
        )?);
    }
    if args.svg.is_none() && args.html.is_none() {
        let columns = columns::of(io::stdout());
        let pictures: Vec<String> = streams.iter().map(|stream| stream.coloured(columns)).collect();
        said.push(pictures.join("\n"));
    }
    say(&said.concat())
}

/// Prints it, in colour only if a terminal shows it.
fn say(said: &str) -> Result<(), Failure> {
    anstream::stdout().write_all(said.as_bytes()).map_err(Failure::Stdout)
}

/// Reads a recording. If something is missing from it, stderr says so.
fn read(file: &Path) -> Result<Vec<Event>, Failure> {
    let trace = read_trace(file).map_err(|error| Failure::Usage(error.to_string()))?;
    let name = columns::visible(&file.display().to_string());
    let remarks = trace.remarks.iter().map(|remark| format!("timeline: {name}: {remark}\n"));
    // Even if nobody reads the remark, the picture is still what was asked for.
    let _ = io::stderr().write_all(remarks.collect::<String>().as_bytes());
    Ok(trace.events)
}

/// Writes a file that only this user can read, because it holds the bytes of the traces. Returns what to print about it.
fn save(file: &Path, text: &str) -> Result<String, Failure> {
    replace_private(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::Usage(format!("could not write {}: {error}", file.display())))?;
    Ok(format!("saved {}\n", columns::visible(&file.display().to_string())))
}
