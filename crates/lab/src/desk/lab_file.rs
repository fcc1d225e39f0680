//! What to judge, as described by `lab.toml` in the student's folder, and how to build it.
//!
//! ```toml
//! lab = "echo"
//! command = ["./target/debug/echo"]
//! build = ["cargo", "build", "--quiet"]   # may be left out
//! ```

use std::fmt::{self, Display, Formatter};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use stage::{Finished, Keep, Line, Program, StageError, shell_quote};

use super::near_miss::near_misses;
use super::small_file::{SmallFile, small_file};
use crate::labs::{self, LABS, Lab};
use crate::play::{Submission, last_lines};
use crate::verdict::shown_name;

/// How long a build may take.
pub const BUILD_TIMEOUT: Duration = Duration::from_secs(120);

/// The file in a student's folder that says what to judge.
const FILE: &str = "lab.toml";
/// A `lab.toml` has three lines. Anything longer than this wasn't meant for us.
const MOST: u64 = 64 << 10;
/// How much a build may print, in bytes. If it prints more, something is wrong with it.
const OUTPUT: usize = 8 << 20;

/// No core files; and, like the program itself, it doesn't get any files that our caller has left open.
const LIMITS: &str = "ulimit -c 0; exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$@\"";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabFile {
    lab: String,
    command: Vec<String>,
    build: Option<Vec<String>>,
}

impl Submission {
    /// Reads `lab.toml` in `folder`: the lab it is for, and the submission.
    ///
    /// It has to be a regular file, not a link: a link could lead to a private file, and an error quotes what is in it.
    ///
    /// # Errors
    /// [`SubmissionError`] when there is no such file, or it doesn't say what to judge.
    pub fn read(folder: &Path) -> Result<(&'static Lab, Submission), SubmissionError> {
        let path = folder.join(FILE);
        let Some(text) = read_text(&path)? else {
            return Err(SubmissionError::Missing { path, near: near_misses(folder) });
        };
        let file: LabFile = toml::from_str(&text).map_err(|error| SubmissionError::Toml {
            path: path.clone(),
            why: error.to_string().trim_end().to_owned(),
        })?;
        let Some(lab) = labs::find(&file.lab) else {
            return Err(SubmissionError::UnknownLab { path, name: file.lab });
        };
        for (key, words) in [("command", Some(&file.command)), ("build", file.build.as_ref())] {
            if words.is_some_and(|words| words.first().is_none_or(String::is_empty)) {
                return Err(SubmissionError::NoProgram { path, key });
            }
        }
        let folder = Some(folder.to_owned());
        Ok((lab, Submission { command: file.command, folder, build: file.build }))
    }

    /// Runs the build command, if there is one, and ends any process that it leaves behind.
    ///
    /// # Errors
    /// [`SubmissionError::Build`] when it doesn't start, fails, doesn't end within [`BUILD_TIMEOUT`], or prints without
    /// end.
    pub fn build(&self) -> Result<(), SubmissionError> {
        self.build_within(BUILD_TIMEOUT)
    }

    fn build_within(&self, within: Duration) -> Result<(), SubmissionError> {
        let Some(words) = &self.build else { return Ok(()) };
        let failed = |why: String, said: &[Line]| SubmissionError::Build {
            command: shell_quote(words),
            why,
            said: last_lines(said),
        };
        let mut command = Command::new("/bin/sh");
        // Run through the shell, as the program itself is: then `./build.sh` means a file of this folder on every
        // system.
        command.args(["-c", LIMITS, "sh"]).args(words);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let finished = Program::start_keeping("the build", &mut command, Keep::UpTo(OUTPUT))
            .and_then(|program| program.wait(within));
        match finished {
            Ok(Finished { code: Some(0), .. }) => Ok(()),
            Ok(Finished { code: Some(code), lines, .. }) => {
                Err(failed(format!("ended with exit code {code}"), &lines))
            }
            Ok(Finished { signal, lines, .. }) => {
                Err(failed(format!("was ended by signal {}", signal.unwrap_or_default()), &lines))
            }
            Err(StageError::TimedOut { said, .. }) => {
                Err(failed(format!("did not end within {} s", within.as_secs()), &said))
            }
            Err(error) => Err(failed(format!("failed: {error}"), &[])),
        }
    }
}

/// The text of a small regular file; `None` if there is none.
fn read_text(path: &Path) -> Result<Option<String>, SubmissionError> {
    let unreadable = |why: String| SubmissionError::Unreadable { path: path.to_owned(), why };
    let bytes = match small_file(path, MOST) {
        Ok(SmallFile { bytes, .. }) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error.to_string())),
    };
    String::from_utf8(bytes).map(Some).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}

/// Why a folder can't be judged, in words that help its owner to fix it.
#[derive(Debug)]
pub enum SubmissionError {
    /// There is no `lab.toml`.
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// What is there instead, and what to do about it (see [`near_misses`]).
        near: Vec<String>,
    },
    /// There is one, but it can't be read.
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// It isn't valid TOML, or a key is missing, unknown, or of the wrong type.
    Toml {
        /// Where.
        path: PathBuf,
        /// What the parser says, with the line.
        why: String,
    },
    /// It names a lab that does not exist.
    UnknownLab {
        /// Where.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A command names no program.
    NoProgram {
        /// Where.
        path: PathBuf,
        /// `command` or `build`.
        key: &'static str,
    },
    /// The build command failed.
    Build {
        /// The command, as typed.
        command: String,
        /// How it failed: `ended with exit code 101`.
        why: String,
        /// The last lines it printed.
        said: Vec<String>,
    },
}

impl Display for SubmissionError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const EXAMPLE: &str = "[\"python3\", \"echo.py\"]";
        match self {
            Self::Missing { path, near } if !near.is_empty() => {
                write!(f, "there is no {}; {}", shown_name(path), near.join("; "))
            }
            Self::Missing { path, .. } => write!(
                f,
                "there is no {}: write one that names the lab and the command\n  lab = \"echo\"\n  \
                 command = {EXAMPLE}",
                shown_name(path)
            ),
            Self::Unreadable { path, why } => write!(f, "cannot read {}: {why}", shown_name(path)),
            Self::Toml { path, why } => write!(
                f,
                "{} is not right: {why}\nit may contain: lab = \"NAME\", command = [\"PROGRAM\", ...], build = \
                 [\"PROGRAM\", ...]",
                shown_name(path)
            ),
            Self::UnknownLab { path, name } => {
                let names: Vec<&str> = LABS.iter().map(|lab| lab.name).collect();
                write!(f, "{}: no lab is called {name:?}; ", shown_name(path))?;
                write!(f, "there are: {}", names.join(", "))
            }
            Self::NoProgram { path, key } => write!(
                f,
                "{}: {key} names no program; write it and its arguments as a list: {key} = {EXAMPLE}",
                shown_name(path)
            ),
            Self::Build { command, why, said } => {
                write!(f, "the build command {why}: {command}")?;
                said.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
        }
    }
}

impl std::error::Error for SubmissionError {}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;
    use std::fs;

    fn folder(text: &str) -> Scratch {
        let scratch = Scratch::new().unwrap();
        fs::write(scratch.path().join(FILE), text).unwrap();
        scratch
    }

    fn error(text: &str) -> String {
        let folder = folder(text);
        let error = Submission::read(folder.path()).unwrap_err().to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn a_lab_file_names_the_lab_and_the_commands() {
        let folder = folder(
            "lab = \"echo\"\ncommand = [\"./echo\", \"-x\"]\nbuild = [\"cc\", \"echo.c\"]\n",
        );
        let (lab, submission) = Submission::read(folder.path()).unwrap();
        assert_eq!(lab.name, "echo");
        assert_eq!(submission.command, ["./echo", "-x"]);
        assert_eq!(submission.build.unwrap(), ["cc", "echo.c"]);
        assert_eq!(submission.folder.unwrap(), folder.path());
    }

    #[test]
    fn what_is_wrong_with_a_lab_file_is_said() {
        let unknown = error("lab = \"echo\"\ncommand = [\"a\"]\ncomand = 1\n");
        assert!(unknown.starts_with("DIR/lab.toml is not right: TOML parse error"), "{unknown}");
        assert!(unknown.contains("expected one of `lab`, `command`, `build`"), "{unknown}");
        assert!(error("lab = \"echo\"\n").contains("missing field `command`"));
        assert!(error("lab = \"echo\"\ncommand = \"./echo\"\n").contains("it may contain: lab ="));
        assert!(error("lab = \"ecko\"\ncommand = [\"a\"]\n").contains("\"ecko\"; there are: echo"));
        assert!(error("lab = \"echo\"\ncommand = []\n").contains("command names no program"));
        assert!(
            error("lab = \"echo\"\ncommand = [\"a\"]\nbuild = [\"\"]").contains("build names no")
        );
        assert!(error(&"#".repeat(70_000)).contains("more than 65536 bytes"));
    }

    #[test]
    fn a_missing_file_and_a_link_are_refused() {
        let scratch = Scratch::new().unwrap();
        let missing = Submission::read(scratch.path()).unwrap_err();
        assert!(missing.to_string().contains("lab = \"echo\""), "{missing}");
        std::os::unix::fs::symlink("/etc/hostname", scratch.path().join(FILE)).unwrap();
        let link = Submission::read(scratch.path()).unwrap_err();
        assert!(link.to_string().ends_with("it is a link"), "{link}");
    }

    #[test]
    fn what_there_is_instead_of_a_lab_file_is_said_and_what_to_do() {
        let scratch = Scratch::new().unwrap();
        fs::write(scratch.path().join("Lab.tml"), "").unwrap();
        fs::write(scratch.path().join("echo.zip"), "").unwrap();
        let missing = Submission::read(scratch.path()).unwrap_err().to_string();
        assert_eq!(
            missing.replace(&scratch.path().display().to_string(), "DIR"),
            "there is no DIR/lab.toml; Lab.tml is nearly right: rename it to lab.toml; \
             echo.zip is still packed: unpack it"
        );
    }

    fn build(script: &str, within: Duration) -> Result<(), String> {
        let folder = folder("");
        let submission = Submission {
            folder: Some(folder.path().to_owned()),
            build: Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec()),
            ..Submission::default()
        };
        submission.build_within(within).map_err(|error| error.to_string())
    }

    #[test]
    fn a_build_runs_in_its_folder_and_is_bounded() {
        assert_eq!(build("test -f lab.toml", BUILD_TIMEOUT), Ok(()));
        assert_eq!(
            build("echo no such type >&2; exit 7", BUILD_TIMEOUT).unwrap_err(),
            "the build command ended with exit code 7: /bin/sh -c 'echo no such type >&2; exit 7'\n  \
             stderr: no such type"
        );
        let hangs = build("sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(hangs.starts_with("the build command did not end within 0 s"), "{hangs}");
        let floods = build("yes", BUILD_TIMEOUT).unwrap_err();
        assert!(floods.contains("it has run away"), "{floods}");
    }

    #[test]
    fn nothing_to_build_is_no_failure() {
        assert!(Submission::default().build().is_ok());
    }
}
