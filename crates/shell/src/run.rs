//! One command, within bounds: its output, its status, and nothing of it left behind.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ending::Tied;
use observe::parse_seconds;
use proto::json::Status;
use rustix::event::{PollFd, PollFlags};
use rustix::io::{ioctl_fionbio, retry_on_intr};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::caller::{Caller, CallerGone};
use crate::output::{Output, add_line};
use crate::poll::poll;
use crate::slots::{self, MAX_RUNNING, Slot};

/// How long a child that a command left behind may hold the pipes, and so the answer.
const HOLD: Duration = Duration::from_millis(200);

/// The longest command, in bytes: Linux takes no longer argument (execve(2), MAX_ARG_STRLEN).
pub const MAX_COMMAND: usize = 128 * 1024 - 1;

/// How long a command that was killed may take to end. One that has become another user's, or is
/// stuck in the kernel, is not waited for.
const KILLED: Duration = Duration::from_secs(1);

/// What one read takes: as much as a Linux pipe holds, so that one pass empties both.
const CHUNK: usize = 64 * 1024;

/// How much address space a long output gets at once. Only the part that's written to costs memory,
/// and all of it goes back to the system afterwards. In smaller steps it wouldn't: glibc's allocator
/// keeps freed pieces of up to 32 MiB for later (mallopt(3), M_MMAP_THRESHOLD), which after thirty
/// long answers was 250 MB.
const ROOM: usize = 33 << 20;

/// The bounds of each command.
#[derive(clap::Args, Clone, Debug)]
pub struct Limits {
    /// Kill a command that still runs after this time; what it said until then is answered
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = parse_seconds)]
    pub timeout: Duration,

    /// Kill a command that says more than this, stdout and stderr together; the first part is
    /// answered
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    pub max_output: usize,
}

/// Runs `command` with `/bin/sh -c` for `caller` and waits for it.
///
/// Its standard input is empty, its output is collected from both pipes at once, and its whole
/// process group is gone when this returns. A child that it leaves in the background holds the
/// answer for 200 ms at most, and one that survives its kill for a second. When [`MAX_RUNNING`](crate::MAX_RUNNING) commands run already, this
/// one first waits for its turn, no longer than its timeout.
///
/// A command that cannot be run (a NUL byte, too long for the system, no process or descriptor
/// left, no turn) is no error here: the [`Output`] says why in one line, and the connection lives.
///
/// # Errors
/// [`CallerGone`]: nobody waits for the answer any more. The command was killed.
pub fn run(command: &[u8], limits: &Limits, caller: &Caller<'_>) -> Result<Output, CallerGone> {
    let Some(slot) = Slot::take(limits.timeout, caller)? else {
        return Ok(Output::not_run(
            126,
            &format!("busy: {MAX_RUNNING} commands are running; try again in a moment"),
        ));
    };
    let mut running = match Running::start(command, slot) {
        Ok(running) => running,
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
            return Ok(Output::not_run(code, &format!("cannot run this command: {error}")));
        }
    };
    let end = running.watch(limits, caller);
    let [stdout, mut stderr] = running.pipes.each_mut().map(|pipe| std::mem::take(&mut pipe.kept));
    let status = running.finish();
    if status.is_none() {
        add_line(&mut stderr, &stdout, "this command could not be killed: it runs on");
    }
    match end {
        End::CallerGone => Err(CallerGone),
        End::Failed(error) => {
            Ok(Output::not_run(126, &format!("lost sight of this command and killed it: {error}")))
        }
        End::Complete | End::Deadline | End::Full => Ok(Output {
            stdout,
            stderr,
            status,
            truncated: matches!(end, End::Full),
            timed_out: matches!(end, End::Deadline),
        }),
    }
}

/// Why nobody looks at the command any longer.
enum End {
    Complete,
    Deadline,
    Full,
    CallerGone,
    Failed(io::Error),
}

struct Running {
    shell: Child,
    tied: Tied,
    slot: Slot,
    pipes: [Pipe; 2],
    /// Ends (no byte ever comes) when the shell has exited.
    exit: PipeReader,
    waiter: JoinHandle<()>,
    exited: bool,
    /// Takes over a command that survives its kill.
    survivors: mpsc::Sender<Survivor>,
}

/// A command that nobody waits for any more: its number stays its own until it has ended.
type Survivor = (Child, Tied);

struct Pipe {
    from: Option<PipeReader>,
    kept: Vec<u8>,
}

impl Running {
    fn start(command: &[u8], mut slot: Slot) -> io::Result<Running> {
        // All that can fail comes before the process: the pipes, and the thread that waits for it
        // and says so.
        let (exit, notice) = pipe()?;
        let (stdout, to_stdout) = pipe()?;
        let (stderr, to_stderr) = pipe()?;
        let (started, shell) = mpsc::channel();
        let (survivors, survivor) = mpsc::channel::<Survivor>();
        let waiter = thread::Builder::new().name("command".into()).spawn(move || {
            if let Ok(shell) = shell.recv() {
                // NOWAIT leaves a zombie: the number stays the shell's own until its group has been
                // killed.
                let exited = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                if let Err(error) = retry_on_intr(|| waitid(WaitId::Pid(shell), exited)) {
                    tracing::warn!(%error, "waitid");
                }
            }
            drop(notice);
            // In the usual case there is none, and this ends with the answer.
            if let Ok((mut shell, tied)) = survivor.recv() {
                drop(tied);
                let _ = shell.wait();
            }
        })?;

        let mut shell = shell_command();
        // `--` lets a command begin with a dash.
        shell.args(["-c", "--"]).arg(OsStr::from_bytes(command));
        shell.stdin(Stdio::null()).stdout(to_stdout).stderr(to_stderr);
        ending::mark(&mut shell)?;
        let mut shell = shell.spawn()?;
        let group = Pid::from_child(&shell);
        slot.started(group);
        let tied = match ending::tie_group(group) {
            Ok(tied) => tied,
            Err(error) => {
                slots::kill(group);
                let _ = shell.wait();
                return Err(error);
            }
        };
        // The waiter can only be gone if it panicked; then the exit pipe has ended too, and the
        // watch ends at once.
        started.send(group).ok();

        let pipes = [stdout, stderr].map(|from| Pipe { from: Some(from), kept: Vec::new() });
        Ok(Running { shell, tied, slot, pipes, exit, waiter, exited: false, survivors })
    }

    /// Collects what the command says until it is complete or a bound is reached.
    fn watch(&mut self, limits: &Limits, caller: &Caller<'_>) -> End {
        let mut room = limits.max_output;
        let mut chunk = vec![0; CHUNK];
        let mut deadline = Instant::now().checked_add(limits.timeout);
        let mut watch = caller.watch();
        loop {
            let mut fds = vec![watch.poll_fd()];
            fds.extend((!self.exited).then(|| PollFd::new(&self.exit, PollFlags::IN)));
            fds.extend(
                self.pipes
                    .iter()
                    .filter_map(|pipe| Some(PollFd::new(pipe.from.as_ref()?, PollFlags::IN))),
            );
            if let Err(error) =
                poll(&mut fds, [deadline, watch.wake_at()].into_iter().flatten().min())
            {
                return End::Failed(error);
            }
            let caller_events = fds[0].revents();
            drop(fds);

            if watch.gone(caller_events) {
                return End::CallerGone;
            }
            // Before the pipes: what the shell wrote before it exited is in them by now, and read
            // in this very pass.
            if !self.exited && matches!(self.exit.read(&mut [0]), Ok(0)) {
                self.exited = true;
                deadline = Some(Instant::now() + HOLD);
            }
            for pipe in &mut self.pipes {
                if pipe.read(&mut chunk, &mut room).is_err() {
                    return End::Full;
                }
            }
            if self.exited && self.pipes.iter().all(|pipe| pipe.from.is_none()) {
                return End::Complete;
            }
            if deadline.is_some_and(|at| at <= Instant::now()) {
                return if self.exited { End::Complete } else { End::Deadline };
            }
        }
    }

    /// Kills what is left of the group and takes the shell's status; `None` if it doesn't end.
    fn finish(mut self) -> Option<Status> {
        slots::kill(Pid::from_child(&self.shell));
        let until = Some(Instant::now() + KILLED);
        let ended = self.exited
            || poll(&mut [PollFd::new(&self.exit, PollFlags::IN)], until).unwrap_or(false);
        if !ended {
            let shell = self.shell.id();
            tracing::warn!(shell, "a command could not be killed: it runs on");
            // The waiter listens until it has been given one, or cannot be given one any more.
            let _ = self.survivors.send((self.shell, self.tied));
            return None;
        }
        drop(self.survivors);
        // A panic of the waiter has been printed already; the shell is reaped either way.
        self.waiter.join().ok();
        drop((self.tied, self.slot));
        match self.shell.wait() {
            Ok(status) => Some(match (status.code(), status.signal()) {
                (Some(code), _) => Status::Exit(code),
                (None, signal) => Status::Signal { signal: signal.unwrap_or_default() },
            }),
            Err(error) => {
                tracing::warn!(%error, "wait");
                Some(Status::Exit(127))
            }
        }
    }
}

/// The shell that runs a command, in a process group of its own, and without a terminal.
///
/// Where this server has a terminal, so would the command: it could write on it, change its settings,
/// or be stopped for trying. util-linux's setsid(1) puts it into a session of its own, where
/// `/dev/tty` doesn't open. That costs one more exec, so only there.
///
/// Nothing else is set: with `pre_exec` or a uid, std could not use posix_spawn, and would copy the
/// page tables of a large server for every command.
fn shell_command() -> Command {
    /// This can't change later: only the leader of a session can get a terminal.
    static HAS_TERMINAL: OnceLock<bool> = OnceLock::new();
    let has_terminal = *HAS_TERMINAL.get_or_init(|| {
        let here = cfg!(target_os = "linux") && File::open("/dev/tty").is_ok();
        let known =
            || Command::new("setsid").arg("true").status().is_ok_and(|ended| ended.success());
        if here && !known() {
            tracing::warn!(
                "there is no setsid here: commands can use this terminal (util-linux has it)"
            );
            return false;
        }
        here
    });
    let mut shell = Command::new(if has_terminal { "setsid" } else { "/bin/sh" });
    match has_terminal {
        // setsid(1) makes the group as well. It must not lead one before: then it would fork.
        true => shell.arg("/bin/sh"),
        false => shell.process_group(0),
    };
    shell
}

/// A pipe whose reading end never waits.
fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    ioctl_fionbio(&reader, true)?;
    Ok((reader, writer))
}

/// The command said more than it may.
struct TooMuch;

impl Pipe {
    /// Takes what is there now; never waits.
    fn read(&mut self, chunk: &mut [u8], room: &mut usize) -> Result<(), TooMuch> {
        let Some(from) = &mut self.from else { return Ok(()) };
        match from.read(chunk) {
            Ok(0) => self.from = None,
            Ok(got) => {
                let fits = got.min(*room);
                if self.kept.len() + fits > CHUNK && self.kept.capacity() < ROOM {
                    // If there isn't that much address space, it grows step by step.
                    let _ = self.kept.try_reserve_exact(ROOM - self.kept.len());
                }
                // Without memory for it, the command has said too much.
                self.kept.try_reserve(fits).map_err(|_| TooMuch)?;
                self.kept.extend_from_slice(&chunk[..fits]);
                *room -= fits;
                if fits < got {
                    return Err(TooMuch);
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                tracing::warn!(%error, "read from command");
                self.from = None;
            }
        }
        Ok(())
    }
}
