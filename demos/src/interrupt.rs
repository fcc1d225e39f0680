//! Ctrl-C ends the programs before it ends us: they are in process groups of their own, and would live on.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe::register;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

static TOLD: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT and SIGTERM end every program, and then this one, with 130.
pub fn clean_up_when_told() -> io::Result<()> {
    let (mut signals, caught) = io::pipe()?;
    register(SIGINT, caught.try_clone()?)?;
    register(SIGTERM, caught)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.read(&mut [0]);
        TOLD.store(true, Ordering::SeqCst);
        stage::end_all();
        process::exit(130);
    })?;
    Ok(())
}

/// Waits for our own end if we have been told to end. An experiment that lost its programs to that has nothing to say
/// about its claim.
pub fn wait_if_told() {
    while TOLD.load(Ordering::SeqCst) {
        thread::park();
    }
}
