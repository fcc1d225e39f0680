//! `lab`: the labs, from the first line to the grade.
//!
//! ```text
//! $ scripts/lab.sh start echo my-echo      $ cargo run -q --bin lab start echo my-echo
//! $ scripts/lab.sh check my-echo           $ cargo run -q --bin lab check my-echo
//! ```

mod check;
mod checker;
mod choice;
mod grade;
mod hint;
mod list;
mod output;
mod picture;
mod report;
mod solution;
mod start;
mod verdict;
mod watch;
mod which;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Programs to write, and a hostile peer that judges them.
#[derive(Parser)]
#[command(name = "lab", bin_name = "scripts/lab.sh", version, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
From nothing to the first failure:
  scripts/lab.sh start echo my-echo
  scripts/lab.sh check my-echo

Each command explains itself: scripts/lab.sh check --help";

#[derive(Subcommand)]
enum What {
    /// List the labs, and your progress in each
    List(list::List),
    /// Put a starter program into a folder
    Start(start::Start),
    /// Play all cases of a lab against a program
    Check(check::Check),
    /// Grade a folder of submissions
    Grade(grade::Grade),
    /// Check again whenever a file changes
    Watch(watch::Watch),
    /// Show the next hint
    Hint(hint::Hint),
    /// Show the reference solution, once your own passes
    Solution(solution::Solution),
    /// Sum up your progress
    Report(report::Report),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done =
        stage::end_all_on_signal(|| _ = lab::end_descendants()).and_then(|()| match args.what {
            What::List(list) => list.run(),
            What::Start(start) => start.run(),
            What::Check(check) => check.run(),
            What::Grade(grade) => grade.run(),
            What::Watch(watch) => watch.run(),
            What::Hint(hint) => hint.run(),
            What::Solution(solution) => solution.run(),
            What::Report(report) => report.run(),
        });
    match done {
        Ok(code) => code,
        // Nobody reads our output any more, so there is no point in saying anything else.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(141),
        Err(error) => {
            let _ = writeln!(io::stderr(), "lab: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The text after a label, as wide as the terminal.
fn wrap(label: &str, column: usize, text: &str) -> Vec<String> {
    lab::wrap(label, column, text, room())
}

/// How wide a line may be: 80 columns, or fewer on a narrower terminal, minus the two that a failure is indented by.
fn room() -> usize {
    columns::of(io::stdout()).min(80) - 2
}
