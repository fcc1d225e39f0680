//! The programs that the checker is tested on, how to start them, and how many at a time.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use lab::labs::Lab;
use lab::{CaseReport, Options, Outcome, Report, Submission};

/// Does all the jobs in any order, this many at a time, and returns the results in the order of the jobs. A job is a
/// check, which already runs its cases at the same time. Two tests in one file take turns.
pub fn side_by_side<J: Sync, R: Send>(
    at_once: usize,
    jobs: &[J],
    work: impl Fn(&J) -> R + Sync,
) -> Vec<R> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(job) = jobs.get(number)
                {
                    let result = work(job);
                    done.lock().unwrap().push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Plays the cases of a lab, all of them or just one, against a program.
pub fn check(lab: &Lab, command: &[String], seed: u64, case: Option<&str>) -> Report {
    let submission = Submission { command: command.to_vec(), ..Submission::default() };
    let options = Options { seed, case: case.map(str::to_owned), ..Options::default() };
    lab::check(lab, &submission, &options, &mut |_| {})
}

/// The command of a Rust program: an example of this package, which `cargo test` builds.
pub fn example(name: &str) -> Vec<String> {
    // This test is in target/debug/deps.
    let here = env::current_exe().unwrap();
    let path = here.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: run cargo build -p lab --examples", path.display());
    vec![path.display().to_string()]
}

/// The interpreter itself: if `python3` is a script that searches for one, each start takes a good part of a second.
/// `None` if there is no Python.
pub fn python() -> Option<PathBuf> {
    let mut ask = Command::new(stage::python()?);
    let said = ask.args(["-c", "import sys; print(sys.executable, end='')"]).output().unwrap();
    Some(String::from_utf8(said.stdout).unwrap().into())
}

/// The command of a Python program, by its path in this package.
pub fn script(python: &Path, path: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    assert!(path.is_file(), "there is no {}", path.display());
    // With -B, Python leaves no files in the folder.
    vec![python.display().to_string(), "-B".to_owned(), path.display().to_string()]
}

/// Whether to test this lab: all labs, or those that LAB_ONLY names (`LAB_ONLY=echo,frames`).
pub fn wanted(lab: &Lab) -> bool {
    env::var("LAB_ONLY").map_or(true, |only| only.split(',').any(|name| name == lab.name))
}

/// The first seeds: as many as LAB_SEEDS says, or `usual`.
pub fn seeds(usual: u64) -> Vec<u64> {
    let wanted = env::var("LAB_SEEDS").ok().map(|number| number.parse().unwrap());
    (0..wanted.unwrap_or(usual)).collect()
}

/// The cases that failed, each with what happened and how to replay it.
pub fn failures(report: &Report) -> Vec<String> {
    let failed = |case: &CaseReport| match &case.outcome {
        Outcome::Passed => None,
        Outcome::Failed(failure) => {
            let (id, what, seed) = (&case.id, &failure.what, report.seed);
            Some(format!("{} {id}, seed {seed}: {what}\n    {}", report.lab, failure.replay))
        }
    };
    report.cases.iter().filter_map(failed).collect()
}

/// The files of a folder of this package, sorted.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}
