//! Calls that a signal interrupts.

use std::io::{self, ErrorKind};

/// Makes a call again as long as a signal interrupts it.
///
/// A child of a test may end at any time, and SIGCHLD interrupts a `recv` that has a timeout, whatever the handler asks for
/// (signal(7)). `read_exact` and `read_to_end` go on by themselves; a single `read`, `recv` or `peek` does not.
///
/// # Errors
/// Those of the call, but for `Interrupted`.
pub fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_made_again_only_if_it_was_interrupted() {
        let mut results = [Ok(1), Err(ErrorKind::WouldBlock), Err(ErrorKind::Interrupted)].to_vec();
        let mut call = || results.pop().unwrap().map_err(io::Error::from);
        let first = uninterrupted(&mut call);
        assert_eq!(first.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
        assert_eq!(uninterrupted(&mut call).unwrap(), 1);
    }
}
