//! A run that gets a signal to end first ends what it started. Its programs are in process groups of their own, so
//! Ctrl-C in the terminal reaches only us, and they would keep running.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use crate::end_all;

/// The exit code after a signal. Shells use 128 plus the number of the signal; ours says SIGINT for all four.
const EXIT_CODE: i32 = 130;

static ENDING: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT end every program and remove every [`Scratch`](crate::Scratch)
/// directory, do what `also` does, and exit this process with 130.
///
/// # Errors
/// No descriptor or thread left.
pub fn end_all_on_signal(also: fn()) -> io::Result<()> {
    let mut signals = ending::told()?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.read(&mut [0]);
        ENDING.store(true, Ordering::SeqCst);
        end_all();
        also();
        process::exit(EXIT_CODE);
    })?;
    Ok(())
}

/// After such a signal, waits for the end of this process: anything left to say would be about programs that we killed.
pub fn wait_if_ending() {
    while ENDING.load(Ordering::SeqCst) {
        thread::park();
    }
}
