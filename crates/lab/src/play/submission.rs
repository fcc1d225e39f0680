//! What to start: a command and the folder it runs in, and whether it can be started.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::verdict::shown_name;

/// A student's program, and how to start it.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// The program and its arguments. The checker appends the address as the last one.
    pub command: Vec<String>,
    /// The folder it runs in; `None`: the current one.
    pub folder: Option<PathBuf>,
    /// The command that builds it, run once in the same folder; `None`: there is nothing to build.
    pub build: Option<Vec<String>>,
}

/// Whether the program exists and may be executed. If not, the error says what to check, in a sentence or two.
///
/// # Errors
/// The sentence.
pub fn startable(submission: &Submission) -> Result<(), String> {
    let folder = submission.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", shown_name(&folder)));
    }
    let name = match submission.command.first() {
        Some(name) if !name.is_empty() => name,
        _ => return Err("the command is empty: it needs the name of a program".to_owned()),
    };
    let found = if name.contains('/') {
        Some(folder.join(name)).filter(|path| path.exists())
    } else {
        let path = env::var_os("PATH").unwrap_or_default();
        let is_there = |path: &PathBuf| path.is_file() && is_executable(path);
        env::split_paths(&path).map(|place| place.join(name)).find(is_there)
    };
    let python = name.ends_with(".py");
    match found {
        Some(path) if path.is_dir() => Err(format!("{name} is a folder, not a program")),
        Some(path) if !is_executable(&path) && python => {
            Err(format!("{name} isn't executable. Write: python3 {name}"))
        }
        Some(path) if !is_executable(&path) => {
            Err(format!("{name} isn't executable. If it is the program, run: chmod +x {name}"))
        }
        Some(_) => Ok(()),
        None if !name.contains('/') && folder.join(name).is_file() => {
            let typed = if python { format!("python3 {name}") } else { format!("./{name}") };
            Err(format!("no program is called {name}, but a file is. Did you mean: {typed}"))
        }
        None if name.contains(' ') && submission.command.len() == 1 => {
            let words: Vec<String> = name.split(' ').map(|word| format!("{word:?}")).collect();
            Err(format!(
                "there is no program {name:?}. Write its arguments as separate words: {name}, and in a lab.toml [{}]",
                words.join(", ")
            ))
        }
        None if name.contains('/') => Err(format!(
            "there is no program {name}. Is it built? Is the path right, as seen from the folder it runs in: {}",
            shown_name(fs::canonicalize(&folder).unwrap_or(folder))
        )),
        None => Err(format!(
            "there is no program {name}. Is it installed? A program of your own needs its path: ./{name}"
        )),
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;

    /// What the error says about a command, in a folder with `tool`, `echo.py` (both not executable) and `folder/`.
    fn check(command: &[&str], expected: &str) {
        let scratch = Scratch::new().unwrap();
        for file in ["tool", "echo.py"] {
            fs::write(scratch.path().join(file), "").unwrap();
        }
        fs::create_dir(scratch.path().join("folder")).unwrap();
        let command = command.iter().map(|word| word.to_string()).collect();
        let submission = Submission {
            command,
            folder: Some(scratch.path().to_owned()),
            ..Submission::default()
        };
        let error = startable(&submission).err().unwrap_or_default();
        assert!(error.starts_with(expected) && error.is_empty() == expected.is_empty(), "{error}");
    }

    #[test]
    fn what_cannot_be_started_is_explained() {
        check(&["sh", "no-such-file"], "");
        check(&[], "the command is empty");
        check(&["no-such-program"], "there is no program no-such-program. Is it installed?");
        check(&["./no-such-program"], "there is no program ./no-such-program. Is it built?");
        check(&["python3 a.py"], "there is no program \"python3 a.py\". Write its arguments as");
        check(&["./folder"], "./folder is a folder");
        check(&["./tool"], "./tool isn't executable. If it is the program, run: chmod +x ./tool");
        check(&["./echo.py"], "./echo.py isn't executable. Write: python3 ./echo.py");
        check(&["tool"], "no program is called tool, but a file is. Did you mean: ./tool");
        check(
            &["echo.py"],
            "no program is called echo.py, but a file is. Did you mean: python3 echo.py",
        );
    }
}
