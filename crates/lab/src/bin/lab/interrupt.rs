//! Ctrl-C ends the student's programs before it ends us: they are in process groups of their own, and would live on.

use std::io::{self, Read};
use std::{process, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe::register;

/// From now on SIGINT and SIGTERM end every program we started, and then this one, with 130.
pub fn clean_up_when_told() -> io::Result<()> {
    let (mut signals, caught) = io::pipe()?;
    register(SIGINT, caught.try_clone()?)?;
    register(SIGTERM, caught)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.read(&mut [0]);
        stage::end_all();
        process::exit(130);
    })?;
    Ok(())
}
