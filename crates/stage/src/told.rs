//! A run that is told to end ends what it started first: its programs are in process groups of their own, so Ctrl-C in
//! the terminal reaches only us, and they would live on.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use crate::end_all;

/// The exit code of a run that was told to end. Shells use 128 and the number of the signal; ours says SIGINT for all four.
const TOLD_TO_END: i32 = 130;

static TOLD: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT end every program and remove every [`Scratch`](crate::Scratch)
/// directory, do what `also` does, and exit this process with 130.
///
/// # Errors
/// No descriptor or thread left.
pub fn end_all_when_told(also: fn()) -> io::Result<()> {
    let mut told = ending::told()?;
    thread::Builder::new().name("told".into()).spawn(move || {
        let _ = told.read(&mut [0]);
        TOLD.store(true, Ordering::SeqCst);
        end_all();
        also();
        process::exit(TOLD_TO_END);
    })?;
    Ok(())
}

/// Waits for our own end if we have been told to end: what is left to say would be about programs that we killed.
pub fn wait_if_told() {
    while TOLD.load(Ordering::SeqCst) {
        thread::park();
    }
}
