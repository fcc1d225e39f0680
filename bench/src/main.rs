//! How fast the course's programs are: each compared with its peers, in the same run.
//!
//! ```text
//! $ scripts/bench.sh                    everything: some ten minutes
//! $ scripts/bench.sh servers --quick    does it work?
//! ```

mod calls;
mod commands;
mod framing;
mod idle;
mod load;
mod options;
mod peers;
mod raw_stream;
mod relay;
mod report;
mod rounds;
mod server;
mod servers;

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use options::{Args, Effort, Part};
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
    // Before we add to it.
    let load = fs::read_to_string("/proc/loadavg")?;
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
    let text = report::table(&how(effort, start.elapsed(), &load), &sections);
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
fn how(effort: Effort, time: Duration, load: &str) -> String {
    let cores = server::cores();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let apart = if cores > 1 { "server and load on one each" } else { "shared by server and load" };
    format!(
        "{} rounds in {} s; {cores} cores, {apart}.\n\
         Load of the machine in the 1, 5, 15 minutes before: {}.",
        effort.rounds,
        time.as_secs(),
        load.join(" "),
    )
}

/// What is being measured now, on stderr.
fn progress(what: &str) {
    eprintln!("bench: {what}");
}
