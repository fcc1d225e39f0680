//! One real program on the stage, in a process group of its own.

use crate::input::{READY, write_all};
use crate::output::{self, Keep, Line, Stream};
use crate::running::{self, Running, State};
use crate::shell_quote::shell_quote;
use crate::{Signal, StageError};
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How long the output of an ended program may stay open: a child of its own may still hold it.
const LINGER: Duration = Duration::from_secs(1);

/// A program that runs: we write its standard input, and read what it prints into memory as it arrives.
///
/// Dropping it ends it, with its process group: SIGTERM, a second later SIGTERM again, and SIGKILL after that. What has
/// left the group with `setsid` is out of reach.
pub struct Program {
    label: String,
    child: Child,
    stdin: Option<ChildStdin>,
    started: Instant,
    running: Arc<Running>,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it printed more on its standard output than was kept ([`Keep::Latest`]): then the beginning is missing.
    pub forgot: bool,
    /// Every byte of its standard output.
    pub stdout: Vec<u8>,
    /// Every byte of its standard error.
    pub stderr: Vec<u8>,
    /// The lines of both, in the order in which they were read.
    pub lines: Vec<Line>,
    /// From its start to its end.
    pub took: Duration,
    /// Whether a child of its own still held the output a second after the end. It was killed, so the rest of its output
    /// is missing.
    pub left_behind: bool,
}

impl Program {
    /// Starts a program. The label names it in errors.
    ///
    /// The command's standard streams and process group are set here; all else is the caller's.
    ///
    /// # Errors
    /// [`StageError::Start`] when the system refuses, the watchdog too ([`ending::tie_group`]); [`StageError::Ending`]
    /// after [`end_all`](crate::end_all).
    pub fn start(label: &str, command: &mut Command) -> Result<Program, StageError> {
        Program::start_keeping(label, command, Keep::UpTo(output::MOST))
    }

    /// Starts a program that isn't trusted, with a limit on how much of its output is kept.
    ///
    /// # Errors
    /// As [`start`](Program::start).
    pub fn start_keeping(
        label: &str,
        command: &mut Command,
        keep: Keep,
    ) -> Result<Program, StageError> {
        Program::start_with_input(label, command, keep, Stdio::piped())
    }

    /// As [`start_keeping`](Program::start_keeping), with a standard input whose other end the caller holds: nothing
    /// can be written to it here.
    ///
    /// # Errors
    /// As [`start`](Program::start).
    pub fn start_with_input(
        label: &str,
        command: &mut Command,
        keep: Keep,
        input: impl Into<Stdio>,
    ) -> Result<Program, StageError> {
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut registry = running::registry();
        if registry.ending {
            return Err(StageError::Ending);
        }
        let typed = command_line(command);
        let failed = |source| StageError::Start { command: typed.clone(), source };
        // The mark covers the moment between the start and the tie.
        ending::mark(command).map_err(failed)?;
        let mut child = command.spawn().map_err(failed)?;
        let pid = rustix::process::Pid::from_child(&child);
        let tied = ending::tie_group(pid);
        let running = Arc::new(Running::new(pid, keep));
        registry.programs.push(Arc::clone(&running));
        drop(registry);

        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // From here on a failure drops the program, and that ends it.
        let program =
            Program { label: label.to_owned(), child, stdin, started: Instant::now(), running };
        program.thread(|running| running.watch()).map_err(failed)?;
        program.running.lock().tied = Some(tied.map_err(failed)?);
        if let (Some(stdout), Some(stderr)) = (stdout, stderr) {
            program.thread(|running| running.listen(Stream::Stdout, stdout)).map_err(failed)?;
            program.thread(|running| running.listen(Stream::Stderr, stderr)).map_err(failed)?;
        }
        if let Some(stdin) = &program.stdin {
            rustix::io::ioctl_fionbio(stdin, true).map_err(|errno| failed(errno.into()))?;
        }
        Ok(program)
    }

    /// Waits for a whole line of one stream that begins with `prefix`, and returns it. A line said before counts.
    ///
    /// # Errors
    /// As [`wait_until`](Program::wait_until).
    pub fn wait_for_line(
        &self,
        stream: Stream,
        prefix: &str,
        within: Duration,
    ) -> Result<String, StageError> {
        self.wait_until(&format!("line \"{prefix}...\""), within, |lines| {
            let wanted = |line: &&Line| {
                line.stream == stream && line.whole && line.text.starts_with(prefix.as_bytes())
            };
            lines.iter().find(wanted).map(|line| String::from_utf8_lossy(&line.text).into_owned())
        })
    }

    /// Waits until `look` finds what it wants in the lines so far; `what` names it in errors.
    ///
    /// # Errors
    /// [`StageError::Ended`] as soon as the program has ended without it, [`StageError::TimedOut`], and
    /// [`StageError::TooMuch`] for a program that has run away.
    pub fn wait_until<T>(
        &self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&[Line]) -> Option<T>,
    ) -> Result<T, StageError> {
        let mut found = None;
        let state = self.wait_while(within, |state| {
            found = look(&state.output.lines);
            found.is_none()
        });
        found.ok_or_else(|| self.error(&state, what, within))
    }

    /// Waits until a server says `listening on ADDR`, and returns ADDR.
    ///
    /// # Errors
    /// As [`wait_until`](Program::wait_until), after ten seconds.
    pub fn address(&self) -> Result<String, StageError> {
        const LISTENING: &str = "listening on ";
        let line = self.wait_for_line(Stream::Stdout, LISTENING, READY)?;
        Ok(line[LISTENING.len()..].to_owned())
    }

    /// Writes to the program's standard input.
    ///
    /// # Errors
    /// [`StageError::Stdin`] when the program has closed it, or has not read for ten seconds and the pipe is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StageError> {
        let result = match &mut self.stdin {
            Some(stdin) => write_all(stdin, bytes),
            None => Err(io::Error::new(ErrorKind::BrokenPipe, "we closed it")),
        };
        result.map_err(|source| StageError::Stdin {
            label: self.label.clone(),
            source,
            said: self.said(),
        })
    }

    /// Ends the program's standard input: it reads to the end of what was written, then 0 bytes.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the process; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) {
        self.running.lock().signal(signal);
    }

    /// Sends a signal to the process and to all in its process group, as Ctrl-C in a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        self.running.lock().signal_group(signal);
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the program has said so far.
    pub fn said(&self) -> Vec<Line> {
        self.running.lock().output.lines.clone()
    }

    /// Ends standard input, and waits until the program has ended and all it said has been read.
    ///
    /// Whatever it left behind in its process group is killed, as when it is dropped.
    ///
    /// # Errors
    /// [`StageError::TimedOut`] or [`StageError::TooMuch`]; the program is ended then, as when it is dropped.
    pub fn wait(mut self, within: Duration) -> Result<Finished, StageError> {
        self.close_stdin();
        let state = self.wait_while(within, |_| true);
        let Some(ended) = state.ended.filter(|_| !state.too_much) else {
            return Err(self.error(&state, "end of the program", within));
        };
        Ok(Finished {
            code: ended.code,
            signal: ended.signal,
            forgot: state.output.forgot[Stream::Stdout as usize],
            stdout: state.output.bytes(Stream::Stdout),
            stderr: state.output.bytes(Stream::Stderr),
            lines: state.output.lines.clone(),
            took: ended.when.saturating_duration_since(self.started),
            left_behind: !state.output.is_closed(),
        })
    }

    /// Waits while `more` says so, the program can still print something, and there is time: all of `within` for the
    /// program to end, `LINGER` after its end for its last output.
    fn wait_while(
        &self,
        within: Duration,
        mut more: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + within;
        let mut state = self.running.lock();
        loop {
            let last_word = state.ended.map_or(deadline, |ended| ended.when + LINGER);
            let silent = state.ended.is_some() && state.output.is_closed();
            if !more(&state) || silent || state.too_much || Instant::now() >= last_word {
                return state;
            }
            state = self.running.wait(state, last_word);
        }
    }

    fn error(&self, state: &State, what: &str, within: Duration) -> StageError {
        let (label, waiting_for, said) =
            (self.label.clone(), what.to_owned(), state.output.lines.clone());
        match state.ended {
            _ if state.too_much => StageError::TooMuch { label },
            None => StageError::TimedOut { label, waiting_for, within, said },
            Some(ended) => {
                let how = match (ended.code, ended.signal) {
                    (Some(code), _) => format!("exit code {code}"),
                    (None, Some(signal)) => format!("signal {signal}"),
                    (None, None) => "nobody knows how".to_owned(),
                };
                StageError::Ended { label, waiting_for, how, said }
            }
        }
    }

    fn thread(&self, body: impl FnOnce(Arc<Running>) + Send + 'static) -> io::Result<()> {
        let running = Arc::clone(&self.running);
        thread::Builder::new().name(self.label.clone()).spawn(move || body(running)).map(drop)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.close_stdin();
        running::end(&[Arc::clone(&self.running)]);
        let mut state = self.running.lock();
        // Only a process that nothing can kill (stuck in the kernel) has not ended by now: do not wait for it.
        if state.ended.is_some() {
            // From here on its number may be somebody else's.
            state.tied = None;
            let _ = self.child.wait();
        }
        state.reaped = true;
        drop(state);
        running::registry().programs.retain(|other| !Arc::ptr_eq(other, &self.running));
    }
}

/// As you type it, for errors.
fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    shell_quote(&words)
}
