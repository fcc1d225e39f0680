//! Judges many submissions, each by a process of its own.
//!
//! A submission that brings its check down costs the others nothing, and still has a result: no points, and the reason.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use stage::{Finished, Program, StageError};

use crate::folder::Found;
use crate::labs::Lab;
use crate::orphans::end_orphans;
use crate::report::{CaseReport, Failure, Outcome, Report};
use crate::submission::{BUILD, Submission};

/// How long the check of one submission may take, without its build. A program that hangs in every case is judged in ten
/// seconds, and in 40 more where the machine lets it wait; this is for a check that hangs itself.
pub const LIMIT: Duration = Duration::from_secs(90);

/// What a check may write, in bytes.
const OUTPUT: usize = 16 << 20;

/// What a check is told of the environment: enough to find interpreters and compilers. All else stays with us, a grader's
/// tokens for example, or the file that takes the result.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "JAVA_HOME",
    "GOPATH",
    "GOCACHE",
    "PYENV_ROOT",
];

/// What became of all submissions.
#[derive(Clone, Debug)]
pub struct Grading {
    /// The seed of every check.
    pub seed: u64,
    /// One entry for each submission, in the order in which they were found.
    pub submissions: Vec<Graded>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
}

/// What became of one submission.
#[derive(Clone, Debug)]
pub struct Graded {
    /// Its name: `alice/echo`.
    pub name: String,
    /// The lab's name, if `lab.toml` gives it.
    pub lab: Option<String>,
    /// One entry for each case of that lab; all of them failed when there is an `error`.
    pub cases: Vec<CaseReport>,
    /// Why it could not be judged.
    pub error: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Graded {
    /// The points of the cases that passed.
    pub fn score(&self) -> u32 {
        self.cases.iter().map(CaseReport::score).sum()
    }

    /// The points of all cases; 0 where the lab is not known.
    pub fn max_score(&self) -> u32 {
        self.cases.iter().map(|case| case.points).sum()
    }

    /// Whether it was judged, and every case passed.
    pub fn passed(&self) -> bool {
        self.error.is_none() && self.score() == self.max_score()
    }
}

/// How submissions are judged.
#[derive(Clone, Debug)]
pub struct Grader {
    /// The program that is run for each: `CHECKER check FOLDER --format json --seed SEED`.
    pub checker: PathBuf,
    /// Decides the data and the random cuts.
    pub seed: u64,
    /// How many are judged at the same time.
    pub jobs: usize,
    /// How long the check of one may take, without its build.
    pub limit: Duration,
}

impl Grader {
    /// Judges all of them. `tell` hears of each as soon as it is done, with the number of those that are.
    pub fn grade(&self, found: &[Found], tell: &mut (dyn FnMut(usize, &Graded) + Send)) -> Grading {
        let started = Instant::now();
        let waiting = Mutex::new(found.iter().enumerate());
        let done = Mutex::new((vec![None; found.len()], 0, tell));
        let checks = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, found.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((place, found)) = next else { return };
                        let graded = self.judge(found, &checks);
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.1 += 1;
                        let number = done.1;
                        (done.2)(number, &graded);
                        done.0[place] = Some(graded);
                    }
                });
            }
        });
        let (submissions, ..) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let submissions = submissions.into_iter().flatten().collect();
        Grading { seed: self.seed, submissions, seconds: started.elapsed().as_secs_f64() }
    }

    fn judge(&self, found: &Found, checks: &Mutex<Vec<u32>>) -> Graded {
        let started = Instant::now();
        let (lab, result) = match Submission::read(&found.folder) {
            Ok((lab, submission)) => (Some(lab), self.check(found, lab, &submission, checks)),
            Err(error) => (None, Err(error.to_string())),
        };
        let (cases, error) = match result {
            Ok(report) => (report.cases, None),
            Err(error) => (lab.map_or_else(Vec::new, |lab| unjudged(lab, &error)), Some(error)),
        };
        Graded {
            name: found.name.clone(),
            lab: lab.map(|lab| lab.name.to_owned()),
            cases,
            error,
            seconds: started.elapsed().as_secs_f64(),
        }
    }

    fn check(
        &self,
        found: &Found,
        lab: &Lab,
        submission: &Submission,
        checks: &Mutex<Vec<u32>>,
    ) -> Result<Report, String> {
        let mut command = Command::new(&self.checker);
        command.arg("check").arg(&found.folder).args(["--format", "json"]);
        command.args(["--seed", &self.seed.to_string()]);
        command.env_clear();
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))));
        let limit = self.limit + submission.build.as_ref().map_or(Duration::ZERO, |_| BUILD);
        let finished = run(&mut command, limit, checks).map_err(|error| match error {
            StageError::TimedOut { .. } => {
                format!("the check did not end within {} s", limit.as_secs())
            }
            error => error.to_string(),
        })?;
        let report: Report =
            serde_json::from_slice(&finished.stdout).map_err(|_| without_report(&finished))?;
        let worth = report.cases.iter().map(|case| (case.id.as_str(), case.points));
        if report.lab != lab.name || !worth.eq(lab.cases.iter().map(|case| (case.id, case.points)))
        {
            return Err("the check reported on another lab: lab.toml changed meanwhile".to_owned());
        }
        // A report that is none of the check's own does not come with the right end.
        if finished.code != Some(if report.passed() { 0 } else { 1 }) {
            return Err(without_report(&finished));
        }
        Ok(report)
    }
}

/// Runs a check; `checks` are the numbers of all that run.
fn run(
    command: &mut Command,
    limit: Duration,
    checks: &Mutex<Vec<u32>>,
) -> Result<Finished, StageError> {
    let mut running = checks.lock().unwrap_or_else(PoisonError::into_inner);
    let program = Program::start_bounded("the check", command, OUTPUT)?;
    let pid = program.pid();
    running.push(pid);
    drop(running);
    let finished = program.wait(limit);
    let mut running = checks.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|other| *other != pid);
    // One that was killed could not clear away what it had started, and that is ours now. The next one is not to be
    // disturbed by it.
    end_orphans(&running);
    finished
}

fn without_report(finished: &Finished) -> String {
    // What cannot be judged (a failed build, say) is explained there.
    let said = String::from_utf8_lossy(&finished.stderr);
    let said = said.trim().strip_prefix("lab: ").unwrap_or(said.trim());
    let how = match (finished.code, finished.signal) {
        (Some(2 | 3), _) if !said.is_empty() => return said.to_owned(),
        (Some(code), _) => format!("the check ended (exit code {code}) without a report"),
        (None, signal) => format!("the check was ended by signal {}", signal.unwrap_or_default()),
    };
    format!("{how}\n{said}").trim_end().to_owned()
}

/// Every case of the lab, failed for the same reason.
fn unjudged(lab: &Lab, error: &str) -> Vec<CaseReport> {
    let first = error.lines().next().unwrap_or_default();
    let failure = Failure {
        what: format!("the submission could not be judged: {first}"),
        ..Failure::default()
    };
    let failed = |case: &crate::labs::Case| CaseReport {
        id: case.id.to_owned(),
        rule: case.rule.to_owned(),
        points: case.points,
        outcome: Outcome::Failed(Box::new(failure.clone())),
        seconds: 0.0,
    };
    lab.cases.iter().map(failed).collect()
}
