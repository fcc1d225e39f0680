//! `demo`: every claim of the course as an experiment on the real programs.
//!
//! ```text
//! $ cargo build --bins                # the programs that the experiments start
//! $ cargo run -q --bin demo list
//! $ cargo run -q --bin demo run sticky
//! $ cargo run -q --bin demo run --all
//! ```
//!
//! `scripts/demo.sh sticky` does both steps. An experiment stands in `src/experiments/`, a file of its own; what it
//! prints is compared with `transcripts/` by the tests.

mod experiments;
mod scene;
mod screen;
mod trouble;
mod typed;
mod verdict;

use crate::experiments::{ALL, Experiment};
use crate::scene::Scene;
use crate::screen::Screen;
use crate::trouble::Trouble;
use crate::verdict::Verdict;
use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe::register;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{self, ExitCode};
use std::thread;

/// Runs the experiments of the course: each states a claim, and tests it on the real programs.
///
/// An experiment starts the programs, waits until they are ready, and shows what each one said,
/// what became of the bytes on their way, and whether the claim came out as stated. It prints the
/// command lines as well: type them in two terminals to see the same.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Begin with the main one:
  $ demo run sticky

Exit code: 0 when all came out as stated, 1 when one did not, 2 when no such experiment exists.
Colour is left out in a pipe, and where NO_COLOR is set."
)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Name the experiments and their claims, in the order of the course
    List,
    /// Run experiments
    #[command(arg_required_else_help = true)]
    Run {
        /// Which ones; `demo list` names them
        #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(ALL.iter().map(|one| one.name)), hide_possible_values = true)]
        names: Vec<String>,
        /// Every one of them, and a table of verdicts at the end
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut screen = Screen::new();
    let result = clean_up_when_told().map_err(Trouble::Signals).and_then(|()| match &args.what {
        What::List => list(&mut screen).map(|()| true),
        What::Run { all: true, .. } => run_all(&mut screen),
        What::Run { names, .. } => run_named(names, &mut screen),
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // `demo run sticky | head -1` is a wish, not a mistake.
        Err(Trouble::Stdout(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(141),
        Err(trouble) => {
            let _ = writeln!(io::stderr(), "demo: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn list(screen: &mut Screen) -> Result<(), Trouble> {
    ALL.iter().try_for_each(|one| screen.entry(one.name, one.claim)).map_err(Trouble::Stdout)
}

fn run_named(names: &[String], screen: &mut Screen) -> Result<bool, Trouble> {
    let mut all_well = true;
    for one in names.iter().flat_map(|name| ALL.iter().filter(move |one| one.name == name)) {
        all_well &= run(one, screen)?.is_fine();
    }
    Ok(all_well)
}

fn run_all(screen: &mut Screen) -> Result<bool, Trouble> {
    let mut verdicts = Vec::new();
    for one in ALL {
        verdicts.push((one.name, run(one, screen)?));
    }
    screen.table(&verdicts).map_err(Trouble::Stdout)?;
    Ok(verdicts.iter().all(|(_, verdict)| verdict.is_fine()))
}

/// One experiment, from its claim to its verdict. What stops it is its verdict too, so that the others still run; only
/// when nobody reads us any more there is no point in going on.
fn run(one: &Experiment, screen: &mut Screen) -> Result<Verdict, Trouble> {
    screen.claim(one.name, one.claim).map_err(Trouble::Stdout)?;
    let verdict = match Scene::new(screen).and_then(|mut scene| (one.run)(&mut scene)) {
        Ok(verdict) => verdict,
        Err(trouble @ Trouble::Stdout(_)) => return Err(trouble),
        Err(trouble) => Verdict::Stopped(trouble.to_string()),
    };
    screen.verdict(&verdict).map_err(Trouble::Stdout)?;
    Ok(verdict)
}

/// Ctrl-C ends the programs before it ends us: they are in process groups of their own, and would live on.
fn clean_up_when_told() -> io::Result<()> {
    let (mut signals, caught) = io::pipe()?;
    register(SIGINT, caught.try_clone()?)?;
    register(SIGTERM, caught)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.read(&mut [0]);
        stage::end_all();
        process::exit(130);
    })?;
    Ok(())
}
