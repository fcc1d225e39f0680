//! The command whose segments are shown: we run it to its end, and it never outlives us.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, kill_process_group, waitid,
};
use rustix::termios::tcgetpgrp;

/// Runs the command to its end.
///
/// In the foreground of a terminal it stays in our process group: only there may it read the
/// terminal. Ctrl-C and Ctrl-\ reach it directly there, so we pass on only the other signals. Anywhere
/// else it gets a process group of its own, and we pass on every signal to the whole group. If we are
/// killed, the command ends, and so does everything that it started.
///
/// # Errors
/// It cannot be started, or no descriptor or thread is left.
pub fn run(command: &[OsString]) -> io::Result<ExitStatus> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let shared = is_foreground();
    let told = ending::told_which()?; // before the command can send us a signal
    let mut process = Command::new(program);
    process.args(arguments);
    ending::mark(&mut process)?;
    if !shared {
        process.process_group(0);
    }
    let mut child = process.spawn()?;
    let pid = Pid::from_child(&child);
    let group = (!shared).then_some(pid);
    let tied = group.map(ending::tie_group).transpose()?;
    let was_told = Arc::new(AtomicBool::new(false));
    for (signal, mut told) in told {
        let was_told = Arc::clone(&was_told);
        let pass_on = move || {
            while told.read_exact(&mut [0]).is_ok() {
                was_told.store(true, Ordering::SeqCst);
                let _ = match group {
                    Some(group) => kill_process_group(group, signal),
                    None if signal == Signal::INT || signal == Signal::QUIT => Ok(()),
                    None => kill_process(pid, signal),
                };
            }
        };
        thread::Builder::new().spawn(pass_on)?;
    }
    // Until the command is reaped, its number can't belong to another process. What it left in its group was told to end too.
    let ended = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    if let Some(group) = group
        && ended.is_ok()
        && was_told.load(Ordering::SeqCst)
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
    drop(tied);
    child.wait()
}

/// Whether the terminal's keys (Ctrl-C, Ctrl-\) are sent to us.
fn is_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}
