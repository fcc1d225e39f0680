//! `lab`: the labs, from the first line to the grade.
//!
//! ```text
//! $ cargo run -q --bin lab check echo -- python3 echo.py
//! ```

mod check;
mod grade;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Programs to write, and a hostile peer that judges them.
#[derive(Parser)]
#[command(name = "lab", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Play all cases of a lab against a program
    Check(check::Check),
    /// Judge a folder of submissions
    Grade(grade::Grade),
}

fn main() -> ExitCode {
    let done = match Args::parse().what {
        What::Check(check) => check.run(),
        What::Grade(grade) => grade.run(),
    };
    match done {
        Ok(code) => code,
        // Our reader has gone: what is left to say would go nowhere.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(141),
        Err(error) => {
            let _ = writeln!(io::stderr(), "lab: {error}");
            ExitCode::FAILURE
        }
    }
}
