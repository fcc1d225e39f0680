//! What this process started ends with it, however it ends.
//!
//! After `kill -9` a program can't clean up. So a second process, the watchdog, reads a pipe that
//! only this one writes to: a line for each process group and each folder that must not outlive us,
//! and another line when one of them is gone. When this process ends, the kernel closes the pipe,
//! and the watchdog kills and removes whatever is still on its list.
//!
//! Why not `prctl(PR_SET_PDEATHSIG)` (`setpriv --pdeathsig`)? It signals one process, but not that process's
//! children; it does so when the *thread* that started the process ends; and only Linux has it.
//!
//! A moment passes between the start of a program and its line, and a program may leave its group
//! (`setsid`). So what is started also carries a [`mark`] in its environment, and on Linux the
//! watchdog looks for that as well.
//!
//! The watchdog is a short shell script, in a process group of its own. It ignores the signals that tell a
//! program to end: it ends when we do.

use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process};

/// `+x` puts x on the list, `-x` takes it off; x is `g` and the number of a process group, or `d`
/// and the path of a folder. The list has one entry a line. `$1` is the mark. Folders come last, because a
/// program could still write into one. If one does so anyway (its own watchdog hasn't ended it yet), a second
/// try gets the rest.
const SCRIPT: &str = r#"
trap "" INT TERM HUP QUIT
set -f
IFS="
"
tied=
while read -r line; do
  case $line in
  +*) tied="$tied$IFS${line#+}" ;;
  -*)
    left=
    for one in $tied; do
      [ "$one" = "${line#-}" ] || left="$left$IFS$one"
    done
    tied=$left
    ;;
  esac
done
for one in $tied; do
  case $one in g*) kill -s KILL -- "-${one#g}" ;; esac
done
set +f
tries=0
while [ $tries -lt 100 ]; do
  found=$(grep -lszxF "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  for file in $found; do
    pid=${file#/proc/}
    kill -s KILL "${pid%/environ}"
  done
  tries=$((tries + 1))
done
set -f
for one in $tied; do
  case $one in d*) rm -rf -- "${one#d}" || { sleep 1; rm -rf -- "${one#d}"; } ;; esac
done
"#;

/// The variable that holds the mark.
const MARK: &str = "UNSTUCK_STARTED_BY";

/// Something that ends with this process. Dropping this lets go of it.
///
/// Drop this before you reap the leader of a process group: after that, its number may be somebody
/// else's.
#[derive(Debug)]
#[must_use = "dropped, it lets go"]
pub struct Tied(Vec<u8>);

/// Ties a process group to this process: when we end, it is killed.
///
/// # Errors
/// No process or descriptor left for the watchdog.
pub fn tie_group(group: Pid) -> io::Result<Tied> {
    tie(format!("g{}", group.as_raw_nonzero()).into_bytes())
}

/// Ties a folder to this process: when we end, it is removed with all that it holds.
///
/// # Errors
/// As [`tie_group`]; and a path with a line break in it can't be tied.
pub fn tie_folder(folder: &Path) -> io::Result<Tied> {
    let path = folder.as_os_str().as_bytes();
    if path.contains(&b'\n') {
        return Err(io::Error::new(ErrorKind::InvalidInput, "a line break in the path"));
    }
    tie([b"d", path].concat())
}

/// Marks a command that is about to start: should we end before it is tied, or should it leave its
/// process group, the watchdog finds it by its environment (Linux).
///
/// # Errors
/// As [`tie_group`].
pub fn mark(command: &mut Command) -> io::Result<()> {
    let mut watchdog = watchdogs();
    if watchdog.running.is_none() {
        watchdog.start()?;
    }
    command.env(MARK, our_mark());
    Ok(())
}

/// The number of our process isn't enough: an earlier process may have had it, whose programs still run.
fn our_mark() -> &'static str {
    static OURS: OnceLock<String> = OnceLock::new();
    OURS.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{}-{}", process::id(), now.as_nanos())
    })
}

/// The process id of the watchdog, if there is one.
pub fn watchdog() -> Option<u32> {
    watchdogs().running.as_ref().map(|running| running.pid.as_raw_pid().cast_unsigned())
}

struct Watchdog {
    running: Option<Running>,
    /// What is on its list: a new one takes it over if somebody kills this one.
    tied: Vec<Vec<u8>>,
}

struct Running {
    pid: Pid,
    line: ChildStdin,
}

fn watchdogs() -> MutexGuard<'static, Watchdog> {
    static WATCHDOG: Mutex<Watchdog> = Mutex::new(Watchdog { running: None, tied: Vec::new() });
    WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tie(what: Vec<u8>) -> io::Result<Tied> {
    let mut watchdog = watchdogs();
    watchdog.tied.push(what.clone());
    match watchdog.say(b'+', &what) {
        Ok(()) => Ok(Tied(what)),
        Err(error) => {
            watchdog.tied.pop();
            Err(error)
        }
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        let mut watchdog = watchdogs();
        if let Some(at) = watchdog.tied.iter().position(|one| *one == self.0) {
            watchdog.tied.swap_remove(at);
        }
        if watchdog.running.is_some() {
            // If no new watchdog can be started, there is no wrong list either.
            let _ = watchdog.say(b'-', &self.0);
        }
    }
}

impl Watchdog {
    fn say(&mut self, sign: u8, what: &[u8]) -> io::Result<()> {
        if let Some(mut running) = self.running.take() {
            if running.line.write_all(&message(sign, what)).is_ok() {
                self.running = Some(running);
                return Ok(());
            }
            // Somebody has killed it, or stopped it and its pipe is full. Another one takes over.
            let _ = kill_process(running.pid, Signal::KILL);
        }
        self.start()
    }

    /// Starts it, and tells it the whole list.
    fn start(&mut self) -> io::Result<()> {
        let mut process = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh", &format!("{MARK}={}", our_mark())])
            .process_group(0)
            .current_dir("/")
            // Other programs of this user can read its environment (/proc/PID/environ), even if they
            // can't read ours, and a grader has tokens there. And if it had our parent's mark, our parent's
            // watchdog would kill this one before it has done its work.
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = Pid::from_child(&process);
        let line = process.stdin.take();
        // It ends when we do. If it ends earlier, somebody has killed it, and another one takes over.
        let wait = move || {
            let _ = process.wait();
            watchdogs().ended(pid);
        };
        let mut line = line.ok_or(ErrorKind::BrokenPipe)?;
        // Without this thread it ends with its input, which is dropped here.
        thread::Builder::new().name("watchdog".into()).spawn(wait)?;
        // One that was stopped (SIGSTOP) must not stop us.
        ioctl_fionbio(&line, true)?;
        let all: Vec<u8> = self.tied.iter().flat_map(|one| message(b'+', one)).collect();
        line.write_all(&all)?;
        self.running = Some(Running { pid, line });
        Ok(())
    }

    fn ended(&mut self, pid: Pid) {
        if self.running.as_ref().is_some_and(|running| running.pid == pid) {
            self.running = None;
            // If none can be started now, the next thing that is tied tries again.
            let _ = self.start();
        }
    }
}

fn message(sign: u8, what: &[u8]) -> Vec<u8> {
    [&[sign], what, b"\n"].concat()
}
