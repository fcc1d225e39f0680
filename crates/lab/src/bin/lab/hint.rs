//! `lab hint`: one more hint each time, from a question to nearly the code.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use lab::labs::Lab;

use crate::{which, wrap};

#[derive(Args)]
#[command(after_help = "\
Examples:
  scripts/lab.sh hint echo            the first
  scripts/lab.sh hint echo            the second")]
pub struct Hint {
    /// The lab
    #[arg(value_parser = which::lab())]
    lab: &'static Lab,
}

impl Hint {
    pub fn run(self) -> io::Result<ExitCode> {
        let name = self.lab.name;
        let hints: Vec<&str> = self.lab.texts.hints.split("\n---\n").map(str::trim).collect();
        let taken = which::progress()?.take_hint(self.lab, hints.len())?;
        let mut stdout = io::stdout().lock();
        // When there are no more, show all of them again.
        let shown = taken.map_or(0..hints.len(), |number| number..number + 1);
        for number in shown {
            writeln!(stdout, "hint {} of {}:", number + 1, hints.len())?;
            // The file has lines as wide as an editor; a terminal may be narrower.
            for line in wrap("", 0, &hints[number].replace('\n', " ")) {
                writeln!(stdout, "{line}")?;
            }
            writeln!(stdout)?;
        }
        if taken.is_none() {
            writeln!(
                stdout,
                "There are no more hints. The lab's page says more: docs/src/labs/{name}.md\nA program that passes: \
                 scripts/lab.sh solution {name} --spoil"
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
