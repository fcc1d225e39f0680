//! A student's progress, in a readable file in the student's folder.
//!
//! ```toml
//! # Written by scripts/lab.sh: what you have reached. Delete it to begin anew.
//!
//! [echo]
//! best = 1
//! of = 3
//! last = 1
//! attempts = 4
//! hints = 2
//! checked = 2026-01-31T09:30:00Z
//! failed = "cut-everywhere"
//! ```

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::progress_file::{Kept, ProgressFile};
use crate::labs::{self, Lab};
use crate::verdict::{Outcome, Report, shown_name};

const HEAD: &str = "# Written by scripts/lab.sh: your progress. Delete it to start over.\n\n";

/// The progress in all labs, as the file had it when it was last read.
///
/// If several checks run at the same time, each adds to what is in the file at that moment: the file is locked and
/// read, and the new one is written beside it and renamed.
#[derive(Debug)]
pub struct Progress {
    file: ProgressFile,
    labs: BTreeMap<String, Standing>,
    notice: Option<String>,
}

/// The progress in one lab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// The most points that a check of all cases has given.
    pub best: u32,
    /// The points that the lab has in all.
    pub of: u32,
    /// The points of the last check.
    pub last: u32,
    /// How many times all cases were checked.
    pub attempts: u32,
    /// How many hints the student has seen.
    pub hints: usize,
    /// When it was last checked, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<Datetime>,
    /// The case that failed in the last check; the first, if there were several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl Standing {
    /// Whether the student has reached all points of the lab in its present form.
    pub fn passed(&self, lab: &Lab) -> bool {
        self.best > 0 && self.best >= lab.max_score()
    }
}

impl Progress {
    /// The progress of the current folder: the nearest file of ours here or further up, or else a new one that is
    /// created here when there is something to record.
    ///
    /// # Errors
    /// When a file can't be read. A damaged file is not an error: it is set aside. A file that isn't ours, or isn't a
    /// regular file, is not an error either: we leave it alone and record nothing. [`notice`](Progress::notice) says
    /// so.
    pub fn open() -> io::Result<Progress> {
        Progress::from_file(ProgressFile::nearest(&env::current_dir()?))
    }

    /// The progress recorded in this folder.
    ///
    /// # Errors
    /// As [`open`](Progress::open).
    pub fn in_folder(folder: &Path) -> io::Result<Progress> {
        Progress::from_file(ProgressFile::in_folder(folder))
    }

    fn from_file(file: ProgressFile) -> io::Result<Progress> {
        let mut progress = Progress { file, labs: BTreeMap::new(), notice: None };
        // We need the lock only to set a file aside.
        let damaged = match progress.file.read()? {
            Kept::Ours(bytes) => parse(&bytes).is_err(),
            Kept::Nothing | Kept::Other(_) => false,
        };
        let _lock = if damaged { Some(progress.file.lock()?) } else { None };
        progress.read()?;
        Ok(progress)
    }

    /// Where it is recorded.
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    /// What to tell the student if the file can't be used.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The progress in a lab.
    pub fn standing(&self, lab: &Lab) -> Standing {
        self.labs.get(lab.name).cloned().unwrap_or_default()
    }

    /// Adds a check. A check that didn't play every case of its lab changes nothing.
    ///
    /// # Errors
    /// When the file can't be read or written. It is then unchanged.
    pub fn record(&mut self, report: &Report) -> io::Result<()> {
        let Some(lab) = labs::find(&report.lab) else { return Ok(()) };
        if report.cases.len() != lab.cases.len() {
            return Ok(());
        }
        let failed = report.cases.iter().find(|case| case.outcome != Outcome::Passed);
        self.change(lab, |standing| {
            standing.best = standing.best.max(report.score());
            (standing.last, standing.of) = (report.score(), report.max_score());
            standing.attempts = standing.attempts.saturating_add(1);
            standing.checked = now();
            standing.failed = failed.map(|case| case.id.clone());
        })
    }

    /// Takes the next hint of a lab, out of `of`; `None` when all were taken. Hints are counted from 0.
    ///
    /// # Errors
    /// As [`record`](Progress::record).
    pub fn take_hint(&mut self, lab: &Lab, of: usize) -> io::Result<Option<usize>> {
        let mut taken = None;
        self.change(lab, |standing| {
            if standing.hints < of {
                taken = Some(standing.hints);
                standing.hints += 1;
            }
        })?;
        Ok(taken)
    }

    fn change(&mut self, lab: &Lab, change: impl FnOnce(&mut Standing)) -> io::Result<()> {
        let _lock = self.file.lock()?;
        let before = self.read()?;
        change(self.labs.entry(lab.name.to_owned()).or_default());
        let text = toml::to_string(&self.labs).map_err(io::Error::other)?;
        self.file.write(&format!("{HEAD}{text}"), &before)
    }

    fn read(&mut self) -> io::Result<Kept> {
        self.labs.clear();
        let kept = self.file.read()?;
        let path = shown_name(self.path());
        match &kept {
            Kept::Nothing => {}
            Kept::Ours(bytes) => match parse(bytes) {
                Ok(labs) => self.labs = labs,
                Err(reason) => {
                    let aside = shown_name(self.file.set_aside()?);
                    self.notice = Some(format!(
                        "{path} could not be understood, and was set aside as {aside}: fix it and rename it back, or \
                         carry on without it\n{reason}"
                    ));
                    return Ok(Kept::Nothing);
                }
            },
            Kept::Other(what) => {
                self.notice = Some(format!(
                    "{path} isn't your progress file: {what}. It is neither read nor written, so nothing is saved: \
                     remove or rename it, or work in another folder"
                ));
            }
        }
        Ok(kept)
    }
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Standing>, String> {
    let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
    toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
}

/// The time in TOML's form, to the second. Days are counted from 1 March of the year 0, so that a leap day is the last
/// day of its year.
fn now() -> Option<Datetime> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    date(seconds).parse().ok()
}

fn date(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = 400 * era + year + later;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use stage::Scratch;

    use super::*;
    use crate::desk::progress_file::PROGRESS_FILE;
    use crate::verdict::CaseReport;

    #[test]
    fn the_best_result_is_kept_and_the_last() {
        let scratch = Scratch::new().unwrap();
        let mut progress = Progress::in_folder(scratch.path()).unwrap();
        let lab = labs::LABS[0];
        progress.record(&report(lab, 1)).unwrap();
        progress.record(&report(lab, 0)).unwrap();
        let standing = Progress::in_folder(scratch.path()).unwrap().standing(lab);
        assert_eq!((standing.best, standing.last, standing.attempts), (lab.cases[0].points, 0, 2));
        assert_eq!(standing.of, lab.max_score());
        assert_eq!(standing.failed.as_deref(), Some(lab.cases[0].id));
        assert!(!standing.passed(lab) && standing.checked.is_some());
        progress.record(&report(lab, lab.cases.len())).unwrap();
        let standing = progress.standing(lab);
        assert!(standing.passed(lab) && standing.failed.is_none(), "{standing:?}");
    }

    #[test]
    fn a_check_of_one_case_changes_nothing() {
        let scratch = Scratch::new().unwrap();
        let mut progress = Progress::in_folder(scratch.path()).unwrap();
        let mut report = report(labs::LABS[0], 9);
        report.cases.truncate(1);
        progress.record(&report).unwrap();
        assert!(!progress.path().exists());
    }

    #[test]
    fn hints_come_one_by_one_and_end() {
        let scratch = Scratch::new().unwrap();
        let lab = labs::LABS[0];
        let mut progress = Progress::in_folder(scratch.path()).unwrap();
        let taken: Vec<_> = (0..4).map(|_| progress.take_hint(lab, 3).unwrap()).collect();
        assert_eq!(taken, [Some(0), Some(1), Some(2), None]);
        assert_eq!(progress.standing(lab).hints, 3);
    }

    #[test]
    fn records_made_side_by_side_are_all_kept() {
        let scratch = Scratch::new().unwrap();
        let lab = labs::LABS[0];
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    // Each thread opens the file itself, as a process would.
                    let mut progress = Progress::in_folder(scratch.path()).unwrap();
                    for _ in 0..10 {
                        progress.record(&report(lab, 0)).unwrap();
                    }
                });
            }
        });
        let progress = Progress::in_folder(scratch.path()).unwrap();
        assert_eq!(progress.standing(lab).attempts, 80);
        assert_eq!(progress.notice(), None);
        // No other file is left in the folder.
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_said() {
        let scratch = Scratch::new().unwrap();
        for (number, damage) in [(1, &b"[echo]\nbest = many\n"[..]), (2, b"\xff\xfe")] {
            fs::write(scratch.path().join(PROGRESS_FILE), damage).unwrap();
            let mut progress = Progress::in_folder(scratch.path()).unwrap();
            let kept = format!("lab-progress.damaged-{number}.toml");
            assert!(progress.notice().unwrap().contains(&kept), "{:?}", progress.notice());
            assert_eq!(fs::read(scratch.path().join(kept)).unwrap(), damage);
            progress.record(&report(labs::LABS[0], 0)).unwrap();
            assert_eq!(Progress::in_folder(scratch.path()).unwrap().notice(), None);
        }
    }

    #[test]
    fn what_is_not_our_file_counts_nothing_and_is_left_alone() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().join(PROGRESS_FILE);
        let theirs = scratch.path().join("theirs");
        fs::write(&theirs, "[echo]\nbest = 999\n").unwrap();
        std::os::unix::fs::symlink("theirs", &path).unwrap();
        let mut progress = Progress::in_folder(scratch.path()).unwrap();
        assert_eq!(progress.standing(labs::LABS[0]), Standing::default());
        let notice = progress.notice().unwrap();
        assert!(
            notice.contains("isn't your progress file: it is a link. It is neither"),
            "{notice}"
        );
        assert_eq!(
            progress.record(&report(labs::LABS[0], 0)).unwrap_err().to_string(),
            "it is a link"
        );
        assert_eq!(progress.take_hint(labs::LABS[0], 3).unwrap_err().to_string(), "it is a link");
        assert_eq!(fs::read_to_string(theirs).unwrap(), "[echo]\nbest = 999\n");
        assert!(path.is_symlink());
    }

    #[test]
    fn what_the_file_says_of_a_lab_that_is_not_known_stays() {
        let scratch = Scratch::new().unwrap();
        fs::write(scratch.path().join(PROGRESS_FILE), "[carrier-pigeon]\nbest = 4\n").unwrap();
        let mut progress = Progress::in_folder(scratch.path()).unwrap();
        progress.record(&report(labs::LABS[0], 0)).unwrap();
        let text = fs::read_to_string(progress.path()).unwrap();
        assert!(text.starts_with(HEAD) && text.contains("[carrier-pigeon]\nbest = 4\n"), "{text}");
    }

    #[test]
    fn the_calendar() {
        // The expected dates are from `date -u -d @N`.
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(date(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    /// A check in which the first `passed` cases passed.
    fn report(lab: &Lab, passed: usize) -> Report {
        let cases = lab.cases.iter().enumerate().map(|(number, case)| CaseReport {
            id: case.id.to_owned(),
            rule: case.rule.to_owned(),
            points: case.points,
            outcome: if number < passed { Outcome::Passed } else { failed() },
            seconds: 0.0,
        });
        Report { lab: lab.name.to_owned(), seed: 0, cases: cases.collect(), seconds: 0.0 }
    }

    fn failed() -> Outcome {
        Outcome::Failed(Box::default())
    }
}
