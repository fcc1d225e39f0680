//! `lab check`: plays all cases of a lab against one program.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use lab::{CaseReport, Options, Outcome, Submission, check, explain, labs};

#[derive(Args)]
pub struct Check {
    /// The lab, or without a command a folder with a lab.toml
    lab: String,
    /// Only this case
    #[arg(long)]
    case: Option<String>,
    /// Decides the data and the random cuts
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// `json`: the report of the check, for programs
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    format: String,
    /// The program and its arguments; the address is added as the last one
    #[arg(last = true)]
    command: Vec<String>,
}

impl Check {
    pub fn run(self) -> io::Result<ExitCode> {
        let (lab, submission) = if self.command.is_empty() {
            let read = Submission::read(Path::new(&self.lab));
            match read.and_then(|(lab, submission)| submission.build().map(|()| (lab, submission)))
            {
                Ok(read) => read,
                Err(error) => {
                    writeln!(io::stderr(), "lab: {error}")?;
                    return Ok(ExitCode::from(2));
                }
            }
        } else {
            let Some(lab) = labs::find(&self.lab) else {
                writeln!(io::stderr(), "lab: no lab is called {:?}", self.lab)?;
                return Ok(ExitCode::from(2));
            };
            (lab, Submission { command: self.command, ..Submission::default() })
        };
        let options = Options { seed: self.seed, case: self.case };
        let mut shown = Ok(());
        let report = check(lab, &submission, &options, &mut |case| {
            if shown.is_ok() && self.format == "human" {
                shown = show(case);
            }
        });
        shown?;
        if self.format == "json" {
            serde_json::to_writer(io::stdout(), &report)?;
        } else {
            writeln!(io::stdout(), "{} of {} points", report.score(), report.max_score())?;
        }
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
