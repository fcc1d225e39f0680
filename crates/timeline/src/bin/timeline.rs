//! Draws what programs recorded with `--trace`: who sent which bytes, and which call took them.
//!
//! ```text
//! $ cargo run -q --bin sticky-packet-repro-server -- --trace server.trace two-reads --hold --reads 2,5
//! $ cargo run -q --bin sticky-packet-repro-client -- --trace client.trace two-sends
//! $ cargo run -q --bin timeline -- client.trace server.trace
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use observe::{Event, Failure, exit_when_interrupted, replace_private, report};
use timeline::{Connection, Direction, Framing, Stream, connections, read_trace};

/// Draws the byte picture of a run: what each call sent, and what each call took.
///
/// The lesson: a box is a call. Where the boxes of the two sides do not line up, the stream did not keep the messages
/// apart. Nothing is guessed: what no trace holds is not drawn.
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

One trace is enough: then only that side is drawn. A new run appends to its trace: remove the old one first."
)]
struct Args {
    /// What the client and the server recorded
    #[arg(required_unless_present = "via", value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// What a relay between them recorded, or captured segments: the lane in the middle
    #[arg(long, value_name = "TRACE")]
    via: Option<PathBuf>,
    /// Which of several connections, as the message that lists them counts
    #[arg(long, value_name = "N")]
    conn: Option<usize>,
    /// Which way the bytes go
    #[arg(long, value_enum, default_value = "both")]
    direction: Directions,
    /// How the programs mark where a message ends. Without it each send counts as a message
    #[arg(long, value_enum)]
    framing: Option<FramingName>,
    /// What a JSON header calls the length of the body
    #[arg(long, value_name = "NAME", default_value = proto::json::LENGTH_KEY)]
    length_key: String,
    /// Write the picture to FILE, for a page or a book
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page to FILE that steps through the run
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Directions {
    ToServer,
    ToClient,
    Both,
}

#[derive(Clone, Copy, ValueEnum)]
enum FramingName {
    /// four bytes of length in front, the lowest first
    Prefix,
    /// four bytes of length in front, the highest first
    PrefixBe,
    /// a JSON header in front, with its own length in front of that
    Json,
    /// a line feed behind each message
    Lines,
    /// nothing: bytes
    None,
}

impl Args {
    fn framing(&self) -> Option<Framing> {
        Some(match self.framing? {
            FramingName::Prefix => Framing::Prefix,
            FramingName::PrefixBe => Framing::PrefixBigEndian,
            FramingName::Json => Framing::Json { length_key: self.length_key.clone() },
            FramingName::Lines => Framing::Lines,
            FramingName::None => Framing::None,
        })
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    exit_when_interrupted();
    report(run(&args))
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut events = Vec::new();
    for trace in &args.traces {
        events.extend(read(trace)?);
    }
    let via = args.via.as_deref().map(read).transpose()?.unwrap_or_default();
    let mut all = connections(&events, &via);
    // The pairs of sockets by which some languages wake their own threads carry nothing.
    if all.iter().any(|connection| carried(connection) != [0, 0]) {
        all.retain(|connection| carried(connection) != [0, 0]);
    }
    let connection = pick(&all, args.conn)?;
    let mut streams = streams(connection, args.direction)?;
    if let Some(framing) = args.framing() {
        streams = streams.into_iter().map(|stream| stream.framed(&framing)).collect();
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
    // The colours only where a terminal shows them.
    anstream::stdout().write_all(said.concat().as_bytes()).map_err(Failure::Stdout)
}

/// What was recorded. What is missing in it is said on stderr.
fn read(file: &Path) -> Result<Vec<Event>, Failure> {
    let trace = read_trace(file).map_err(|error| Failure::Usage(error.to_string()))?;
    let name = columns::visible(&file.display().to_string());
    let remarks = trace.remarks.iter().map(|remark| format!("timeline: {name}: {remark}\n"));
    // Where nobody reads it, the picture still is what was asked for.
    let _ = io::stderr().write_all(remarks.collect::<String>().as_bytes());
    Ok(trace.events)
}

/// The connection that was asked for, or the only one.
fn pick(all: &[Connection], wanted: Option<usize>) -> Result<&Connection, Failure> {
    match (all, wanted) {
        ([], _) => Err(Failure::Usage(
            "no connection in these traces: expected a connect or an accept that succeeded, or datagrams; try the \
             --trace of a client and a server that talked, or what strace saw of them"
                .into(),
        )),
        ([only], None) => Ok(only),
        (_, None) => Err(Failure::Usage(format!(
            "{} connections in these traces; pick one with --conn N: {}",
            all.len(),
            list(all)
        ))),
        (_, Some(number)) => number.checked_sub(1).and_then(|index| all.get(index)).ok_or_else(|| {
            let listed = list(all);
            Failure::Usage(format!("no connection {number} in these traces; there is {listed}"))
        }),
    }
}

/// The connections by number, with how much each carried.
fn list(all: &[Connection]) -> String {
    let about = |(connection, number): (&Connection, usize)| {
        let [there, back] = carried(connection);
        format!("{number}: {} ({there} bytes there, {back} back)", connection.ends())
    };
    let mut listed: Vec<String> = all.iter().zip(1..).take(LISTED).map(about).collect();
    if all.len() > LISTED {
        listed.push(format!("and {} more", all.len() - LISTED));
    }
    listed.join("; ")
}

/// How many bytes each of its streams has; of one whose recordings contradict each other, nobody knows.
fn carried(connection: &Connection) -> [usize; 2] {
    let bytes = |direction| connection.stream(direction).map_or(usize::MAX, |stream| stream.len());
    [Direction::ToServer, Direction::ToClient].map(bytes)
}

/// More connections would fill the screen.
const LISTED: usize = 20;

/// The streams that carried bytes.
fn streams(connection: &Connection, directions: Directions) -> Result<Vec<Stream>, Failure> {
    let mut streams = Vec::new();
    for (this, direction) in
        [(Directions::ToServer, Direction::ToServer), (Directions::ToClient, Direction::ToClient)]
    {
        if directions == this || directions == Directions::Both {
            let stream = connection.stream(direction);
            streams.push(stream.map_err(|error| Failure::Usage(error.to_string()))?);
        }
    }
    streams.retain(|stream| !stream.is_empty());
    match streams.is_empty() {
        true => {
            Err(Failure::Usage("this connection carried no bytes there: nothing to draw".into()))
        }
        false => Ok(streams),
    }
}

/// Writes a file, for this user alone: it holds the bytes of the traces. Says so.
fn save(file: &Path, text: &str) -> Result<String, Failure> {
    replace_private(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::Usage(format!("could not write {}: {error}", file.display())))?;
    Ok(format!("saved {}\n", columns::visible(&file.display().to_string())))
}
