//! The student's program, while a case is played.

use std::cell::Cell;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use stage::{Finished, Keep, Line, Program, Signal, StageError, Stream};

use crate::harmless::{harmless, shown_name};
use crate::patience::Patience;
use crate::port::no_start;
use crate::turn::Turn;
use crate::{Broken, Fault, READY, Submission};

/// How much is kept of what it writes to stdout and stderr, in bytes. It may write more, and nobody waits for it to stop.
const OUTPUT: usize = 8 << 20;
/// How soon the kernel's tables are looked at again while we wait, at first and in the end. They may have thousands of
/// lines, and twenty cases look: together they would keep the programs from starting.
const LOOK: Duration = Duration::from_millis(3);
const SELDOM: Duration = Duration::from_millis(50);
/// What only a process can set for itself: no core files, no file above 64 MiB (in blocks of 512 bytes), a minute of
/// processor time, 1,024 descriptors, so that a program that leaks them fails on every machine, and the usual umask, as files
/// have modes. It does not get files that whoever started us has left open, as far as every shell can close them. Then the
/// shell becomes the program. A lower limit that stands already stays.
const LIMITS: &str = "umask 022; { ulimit -c 0; ulimit -f 131072; ulimit -t 60; ulimit -n 1024; } 2>/dev/null; \
    exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$@\"";

/// How long it has for its last words when it is told to end.
const GRACE: Duration = Duration::from_millis(300);

/// It runs in a process group of its own and is ended, with the group, when this is dropped.
pub(crate) struct Student {
    program: Program,
    /// Until it is ready: so long a few others wait before they start.
    starting: Cell<Option<Turn>>,
}

impl Student {
    /// Starts it with the address as its last argument.
    pub(crate) fn start(
        submission: &Submission,
        address: impl AsRef<OsStr>,
    ) -> Result<Student, Broken> {
        startable(submission).map_err(|why| {
            Broken::early(why, "Does the command start in a terminal, in that folder?")
        })?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", LIMITS, "sh"]).args(&submission.command).arg(address);
        if let Some(folder) = &submission.folder {
            command.current_dir(folder);
        }
        let turn = Turn::wait();
        let _no_port_is_tried = no_start();
        match Program::start_keeping("the program", &mut command, Keep::Latest(OUTPUT)) {
            Ok(program) => Ok(Student { program, starting: Cell::new(Some(turn)) }),
            Err(error) => Err(Broken::machine("start the program", error)),
        }
    }

    /// Waits until it listens: the kernel says so (`bound`), or the program does (`listening on ...`) and is to be
    /// `believed`.
    pub(crate) fn wait_ready(
        &self,
        mut bound: impl FnMut() -> bool,
        believed: impl Fn() -> bool,
        patience: &Patience,
    ) -> Result<(), Broken> {
        let (mut time, mut look) = (patience.wait_ready(READY), LOOK);
        loop {
            // Looked at after the time, too: on a busy machine it may be the checker that was kept waiting.
            let over = time.is_over();
            if bound() || (self.says_it_listens() && believed()) {
                self.is_ready();
                return Ok(());
            }
            if over {
                break;
            }
            match self.program.wait_until("it to listen", look, |_| None::<()>) {
                Ok(()) => return Ok(()),
                Err(StageError::TimedOut { .. }) => look = (look * 2).min(SELDOM),
                Err(StageError::Ended { how, .. }) => {
                    let what = format!("the program ended ({how}) before it listened");
                    return Err(Broken::ended(what));
                }
                Err(error) => return Err(Broken::new(Fault::Rule, error.to_string())),
            }
        }
        let claim = if self.says_it_listens() { "says that it listens, but it " } else { "" };
        let what = format!(
            "the program {claim}did not listen on the address (its last argument) within {} s",
            READY.as_secs()
        );
        Err(Broken::early(
            what,
            "The address is another one each time. Where does your program take it from?",
        ))
    }

    pub(crate) fn says_it_listens(&self) -> bool {
        self.program.said().iter().any(|line| line.text.starts_with(b"listening on "))
    }

    /// It has started: the next one may.
    pub(crate) fn is_ready(&self) {
        self.starting.set(None);
    }

    /// How it ended, if it has, or does within this time.
    pub(crate) fn ended(&self, within: Duration) -> Option<String> {
        match self.program.wait_until("", within, |_| None::<()>) {
            Err(StageError::Ended { how, .. }) => Some(how),
            _ => None,
        }
    }

    /// Whether it has ended, or ends in a moment, in another way than with exit code 0.
    pub(crate) fn has_failed(&self) -> bool {
        self.ended(GRACE).is_some_and(|how| how != "exit code 0")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Ends it as `kill -9` does, with its group.
    pub(crate) fn kill(&self) {
        self.program.signal_group(Signal::KILL);
    }

    /// Tells it to end, and ends it.
    pub(crate) fn stop(&self) {
        self.program.signal_group(Signal::TERM);
        self.ended(GRACE);
        self.program.signal_group(Signal::KILL);
    }

    /// Waits for its end.
    pub(crate) fn wait(
        mut self,
        patience: &Patience,
        within: Duration,
    ) -> Result<Finished, Broken> {
        self.program.close_stdin();
        let mut time = patience.wait(within);
        while !time.is_over() {
            let left = time.until().saturating_duration_since(Instant::now());
            match self.program.wait_until("its end", left, |_| None::<()>) {
                Err(StageError::TimedOut { .. }) => {}
                _ => {
                    let finished = self.program.wait(Duration::ZERO);
                    return finished.map_err(|error| Broken::new(Fault::Rule, error.to_string()));
                }
            }
        }
        let seconds = within.as_secs();
        Err(Broken::new(Fault::Open, format!("the program was still running after {seconds} s")))
    }

    /// Sends a signal to it and to all it started.
    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal_group(signal);
    }

    /// Its last lines, harmless to a terminal.
    pub(crate) fn said(&self) -> Vec<String> {
        last_lines(&self.program.said())
    }
}

/// The last twelve lines, shortened, with control characters escaped: a program must not paint over the report.
pub(crate) fn last_lines(lines: &[Line]) -> Vec<String> {
    let shown = |line: &Line| {
        let stream = if line.stream == Stream::Stdout { "stdout" } else { "stderr" };
        let text: String = String::from_utf8_lossy(&line.text).chars().take(200).collect();
        format!("{stream}: {}", harmless(&text))
    };
    lines[lines.len().saturating_sub(12)..].iter().map(shown).collect()
}

/// Whether the program is there and may be executed; if not, what to check, in a sentence or two.
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
            Err(format!("{name} may not be executed. Write: python3 {name}"))
        }
        Some(path) if !is_executable(&path) => {
            Err(format!("{name} may not be executed. If it is the program, run: chmod +x {name}"))
        }
        Some(_) => Ok(()),
        None if !name.contains('/') && folder.join(name).is_file() => {
            let typed = if python { format!("python3 {name}") } else { format!("./{name}") };
            Err(format!("no program is called {name}, but a file is. Did you mean: {typed}"))
        }
        None if name.contains(' ') && submission.command.len() == 1 => {
            let words: Vec<String> = name.split(' ').map(|word| format!("{word:?}")).collect();
            Err(format!(
                "there is no program {name:?}. Its arguments are words of their own: {name}, and in a lab.toml [{}]",
                words.join(", ")
            ))
        }
        None if name.contains('/') => Err(format!(
            "there is no program {name}. Is it built? Is the path right, seen from the folder that it runs in: {}",
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

    /// What is said of a command, in a folder with `tool`, `echo.py` (both not executable) and `folder/`.
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
        check(
            &["python3 a.py"],
            "there is no program \"python3 a.py\". Its arguments are words of",
        );
        check(&["./folder"], "./folder is a folder");
        check(
            &["./tool"],
            "./tool may not be executed. If it is the program, run: chmod +x ./tool",
        );
        check(&["./echo.py"], "./echo.py may not be executed. Write: python3 ./echo.py");
        check(&["tool"], "no program is called tool, but a file is. Did you mean: ./tool");
        check(
            &["echo.py"],
            "no program is called echo.py, but a file is. Did you mean: python3 echo.py",
        );
    }

    #[test]
    fn what_a_program_says_cannot_paint_over_the_report() {
        let line = |text: &str| Line {
            stream: Stream::Stderr,
            text: text.as_bytes().to_vec(),
            whole: true,
            when: Instant::now(),
        };
        let escapes = line("\u{1b}[2J\rpassed \u{202e}é");
        assert_eq!(last_lines(&[escapes]), ["stderr: \\u{1b}[2J\\rpassed \\u{202e}é"]);
        let shown = last_lines(&vec![line(&"x".repeat(10_000)); 50]);
        assert_eq!((shown.len(), shown[0].len()), (12, "stderr: ".len() + 200));
    }
}
