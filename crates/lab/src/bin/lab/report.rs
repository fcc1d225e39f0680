//! `lab report`: everything you have reached, one paragraph for each lab.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use lab::Standing;
use lab::labs::LABS;

use crate::which;

#[derive(Args)]
#[command(after_help = "\
Examples:
  scripts/lab.sh report
  scripts/lab.sh report > report.txt  to keep it")]
pub struct Report {}

impl Report {
    pub fn run(self) -> io::Result<ExitCode> {
        let progress = which::progress()?;
        let mut stdout = io::stdout().lock();
        let (mut passed, mut points, mut all) = (0, 0, 0);
        for lab in LABS {
            let standing = progress.standing(lab);
            passed += usize::from(standing.passed(lab));
            points += standing.best.min(lab.max_score());
            all += lab.max_score();
            writeln!(stdout, "{}", lab.name)?;
            if standing == Standing::default() {
                writeln!(stdout, "  not begun")?;
                continue;
            }
            let verdict = if standing.passed(lab) { ", passed" } else { "" };
            writeln!(
                stdout,
                "  best      {} of {} points{verdict}",
                standing.best,
                lab.max_score()
            )?;
            if let Some(checked) = standing.checked {
                let failed =
                    standing.failed.map_or(String::new(), |case| format!("; {case} failed"));
                let checked = checked.to_string().replace('T', " ").replace('Z', " UTC");
                writeln!(stdout, "  last      {} points, on {checked}{failed}", standing.last)?;
            }
            writeln!(stdout, "  attempts  {}", standing.attempts)?;
            writeln!(stdout, "  hints     {}", standing.hints)?;
        }
        let labs = LABS.len();
        writeln!(stdout, "\n{points} of {all} points, {passed} of {labs} labs passed")?;
        Ok(ExitCode::SUCCESS)
    }
}
