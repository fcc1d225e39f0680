//! `lab check`: plays all cases of a lab against one program.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use lab::{CaseReport, Options, Outcome, Submission, check, explain, labs};

#[derive(Args)]
pub struct Check {
    /// The lab
    lab: String,
    /// Only this case
    #[arg(long)]
    case: Option<String>,
    /// Decides the data and the random cuts
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The program and its arguments; the address is added as the last one
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Check {
    pub fn run(self) -> io::Result<ExitCode> {
        let Some(lab) = labs::find(&self.lab) else {
            writeln!(io::stderr(), "lab: no lab is called {:?}", self.lab)?;
            return Ok(ExitCode::from(2));
        };
        let submission = Submission { command: self.command, ..Submission::default() };
        let options = Options { seed: self.seed, case: self.case };
        let mut shown = Ok(());
        let report = check(lab, &submission, &options, &mut |case| {
            if shown.is_ok() {
                shown = show(case);
            }
        });
        shown?;
        writeln!(io::stdout(), "{} of {} points", report.score(), report.max_score())?;
        Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn show(case: &CaseReport) -> io::Result<()> {
    let mut stdout = io::stdout();
    let mark = if case.outcome == Outcome::Passed { "✓" } else { "✗" };
    writeln!(stdout, "{mark} {} ({} of {} points)", case.id, case.score(), case.points)?;
    for line in explain(case) {
        writeln!(stdout, "    {line}")?;
    }
    Ok(())
}
