//! `lab check`: plays all cases of a lab against one program.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lab::labs::Lab;
use lab::{
    Options, Submission, ToGrader, become_subreaper, check, end_descendants, forbid_inspection,
    shown_name, startable,
};

use crate::verdict::Verdict;
use crate::{choice, picture, room, which};

#[derive(Args, Clone)]
#[command(
    override_usage = "\
scripts/lab.sh check [OPTIONS] <DIR|LAB>
       scripts/lab.sh check [OPTIONS] <LAB> -- <COMMAND>...",
    after_help = "Examples:
  scripts/lab.sh check my-echo                         the folder that `start` made
  scripts/lab.sh check echo -- python3 echo.py         with a command of your own
  scripts/lab.sh check echo -- ./target/debug/echo
  scripts/lab.sh check my-echo --case hello --seed 7   one case, with other data
  scripts/lab.sh check my-echo --picture bytes.svg     the first failure as a picture

Your program is started afresh for each case, with the address as its last argument: a server listens there, a client connects there. A peer then does to it what a network can do to a stream: cut it, merge it, delay it, break it off. The same seed gives the same data and the same cuts.

Exit codes: 0 all passed; 1 a case failed; 2 usage; 3 the program could not be built or started."
)]
pub struct Check {
    /// A folder with a lab.toml; or the name of a lab, followed by a command
    #[arg(value_name = "DIR|LAB")]
    what: PathBuf,
    /// Only this case
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// Selects the data and the random cuts
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Explain every failed case, not only the first
    #[arg(long)]
    all: bool,
    /// Play the first failed case once more and draw it: what the peer sent, how it was cut, what came back, and, where strace
    /// is installed, what your program called. With FILE.html, write a page that steps through the calls
    #[arg(long, value_name = "FILE.svg", conflicts_with = "to_grader")]
    picture: Option<PathBuf>,
    /// `json`: the report of the check, for programs
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    format: String,
    /// For `lab grade`, which has the other end of our standard input
    #[arg(long, hide = true, conflicts_with_all = ["case", "command", "format"])]
    to_grader: bool,
    /// The program and its arguments; the address is added as the last one
    #[arg(last = true)]
    command: Vec<String>,
}

impl Check {
    /// The folder with the program.
    pub fn folder(&self) -> PathBuf {
        if self.command.is_empty() { self.what.clone() } else { PathBuf::from(".") }
    }

    pub fn run(self) -> io::Result<ExitCode> {
        // This comes first: until it is done, other processes of the same user can look into this one.
        forbid_inspection();
        become_subreaper();
        let mut grader = if self.to_grader { Some(ToGrader::from_stdin()?) } else { None };
        let (lab, submission) = match self.chosen() {
            Ok(chosen) => chosen,
            Err(why) => return refuse(2, &why),
        };
        if let Some(grader) = &mut grader
            && !grader.wait()?
        {
            return Ok(ExitCode::FAILURE);
        }
        let human = grader.is_none() && self.format == "human";
        if human && submission.build.is_some() {
            writeln!(io::stderr(), "building first")?;
        }
        let ready = submission.build().map_err(|error| error.to_string());
        if let Err(why) = ready.and_then(|()| startable(&submission)) {
            end_descendants();
            return refuse(3, &why);
        }

        let options = Options { seed: self.seed, case: self.case.clone(), narrow: room() < 78 };
        let rust = submission.build.as_ref().is_some_and(|words| words[0] == "cargo");
        let mut verdict = Verdict::new(self.all || self.case.is_some(), rust);
        let mut shown = Ok(());
        let report = check(lab, &submission, &options, &mut |case| {
            // If we were told to stop, we have killed the programs ourselves, and that's why they failed.
            stage::wait_if_ending();
            if human && shown.is_ok() {
                shown = verdict.tell(case);
            }
        });
        end_descendants();
        stage::wait_if_ending();
        shown?;
        if let Some(file) = &self.picture {
            picture::save(lab, &report, &submission, file)?;
            end_descendants();
        }
        if human {
            verdict.sum_up(lab, &report, self.case.is_some())?;
            let mut progress = which::progress()?;
            if let Err(error) = progress.record(&report) {
                // The verdict is still valid.
                let path = progress.path();
                writeln!(
                    io::stderr(),
                    "lab: cannot keep the points in {}: {error}",
                    shown_name(path)
                )?;
            }
        } else if let Some(grader) = grader {
            grader.send(&report)?;
        } else {
            serde_json::to_writer(io::stdout(), &report)?;
        }
        Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The lab and the program. The error tells the student what to type instead.
    pub fn chosen(&self) -> Result<(&'static Lab, Submission), String> {
        if self.to_grader {
            // A folder, whatever its name.
            return Submission::read(&self.what).map_err(|error| error.to_string());
        }
        choice::choice(&self.what, &self.command, self.case.as_deref())
    }
}

pub fn refuse(code: u8, why: &str) -> io::Result<ExitCode> {
    writeln!(io::stderr(), "lab: {why}")?;
    Ok(ExitCode::from(code))
}
