//! One command, within limits: its output, its status, and nothing left running.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use ending::Tied;
use observe::parse_seconds;
use proto::json::Status;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::deadline::{Deadline, poll};
use crate::output::{Output, add_line};
use crate::peer::{Peer, PeerGone, RECHECK};
use crate::permit::{self, Permit};

/// How long a child that a command left running may hold the pipes, and so delay the answer.
const HOLD: Duration = Duration::from_millis(200);

/// When to check whether a command has ended. If its pipes are quiet, a child that it left running may hold them. If its
/// pipes have ended, the command nearly always ends at the same moment; this is for systems that don't report that
/// ([`exit_of`]). Each check waits twice as long as the last, up to [`SELDOM`].
const QUIET: Duration = Duration::from_millis(10);
const ENDED: Duration = Duration::from_micros(100);
const SELDOM: Duration = Duration::from_millis(100);

/// The longest command, in bytes: Linux takes no longer argument (execve(2), MAX_ARG_STRLEN).
pub const MAX_COMMAND: usize = 128 * 1024 - 1;

/// How long a command that was killed may take to end. If it now belongs to another user, or is
/// stuck in the kernel, the server doesn't wait any longer.
const KILLED: Duration = Duration::from_secs(1);

/// How much one read takes: as much as a Linux pipe holds, so that one pass empties both.
const CHUNK: usize = 64 * 1024;

/// How much address space a long output gets at once. Only the part that's written to costs memory,
/// and all of it goes back to the system afterwards. In smaller steps it wouldn't: glibc's allocator
/// keeps freed pieces of up to 32 MiB for later (mallopt(3), M_MMAP_THRESHOLD), which after thirty
/// long answers was 250 MB.
const ROOM: usize = 33 << 20;

/// The limits of each command.
#[derive(clap::Args, Clone, Debug)]
pub struct Limits {
    /// Kill a command that still runs after this time; the answer is its output up to then
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = parse_seconds)]
    pub timeout: Duration,

    /// Kill a command that writes more than this, stdout and stderr together; the answer is the
    /// first part
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024, value_parser = observe::parse_number::<usize>)]
    pub max_output: usize,
}

/// Runs `command` with `/bin/sh -c` for `peer` and waits for it.
///
/// Its standard input is empty, its output is collected from both pipes at once, and its whole
/// process group is gone when this returns. A child that it leaves in the background delays the
/// answer for some 200 ms at most, and one that can't be killed for a second. When
/// [`MAX_RUNNING`](crate::MAX_RUNNING) commands are running already, this one first waits for a permit, no longer than
/// its timeout.
///
/// A command that can't be run (a NUL byte, too long for the system, no process or descriptor
/// left, no permit) is not an error here: the [`Output`] says why in one line, and the connection stays open.
///
/// # Errors
/// [`PeerGone`]: nobody is waiting for the answer, and the command was killed. Or it didn't start, because the server has
/// been told to end.
pub fn run(command: &[u8], limits: &Limits, peer: &Peer<'_>) -> Result<Output, PeerGone> {
    let Some(permit) = Permit::take(Deadline::after(limits.timeout), peer)? else {
        return Ok(Output::busy());
    };
    let mut running = match Running::start(command, permit) {
        Ok(running) => running,
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
            return Ok(Output::not_run(code, &format!("cannot run this command: {error}")));
        }
    };
    let end = running.collect(limits, peer);
    let [stdout, mut stderr] = running.pipes.each_mut().map(|pipe| std::mem::take(&mut pipe.kept));
    let status = running.finish();
    if status.is_none() {
        add_line(&mut stderr, &stdout, "this command could not be killed: it is still running");
    }
    match end {
        End::PeerGone => Err(PeerGone),
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

/// Why collecting the command's output has stopped.
enum End {
    Complete,
    Deadline,
    Full,
    PeerGone,
    Failed(io::Error),
}

struct Running {
    shell: Child,
    tied: Option<Tied>,
    permit: Permit,
    pipes: [Pipe; 2],
}

struct Pipe {
    from: Option<PipeReader>,
    kept: Vec<u8>,
}

impl Running {
    fn start(command: &[u8], mut permit: Permit) -> io::Result<Running> {
        let (stdout, to_stdout) = io::pipe()?;
        let (stderr, to_stderr) = io::pipe()?;
        let mut shell = shell_command();
        // `--` lets a command begin with a dash.
        shell.args(["-c", "--"]).arg(OsStr::from_bytes(command));
        shell.stdin(Stdio::null()).stdout(to_stdout).stderr(to_stderr);
        ending::mark(&mut shell)?;
        let shell = shell.spawn()?;
        let group = Pid::from_child(&shell);
        permit.started(group);
        let pipes = [stdout, stderr].map(|from| Pipe { from: Some(from), kept: Vec::new() });
        let mut running = Running { shell, tied: None, permit, pipes };
        if cfg!(not(target_os = "linux")) {
            running.tie();
        }
        Ok(running)
    }

    /// Makes sure that the command's group is killed if this server is. On Linux the mark is enough for that, and a command
    /// of a few milliseconds isn't worth two messages to the watchdog.
    fn tie(&mut self) {
        let tied = ending::tie_group(Pid::from_child(&self.shell));
        self.tied = tied
            .inspect_err(|error| tracing::warn!(%error, "a command may outlive this server"))
            .ok();
    }

    /// Collects the command's output until it is complete or a limit is reached.
    fn collect(&mut self, limits: &Limits, peer: &Peer<'_>) -> End {
        let mut room = limits.max_output;
        let mut chunk = vec![0; CHUNK];
        let mut deadline = Deadline::after(limits.timeout);
        let mut next_look = Deadline::after(RECHECK);
        let (mut pause, mut next_ask) = (QUIET, Deadline::after(QUIET));
        let (mut has_exited, mut exit) = (false, None);
        loop {
            let open = self.pipes.iter().filter_map(|pipe| Some(pipe.from.as_ref()?.as_fd()));
            let waited_for = open.chain(exit.as_ref().map(OwnedFd::as_fd));
            let mut fds: Vec<_> =
                waited_for.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
            if let Err(error) = poll(&mut fds, deadline.or(next_look).or(next_ask)) {
                return End::Failed(error);
            }
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            let something_came = ready.contains(&true);
            let open = self.pipes.iter_mut().filter(|pipe| pipe.from.is_some());
            for (pipe, _) in open.zip(ready).filter(|(_, ready)| *ready) {
                if pipe.read(&mut chunk, &mut room).is_err() {
                    return End::Full;
                }
            }
            let is_open = self.pipes.iter().any(|pipe| pipe.from.is_some());
            if something_came {
                pause = if is_open { QUIET } else { ENDED };
            }
            if !has_exited && (!is_open || next_ask.has_passed()) {
                if self.has_exited() {
                    has_exited = true;
                    (deadline, next_ask) = (Deadline::after(HOLD), Deadline::NEVER);
                } else {
                    if next_ask.has_passed() && self.tied.is_none() {
                        self.tie();
                    }
                    if !is_open && exit.is_none() {
                        exit = exit_of(&self.shell);
                    }
                    pause = if exit.is_some() { SELDOM } else { (pause * 2).min(SELDOM) };
                    next_ask = Deadline::after(pause);
                }
            }
            if has_exited && !is_open {
                return End::Complete;
            }
            if deadline.has_passed() {
                return if has_exited { End::Complete } else { End::Deadline };
            }
            if next_look.has_passed() {
                if peer.is_here().is_err() {
                    return End::PeerGone;
                }
                next_look = Deadline::after(RECHECK);
            }
        }
    }

    /// Whether the shell has ended. It stays a zombie, so that it keeps its number until its group has been killed.
    fn has_exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(Pid::from_child(&self.shell)), options), Ok(None))
    }

    /// Kills what is left of the group and takes the shell's status; `None` if it doesn't end.
    fn finish(mut self) -> Option<Status> {
        permit::kill(Pid::from_child(&self.shell));
        let deadline = Deadline::after(KILLED);
        while !self.has_exited() {
            if deadline.has_passed() {
                self.give_up();
                return None;
            }
            thread::sleep(Duration::from_millis(1));
        }
        drop((self.tied, self.permit));
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

    /// Hands a command that can't be killed over to a thread, which reaps it when it finally ends.
    fn give_up(mut self) {
        tracing::warn!(
            shell = self.shell.id(),
            "a command could not be killed: it is still running"
        );
        let waiter = thread::Builder::new().name("survivor".into());
        // If there is no thread, it stays a zombie after its end, until this server ends.
        let _ = waiter.spawn(move || {
            drop(self.permit);
            let _ = self.shell.wait();
            drop(self.tied);
        });
    }
}

/// A descriptor that is readable once this process has ended; without it, asking every 100 µs makes a short command take
/// a tenth longer. `None` if the system has no such thing.
#[cfg(target_os = "linux")]
fn exit_of(shell: &Child) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};

    pidfd_open(Pid::from_child(shell), PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn exit_of(_: &Child) -> Option<OwnedFd> {
    None
}

/// The shell that runs a command, in a process group of its own, and without a terminal.
///
/// If this server has a terminal, the command would have it too: it could write to it, change its settings,
/// or be stopped for trying. util-linux's setsid(1) puts the command into a session of its own, where
/// `/dev/tty` doesn't open. That costs one more exec, so it's done only if there is a terminal.
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
        // setsid(1) makes the group as well. If it already led a group, it would fork.
        true => shell.arg("/bin/sh"),
        false => shell.process_group(0),
    };
    shell
}

/// The command wrote more than it may.
struct TooMuch;

impl Pipe {
    /// Takes what is there, once poll(2) has said that something is.
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
                // If there's no memory for it, the command has written too much.
                self.kept.try_reserve(fits).map_err(|_| TooMuch)?;
                self.kept.extend_from_slice(&chunk[..fits]);
                *room -= fits;
                if fits < got {
                    return Err(TooMuch);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::warn!(%error, "read from command");
                self.from = None;
            }
        }
        Ok(())
    }
}
