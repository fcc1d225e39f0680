//! Ctrl-C ends the student's programs before it ends us: they are in process groups of their own, and would live on.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe::register;

static TOLD: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT and SIGTERM end every program we started and all that these started, and then this one, with 130.
pub fn clean_up_when_told() -> io::Result<()> {
    let (mut signals, caught) = io::pipe()?;
    register(SIGINT, caught.try_clone()?)?;
    register(SIGTERM, caught)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.read(&mut [0]);
        TOLD.store(true, Ordering::SeqCst);
        stage::end_all();
        lab::end_descendants();
        process::exit(130);
    })?;
    Ok(())
}

/// Waits for our own end if we have been told to end: what is left to say would be about programs that we killed.
pub fn wait_if_told() {
    while TOLD.load(Ordering::SeqCst) {
        thread::park();
    }
}
