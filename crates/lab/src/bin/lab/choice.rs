//! Works out what to check from what a student typed, or says what to type instead.

use std::fs;
use std::path::Path;

use lab::labs::{self, LABS, Lab};
use lab::{Submission, escape, near_misses, shown_name};
use stage::shell_quote_path;

use crate::wrap;

/// The lab and the program.
///
/// # Errors
/// What to type instead, when the words name no lab and no program.
pub fn choice(
    what: &Path,
    command: &[String],
    case: Option<&str>,
) -> Result<(&'static Lab, Submission), String> {
    let (lab, submission) = program(what, command)?;
    match case.filter(|id| lab.cases.iter().all(|case| case.id != *id)) {
        Some(unknown) => Err(format!("{} has no case {unknown:?}. {}", lab.name, cases(lab))),
        None => Ok((lab, submission)),
    }
}

fn program(path: &Path, command: &[String]) -> Result<(&'static Lab, Submission), String> {
    let lab = path.to_str().and_then(labs::find);
    let what = escape(&shown_name(path));
    match lab {
        Some(lab) if !command.is_empty() => {
            Ok((lab, Submission { command: command.to_vec(), ..Submission::default() }))
        }
        None if !command.is_empty() => Err(format!("no lab is called \"{what}\".{}", names())),
        Some(lab) if !looks_like_a_submission(path) => Err(format!(
            "which program should be checked? Put its command after --\n  scripts/lab.sh check {0} -- python3 \
             {1}.py\nor name the folder it is in. To start with one that fails:\n  scripts/lab.sh start {0} my-{0}\n  \
             scripts/lab.sh check my-{0}",
            lab.name,
            lab.name.replace('-', "_")
        )),
        None if !path.exists() => Err(format!(
            "there is no folder {what}, and no lab of that name.{}{}",
            folders(),
            names()
        )),
        None if path.is_file() => {
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            let folder = folder.unwrap_or(Path::new("."));
            Err(format!(
                "{what} is a file. Name the folder it is in:\n  scripts/lab.sh check {}",
                shell_quote_path(folder)
            ))
        }
        _ => Submission::read(path).map_err(|error| error.to_string()),
    }
}

/// A folder may have the same name as a lab. If its `lab.toml` is nearly right, the reason helps more than a question.
fn looks_like_a_submission(path: &Path) -> bool {
    path.join("lab.toml").exists() || !near_misses(path).is_empty()
}

fn names() -> String {
    let names: Vec<&str> = LABS.iter().map(|lab| lab.name).collect();
    let lines = wrap("", 2, &format!("The labs are: {}", names.join(", ")));
    format!("\n{}", lines.join("\n"))
}

/// The folders here that can be checked: the student may have mistyped the name of one.
fn folders() -> String {
    let found = fs::read_dir(".").into_iter().flatten().flatten();
    let mut names: Vec<String> = found
        .filter(|entry| entry.path().join("lab.toml").is_file())
        .map(|entry| shell_quote_path(Path::new(&entry.file_name())))
        .collect();
    names.sort();
    if names.is_empty() {
        return String::new();
    }
    let lines = wrap("", 2, &format!("Here you have: {}", names.join(", ")));
    format!("\n{}", lines.join("\n"))
}

fn cases(lab: &Lab) -> String {
    let all: Vec<String> = lab
        .cases
        .iter()
        .map(|case| wrap(&format!("\n  {:<18} ", case.id), 21, case.rule).join("\n"))
        .collect();
    format!("Its cases are:{}", all.concat())
}
