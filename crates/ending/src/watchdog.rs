//! What this process started ends with it, however it ends.
//!
//! After `kill -9` a program can't clean up. So a second process, the watchdog, reads a pipe that
//! only this one writes to: a line for each process group and each folder that must not outlive us,
//! and another line when one of them is gone. When this process ends, the kernel closes the pipe,
//! and the watchdog kills and removes whatever is still on its list.
//!
//! Why not `prctl(PR_SET_PDEATHSIG)` (`setpriv --pdeathsig`)? It signals one process, not those that
//! it started in turn; it does so when the *thread* that started it ends; and only Linux has it.
//!
//! The watchdog is a shell of twenty lines. It starts with the first thing that is tied, in a
//! process group of its own, and ignores what tells a program to end: it ends when we do.

use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::ioctl_fionbio;
use rustix::process::Pid;

/// `+x` puts x on the list, `-x` takes it off; x is `g` and the number of a process group, or `d`
/// and the path of a folder. Entries are kept one a line.
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
  case $one in
  g*) kill -s KILL -- "-${one#g}" ;;
  d*) rm -rf -- "${one#d}" ;;
  esac
done
"#;

/// Something that ends with this process. Dropping this lets go of it.
///
/// Let go of a process group before its leader is reaped: from then on its number may be somebody
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

/// The process id of the watchdog, if there is one.
pub fn watchdog() -> Option<u32> {
    watchdogs().process.as_ref().map(|(process, _)| process.id())
}

struct Watchdog {
    process: Option<(Child, ChildStdin)>,
    /// What is on its list, for the case that somebody kills it.
    tied: Vec<Vec<u8>>,
}

fn watchdogs() -> MutexGuard<'static, Watchdog> {
    static WATCHDOG: Mutex<Watchdog> = Mutex::new(Watchdog { process: None, tied: Vec::new() });
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
        if watchdog.process.is_some() {
            // If it is stopped, and so many lines wait that no more fit, it keeps this one.
            let _ = watchdog.say(b'-', &self.0);
        }
    }
}

impl Watchdog {
    fn say(&mut self, sign: u8, what: &[u8]) -> io::Result<()> {
        if let Some((mut process, mut line)) = self.process.take() {
            match line.write_all(&message(sign, what)) {
                // Somebody killed it: another one takes over the list.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => _ = process.try_wait(),
                said => {
                    self.process = Some((process, line));
                    return said;
                }
            }
        }
        let mut process = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = process.stdin.take().ok_or(ErrorKind::BrokenPipe)?;
        // One that was stopped (SIGSTOP) must not stop us.
        ioctl_fionbio(&line, true)?;
        let all: Vec<u8> = self.tied.iter().flat_map(|one| message(b'+', one)).collect();
        line.write_all(&all)?;
        self.process = Some((process, line));
        Ok(())
    }
}

fn message(sign: u8, what: &[u8]) -> Vec<u8> {
    [&[sign], what, b"\n"].concat()
}
