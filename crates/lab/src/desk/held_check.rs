//! The check of one submission, as the grader sees it: started and held, then released, and what it hands in.

use std::env;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stage::{Finished, Keep, Program, Scratch, Signal, StageError};

use super::channel::ToCheck;
use crate::labs::Lab;
use crate::verdict::Report;

/// How long a check may take to say that it is ready. All it has to do is start.
const READY: Duration = Duration::from_secs(30);

/// How much a check may write, in bytes: its report, and anything else it prints.
const OUTPUT: usize = 16 << 20;

/// The part of the environment that a check gets: enough to find interpreters and compilers. We keep back everything
/// else, such as a grader's tokens or the name of the file that takes the result.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "JAVA_HOME",
    "GOPATH",
    "GOCACHE",
    "PYENV_ROOT",
];

/// A check that has been started. Dropping it ends it.
pub(crate) struct HeldCheck {
    program: Program,
    line: ToCheck,
    /// Where the check and the submission put their temporary files: a check that was killed couldn't remove its own.
    _scratch: Scratch,
}

/// Why there is no report.
pub(crate) enum NoReport {
    /// The check ended before it was released: somebody killed it, and it has judged nothing.
    NeverBegan,
    /// Any other reason, in words for the submission's owner.
    Because(String),
}

impl HeldCheck {
    /// Starts `CHECKER check FOLDER --to-grader --seed SEED`. It judges nothing until it is released.
    pub fn start(checker: &Path, folder: &Path, seed: u64) -> Result<HeldCheck, String> {
        let failed = |error: io::Error| format!("the check could not be started: {error}");
        let scratch = Scratch::new().map_err(|error| error.to_string())?;
        let (line, theirs) = ToCheck::new().map_err(failed)?;
        let mut command = Command::new(checker);
        command.arg("check").arg(no_option(folder));
        command.args(["--to-grader", "--seed", &seed.to_string()]);
        command.env_clear();
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))));
        command.env("TMPDIR", scratch.path());
        let input = Stdio::from(theirs);
        let program =
            Program::start_with_input("the check", &mut command, Keep::UpTo(OUTPUT), input);
        Ok(HeldCheck {
            program: program.map_err(|error| error.to_string())?,
            line,
            _scratch: scratch,
        })
    }

    /// Waits until it says that no other program can look into it any more.
    pub fn wait_ready(mut self) -> Result<HeldCheck, String> {
        let deadline = Instant::now() + READY;
        match self.line.ready(deadline) {
            Ok(true) => Ok(self),
            Ok(false) => Err(match self.program.wait(READY) {
                Ok(finished) => without_report(&finished),
                Err(error) => error.to_string(),
            }),
            Err(_) => Err(format!("the check was not ready within {} s", READY.as_secs())),
        }
    }

    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Releases it, and waits for its report for at most `limit`.
    pub fn judge(mut self, lab: &Lab, seed: u64, limit: Duration) -> Result<Report, NoReport> {
        let because = |why: String| Err(NoReport::Because(why));
        let deadline = Instant::now() + limit;
        // A check that ran earlier may have stopped it.
        self.program.signal_group(Signal::CONT);
        if self.line.go().is_err() {
            return Err(NoReport::NeverBegan);
        }
        let too_late = || because(format!("the check did not end within {} s", limit.as_secs()));
        let bytes = match self.line.report(OUTPUT, deadline) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::TimedOut => return too_late(),
            Err(error) => return because(format!("the check handed in no report: {error}")),
        };
        // Once it has sent its report, it only has to end.
        let left = deadline.saturating_duration_since(Instant::now());
        let finished = match self.program.wait(left) {
            Ok(finished) => finished,
            Err(StageError::TimedOut { .. }) => return too_late(),
            Err(error) => return because(error.to_string()),
        };
        if bytes.is_empty() {
            return because(without_report(&finished));
        }
        match accept(&bytes, lab, seed) {
            // A check that sends a report and then ends with a different exit code can't be trusted.
            Ok(report) if finished.code != Some(exit_code(&report)) => {
                because(without_report(&finished))
            }
            result => result.map_err(NoReport::Because),
        }
    }
}

/// The exit code that goes with this report.
fn exit_code(report: &Report) -> i32 {
    if report.passed() { 0 } else { 1 }
}

/// Reads the report. There must be exactly one, about this lab, with its cases, rules and points, and nothing after it.
fn accept(bytes: &[u8], lab: &Lab, seed: u64) -> Result<Report, String> {
    let report: Report = serde_json::from_slice(bytes)
        .map_err(|error| format!("what the check handed in is not a report: {error}"))?;
    let told = report.cases.iter().map(|case| (case.id.as_str(), case.rule.as_str(), case.points));
    let cases = lab.cases.iter().map(|case| (case.id, case.rule, case.points));
    if report.lab != lab.name || report.seed != seed || !told.eq(cases) {
        return Err("the check reported on another lab: lab.toml changed meanwhile".to_owned());
    }
    Ok(report)
}

fn without_report(finished: &Finished) -> String {
    // If the submission couldn't be judged (a failed build, say), the reason is there.
    let said = String::from_utf8_lossy(&finished.stderr);
    let said = said.trim().strip_prefix("lab: ").unwrap_or(said.trim());
    let how = match (finished.code, finished.signal) {
        (Some(2 | 3), _) if !said.is_empty() => return said.to_owned(),
        (Some(code), _) => format!("the check ended (exit code {code}) without a report"),
        (None, signal) => format!("the check was ended by signal {}", signal.unwrap_or_default()),
    };
    format!("{how}\n{said}").trim_end().to_owned()
}

/// The path of a folder, written so that it can't be read as an option: `-x` is `./-x`.
fn no_option(folder: &Path) -> PathBuf {
    if folder.as_os_str().as_encoded_bytes().starts_with(b"-") {
        Path::new(".").join(folder)
    } else {
        folder.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;
    use crate::verdict::{CaseReport, Failure, Outcome};

    fn report(lab: &Lab) -> Report {
        let cases = lab.cases.iter().map(|case| CaseReport {
            id: case.id.to_owned(),
            rule: case.rule.to_owned(),
            points: case.points,
            outcome: Outcome::Passed,
            seconds: 0.25,
        });
        Report { lab: lab.name.to_owned(), seed: 7, cases: cases.collect(), seconds: 1.5 }
    }

    fn echo() -> &'static Lab {
        labs::find("echo").unwrap()
    }

    fn refused(text: &str) -> String {
        accept(text.as_bytes(), echo(), 7).unwrap_err()
    }

    fn text(report: &Report) -> String {
        serde_json::to_string(report).unwrap()
    }

    #[test]
    fn the_report_of_the_check_is_accepted_as_it_is() {
        let mut report = report(echo());
        assert_eq!(accept(text(&report).as_bytes(), echo(), 7).unwrap(), report);
        report.cases[0].outcome = Outcome::Failed(Box::default());
        assert_eq!(accept(text(&report).as_bytes(), echo(), 7).unwrap(), report);
    }

    #[test]
    fn two_reports_are_refused() {
        let one = text(&report(echo()));
        assert!(refused(&format!("{one}{one}")).contains("trailing characters"));
        assert!(refused(&format!("{one}\n{one}")).contains("trailing characters"));
    }

    #[test]
    fn bytes_after_or_before_the_report_are_refused() {
        let one = text(&report(echo()));
        assert!(refused(&format!("{one}x")).contains("trailing characters"));
        assert!(refused(&format!("{one}\0")).contains("trailing characters"));
        assert!(refused(&format!("x{one}")).contains("is not a report"));
        assert!(refused(&one[..one.len() - 1]).contains("is not a report"));
        assert!(refused("").contains("is not a report"));
    }

    #[test]
    fn a_member_that_is_not_known_is_refused_wherever_it_stands() {
        let mut report = report(echo());
        let failure = Failure { what: "it".to_owned(), ..Failure::default() };
        report.cases[0].outcome = Outcome::Failed(Box::new(failure));
        let one = text(&report);
        for (place, more) in [
            ("\"lab\":", "\"more\":1,\"lab\":"),
            ("\"id\":\"hello\"", "\"more\":1,\"id\":\"hello\""),
            ("\"what\":\"it\"", "\"more\":1,\"what\":\"it\""),
        ] {
            assert_eq!(one.matches(place).count(), 1, "{place} in {one}");
            let why = refused(&one.replacen(place, more, 1));
            assert!(why.contains("unknown field `more`"), "{why}");
        }
        let twice = one.replacen("\"lab\":", "\"lab\":\"echo\",\"lab\":", 1);
        assert!(refused(&twice).contains("duplicate field"));
    }

    #[test]
    fn a_report_on_another_lab_is_refused() {
        let good = report(echo());
        let other = |change: &dyn Fn(&mut Report)| {
            let mut report = good.clone();
            change(&mut report);
            assert_ne!(report, good);
            let why = refused(&text(&report));
            assert!(why.starts_with("the check reported on another lab"), "{why}");
        };
        other(&|report| report.lab = "frames".to_owned());
        other(&|report| report.seed = 8);
        other(&|report| report.cases.truncate(1));
        other(&|report| report.cases.push(report.cases[0].clone()));
        other(&|report| report.cases.swap(0, 1));
        other(&|report| report.cases[1].points += 1);
        other(&|report| report.cases[1].id = "hello".to_owned());
        other(&|report| report.cases[1].rule.clear());
        assert!(
            accept(text(&report(labs::find("frames").unwrap())).as_bytes(), echo(), 7).is_err()
        );
    }

    #[test]
    fn the_exit_code_is_that_of_a_check_with_this_report() {
        let mut report = report(echo());
        assert_eq!(exit_code(&report), 0);
        report.cases[1].outcome = Outcome::Failed(Box::default());
        assert_eq!(exit_code(&report), 1);
    }

    #[test]
    fn a_folder_is_no_option() {
        for (folder, passed) in
            [("-x", "./-x"), ("--case", "./--case"), ("a/-x", "a/-x"), ("/-x", "/-x"), ("x", "x")]
        {
            assert_eq!(no_option(Path::new(folder)).to_str().unwrap(), passed);
        }
    }
}
