//! `lab solution`: the reference solution, for a student who has solved the lab, or given up.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use lab::labs::Lab;

use crate::start::Language;
use crate::which;

#[derive(Args)]
#[command(after_help = "\
Examples:
  scripts/lab.sh solution echo                  once your own passes
  scripts/lab.sh solution echo --lang rust
  scripts/lab.sh solution echo --spoil          before it does")]
pub struct Solution {
    /// The lab
    #[arg(value_parser = which::lab())]
    lab: &'static Lab,
    /// The language
    #[arg(long, value_enum, default_value_t = Language::Python)]
    lang: Language,
    /// Show it even if your own doesn't pass yet
    #[arg(long)]
    spoil: bool,
}

impl Solution {
    pub fn run(self) -> io::Result<ExitCode> {
        let name = self.lab.name;
        if !self.spoil && !which::progress()?.standing(self.lab).passed(self.lab) {
            writeln!(
                io::stderr(),
                "lab: your program hasn't passed {name} yet. A hint: scripts/lab.sh hint {name}\nTo see the solution \
                 anyway: scripts/lab.sh solution {name} --spoil"
            )?;
            return Ok(ExitCode::FAILURE);
        }
        let text = match self.lang {
            Language::Python => self.lab.texts.solution_python,
            Language::Rust => self.lab.texts.solution_rust,
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
