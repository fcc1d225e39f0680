//! `lab list`: the labs, and your progress in each.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use lab::labs::LABS;
use lab::{Standing, shown_name};

use crate::{which, wrap};

#[derive(Args)]
#[command(after_help = "Examples:
  scripts/lab.sh list
  scripts/lab.sh                      the same

✓ passed, … begun; `hints` is how many you have taken. Points are kept in lab-progress.toml, in this folder or the nearest one above it that has such a file.")]
pub struct List {}

impl List {
    pub fn run(self) -> io::Result<ExitCode> {
        let progress = which::progress()?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "  lab           points  hints  the program to write")?;
        for lab in LABS {
            let standing = progress.standing(lab);
            let mark = match &standing {
                reached if reached.passed(lab) => '✓',
                nothing if *nothing == Standing::default() => ' ',
                _ => '…',
            };
            let points = format!("{}/{}", standing.best, lab.max_score());
            let (name, hints, task) = (lab.name, standing.hints, lab.task);
            let label = format!("{mark} {name:12}  {points:>6}  {hints:>5}  ");
            for line in wrap(&label, label.chars().count(), task) {
                writeln!(stdout, "{line}")?;
            }
        }
        if progress.path().is_file() && progress.notice().is_none() {
            writeln!(stdout, "\nkept in {}", shown_name(progress.path()))?;
        } else {
            writeln!(stdout, "\nbegin:  scripts/lab.sh start echo my-echo")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
