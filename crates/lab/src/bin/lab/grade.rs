//! `lab grade`: judges a folder of submissions, and writes the report in the form that was asked for.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lab::{
    CHECK_TIMEOUT, Format, Graded, Grader, Submissions, become_subreaper, end_descendants, escape,
    find_submissions, forbid_inspection, shown_name,
};

use crate::checker::Checker;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Examples:
  scripts/lab.sh grade submissions/                  one folder per student
  scripts/lab.sh grade submissions/ --format csv --output grades.csv -j 2

Exit codes: 0 graded, whatever the points; 1 the report could not be written; 2 usage; 3 DIR cannot be read.")]
pub struct Grade {
    /// A submission (it has a lab.toml), or a folder with one folder per student; for gradescope and classroom, one student's
    dir: PathBuf,
    /// What the report is for
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// How many submissions are judged at the same time
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Selects the data and the random cuts
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the report to this file once all are graded, instead of to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Grade {
    pub fn run(self) -> io::Result<ExitCode> {
        // This comes first: until it is done, other processes of the same user can look into this one.
        forbid_inspection();
        become_subreaper();
        let Submissions { found, passed_over } =
            match find_submissions(&self.dir, self.format.owner()) {
                Ok(submissions) => submissions,
                Err(error) => {
                    writeln!(io::stderr(), "lab: cannot read {}: {error}", shown_name(&self.dir))?;
                    return Ok(ExitCode::from(3));
                }
            };
        let output = Output::new(self.output.as_deref())?;
        if !passed_over.is_empty() {
            let names = escape(&passed_over.join(", "));
            // Even if nobody reads this or the progress, there is still a report to write.
            let _ = writeln!(io::stderr(), "skipped: {names} (no lab.toml directly inside)");
        }
        let checker = Checker::new()?;
        let grader = Grader {
            checker: checker.path.clone(),
            seed: self.seed,
            jobs: self.jobs.into(),
            limit: CHECK_TIMEOUT,
        };
        let all = found.len();
        let grading = grader.grade(&found, &mut |number, graded| {
            // If we were told to stop, we have killed the check ourselves, and that's why it failed.
            stage::wait_if_ending();
            let _ = writeln!(io::stderr(), "{number}/{all} {}", progress(graded));
        });
        let left = end_descendants();
        stage::wait_if_ending();
        if left > 0 {
            writeln!(io::stderr(), "lab: {left} processes of a submission could not be ended")?;
        }
        output.write(self.format.render(&grading).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// `alice/echo 7 of 12`.
fn progress(graded: &Graded) -> String {
    let name = escape(&graded.name);
    match &graded.error {
        None => format!("{name} {} of {}", graded.score(), graded.max_score()),
        Some(error) => {
            let why = escape(error.lines().next().unwrap_or_default());
            format!("{name} could not be judged: {why}")
        }
    }
}
