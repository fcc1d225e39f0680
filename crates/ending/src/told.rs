//! The signals that tell a program to end.
//!
//! Four of them mean the same: Ctrl-C (SIGINT), a plain `kill` (SIGTERM), a terminal that closes
//! (SIGHUP), and Ctrl-\ (SIGQUIT). A program that handles only the first two leaves everything that it
//! started running when somebody closes its window.

use std::io::{self, PipeReader};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe::register;

/// One byte can be read for each signal that told this program to end.
///
/// A signal handler may do almost nothing (signal-safety(7)), so it writes a byte into a pipe, and
/// a thread that waits in `poll(2)` anyway gets one more descriptor to wait for.
///
/// # Errors
/// No descriptor left.
pub fn told() -> io::Result<PipeReader> {
    let (told, notice) = io::pipe()?;
    for signal in signals() {
        register(signal, notice.try_clone()?)?;
    }
    // Our parent may have left SIGCHLD ignored, and we'd inherit that: the kernel would then forget how
    // a child ended, and reuse its number at once. If it isn't ignored, we leave it alone: with a handler, each
    // child that ends would interrupt some thread, usually the one that waits in accept.
    if is_ignored(SIGCHLD) || cfg!(not(target_os = "linux")) {
        flag::register(SIGCHLD, Arc::default())?;
    }
    Ok(told)
}

/// As [`told`], with a pipe for each of the signals: for a program that passes signals on.
///
/// # Errors
/// No descriptor left.
pub fn told_which() -> io::Result<Vec<(Signal, PipeReader)>> {
    let one = |number| {
        let (told, notice) = io::pipe()?;
        register(number, notice)?;
        let signal = Signal::from_named_raw(number).ok_or(io::ErrorKind::InvalidInput)?;
        Ok((signal, told))
    };
    signals().map(one).collect()
}

/// Ends the process with this exit code as soon as it is told to. For programs that have nothing to
/// clean up first.
///
/// # Errors
/// What sigaction(2) says: the signals that are left end the program the system's way.
pub fn exit_when_told(status: i32) -> io::Result<()> {
    for signal in signals() {
        let always = Arc::new(AtomicBool::new(true));
        flag::register_conditional_shutdown(signal, status, always)?;
    }
    Ok(())
}

/// One byte can be read for each child that has ended (SIGCHLD).
///
/// # Errors
/// No descriptor left.
pub fn on_child_exit() -> io::Result<PipeReader> {
    let (ended, notice) = io::pipe()?;
    register(SIGCHLD, notice)?;
    Ok(ended)
}

fn signals() -> impl Iterator<Item = i32> {
    // `nohup` starts a program with SIGHUP ignored, so that it outlives its terminal. Let it.
    let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    [SIGINT, SIGTERM, SIGQUIT].into_iter().chain(hang_up)
}

/// Whether this process was started with a signal ignored. Only Linux tells without `unsafe`.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status, signal)
}

/// proc(5), /proc/PID/status: `SigIgn` is a mask in hex, with bit 0 for signal 1.
fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_ignored_if_its_bit_is_set() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        let ignored: Vec<i32> = (1..=64).filter(|signal| ignored_in(status, *signal)).collect();
        assert_eq!(ignored, [SIGHUP, 13]);
        assert!(!ignored_in("", SIGHUP), "no /proc");
    }
}
