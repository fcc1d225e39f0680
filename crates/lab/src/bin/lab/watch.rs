//! `lab watch`: checks again whenever a file changes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use clap::Args;
use lab::{PROGRESS_FILE, escape, shown_name};

use crate::check::{Check, refuse};

/// How often we look through the folder. Every system reports changes in its own way, but looking through a few files
/// takes less time than a person needs to save one.
const LOOK: Duration = Duration::from_millis(200);

/// How many files we look at. Nobody watches a whole home directory on purpose.
const MOST: usize = 5_000;

#[derive(Args)]
#[command(
    override_usage = "\
scripts/lab.sh watch [OPTIONS] <DIR|LAB>
       scripts/lab.sh watch [OPTIONS] <LAB> -- <COMMAND>...",
    after_help = "Examples:
  scripts/lab.sh watch my-echo                    the folder that `start` made
  scripts/lab.sh watch echo -- python3 echo.py    this folder, with a command of your own

Ctrl-C stops it. It watches the times and sizes of all files in the folder, except names that begin with a dot, target, Cargo.lock, __pycache__ and lab-progress.toml. Don't let your program write files there: each would count as a change."
)]
pub struct Watch {
    #[command(flatten)]
    check: Check,
}

impl Watch {
    pub fn run(self) -> io::Result<ExitCode> {
        if !io::stdout().is_terminal() {
            writeln!(
                io::stderr(),
                "lab: watch runs until Ctrl-C, and needs a terminal. For a single check: scripts/lab.sh check"
            )?;
            return Ok(ExitCode::from(2));
        }
        // No change to a file will fix a mistyped command.
        if let Err(why) = self.check.chosen() {
            return refuse(2, &why);
        }
        let folder = self.check.folder();
        if !folder.is_dir() {
            // The check says what to type instead.
            return self.check.run();
        }
        let mut known = look(&folder)?;
        let mut why = "the first check".to_owned();
        for number in 1_u64.. {
            writeln!(io::stdout(), "\n━━━━ {number} ━━━━ {why} ━━━━\n")?;
            self.check.clone().run()?;
            let shown = escape(&shown_name(&folder));
            writeln!(io::stdout(), "\nwaiting for a change in {shown} (Ctrl-C stops)")?;
            let changed = wait_for_change(&folder, &mut known)?;
            why = format!("{} changed", escape(&shown_name(changed)));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What we know about the files of a folder, by their paths in it.
type Known = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Waits until a file has changed, and then until nothing changes any more: some editors save a file in several steps.
/// A change made while a check was running counts.
fn wait_for_change(folder: &Path, known: &mut Known) -> io::Result<PathBuf> {
    loop {
        let mut now = look(folder)?;
        if let Some(changed) = difference(known, &now) {
            while now != *known {
                *known = now;
                sleep(LOOK);
                now = look(folder)?;
            }
            return Ok(changed);
        }
        sleep(LOOK);
    }
}

/// The first file that is new, gone or different.
fn difference(before: &Known, now: &Known) -> Option<PathBuf> {
    let new = now.iter().find(|(path, state)| before.get(*path) != Some(state));
    let gone = || before.iter().find(|(path, _)| !now.contains_key(*path));
    let changed = new.or_else(gone);
    changed.map(|(path, _)| path.clone())
}

fn look(folder: &Path) -> io::Result<Known> {
    let mut known = Known::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        let entries = match fs::read_dir(folder.join(&inner)) {
            // Only the folder itself has to exist: a file in it may disappear while we look.
            Err(error) if inner.as_os_str().is_empty() => return Err(error),
            entries => entries.into_iter().flatten().flatten(),
        };
        for entry in entries.filter(|entry| !ignored(&shown_name(entry.file_name()))) {
            let path = inner.join(entry.file_name());
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(path),
                Ok(found) => {
                    let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    known.insert(path, (changed, found.len()));
                }
                Err(_) => {}
            }
        }
        if known.len() > MOST {
            let folder = shown_name(folder);
            let what = format!("more than {MOST} files in {folder}: watch a smaller folder");
            return Err(io::Error::other(what));
        }
    }
    Ok(known)
}

fn ignored(name: &str) -> bool {
    name.starts_with('.')
        || name.ends_with('~')
        || ["target", "Cargo.lock", "__pycache__", PROGRESS_FILE].contains(&name)
}
