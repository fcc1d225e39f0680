//! `demo`: every claim of the course as an experiment on the real programs.
//!
//! ```text
//! $ cargo build --bins                # the programs that the experiments start
//! $ cargo run -q --bin demo list
//! $ cargo run -q --bin demo run sticky
//! $ cargo run -q --bin demo run --all
//! ```
//!
//! `scripts/demo.sh sticky` does both steps.

mod arguments;

use clap::{Parser, Subcommand};
use demos::{Options, SetupError, run};
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Runs the experiments of the course: each states a claim, and tests it on the real programs.
///
/// An experiment starts the programs, waits until they are ready, and shows what each one said,
/// what became of the bytes on their way, and whether the claim held. It prints the
/// commands as well: type them in two terminals to see the same.
#[derive(Parser)]
#[command(
    name = "demo",
    version,
    after_help = "\
Begin with the main one:
  $ demo run sticky

Exit code: 0 when all came out as stated, 1 when one did not, 2 when no such experiment exists.
What you read is as wide as your terminal, 60 to 120 columns; in a pipe 100, or what COLUMNS says. \
Colour is left out in a pipe, on a dumb terminal, and where NO_COLOR is set."
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
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// All of them, and a table of verdicts at the end
        #[arg(long, conflicts_with = "names")]
        all: bool,
        #[command(flatten)]
        options: Options,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let What::Run { names, all, options } = &args.what
        && let Some(why) = arguments::objection(names, *all, options)
    {
        let _ = writeln!(io::stderr(), "demo: {why}");
        return ExitCode::from(2);
    }
    if let What::Run { options: Options { segments: true, .. }, .. } = &args.what
        && let Err(why) = segments::enter()
    {
        let _ = writeln!(io::stderr(), "segments not seen: {why}");
    }
    let result = stage::end_all_on_signal(|| {}).map_err(SetupError::Signals).and_then(|()| {
        match &args.what {
            What::List => run::list().map(|()| true),
            What::Run { all: true, options, .. } => run::all(options),
            What::Run { names, options, .. } => run::named(names, options),
        }
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // `demo run sticky | head -1` is what the user wants, not a mistake.
        Err(SetupError::Stdout(error)) if error.kind() == ErrorKind::BrokenPipe => {
            ExitCode::from(141)
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo: {error}");
            ExitCode::FAILURE
        }
    }
}
