//! Sending messages: one vectored write if everything fits, and nothing lost or sent twice if it
//! doesn't.

#![allow(clippy::unwrap_used, reason = "so a test fails")]

use std::io::{self, ErrorKind, IoSlice, Write};

use proto::Outgoing;

/// Takes at most `most` bytes for each write, across the pieces, and fails once after `at` bytes.
#[derive(Default)]
struct Flaky {
    taken: Vec<u8>,
    writes: usize,
    most: usize,
    fault: Option<(usize, Fault)>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Error(ErrorKind),
    TakesNothing,
}

impl Write for Flaky {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.writes += 1;
        let mut room = self.most;
        if let Some((at, fault)) = self.fault {
            if at == self.taken.len() {
                self.fault = None;
                return match fault {
                    Fault::Error(kind) => Err(kind.into()),
                    Fault::TakesNothing => Ok(0),
                };
            }
            room = room.min(at - self.taken.len());
        }
        let before = self.taken.len();
        self.taken.extend(pieces.iter().flat_map(|piece| piece.iter()).take(room));
        Ok(self.taken.len() - before)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Messages with empty pieces in every position.
const MESSAGES: [[&[u8]; 3]; 8] = [
    [b"\x05\0\0\0", b"hello", b"!"],
    [b"\x05\0\0\0", b"hello", b""],
    [b"\x05\0\0\0", b"", b"hello"],
    [b"", b"\x05\0\0\0", b"hello"],
    [b"", b"", b"x"],
    [b"", b"x", b""],
    [b"x", b"", b""],
    [b"", b"", b""],
];

#[test]
fn one_write_where_the_socket_takes_it() {
    for pieces in MESSAGES {
        let mut to = Flaky { most: usize::MAX, ..Flaky::default() };
        Outgoing::new(pieces).write_to(&mut to).unwrap();
        assert_eq!(to.taken, pieces.concat());
        assert_eq!(to.writes, usize::from(!to.taken.is_empty()));
    }
}

#[test]
fn writes_that_take_k_bytes() {
    for pieces in MESSAGES {
        let whole = pieces.concat();
        for most in 1..=whole.len() + 1 {
            let mut to = Flaky { most, ..Flaky::default() };
            Outgoing::new(pieces).write_to(&mut to).unwrap();
            assert_eq!(to.taken, whole);
            assert_eq!(to.writes, whole.len().div_ceil(most));
        }
    }
}

/// `fault` before each byte in turn: the message arrives whole, and the caller sees `seen` errors of this kind.
fn check(fault: Fault, kind: ErrorKind, seen: usize) {
    for pieces in MESSAGES {
        let whole = pieces.concat();
        for (most, at) in
            (1..=whole.len()).flat_map(|most| (0..whole.len()).map(move |at| (most, at)))
        {
            let mut to = Flaky { most, fault: Some((at, fault)), ..Flaky::default() };
            let mut message = Outgoing::new(pieces);
            let mut errors = 0;
            while let Err(error) = message.write_to(&mut to) {
                assert_eq!(error.kind(), kind);
                assert_eq!(to.taken, whole[..at]);
                errors += 1;
            }
            assert_eq!((&to.taken, errors), (&whole, seen), "{fault:?} at {at}");
            message.write_to(&mut to).unwrap();
            assert_eq!(to.taken, whole, "what was sent is not sent again");
        }
    }
}

#[test]
fn interrupted_anywhere_is_retried() {
    check(Fault::Error(ErrorKind::Interrupted), ErrorKind::Interrupted, 0);
}

#[test]
fn other_errors_anywhere_lose_nothing() {
    for kind in [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::BrokenPipe] {
        check(Fault::Error(kind), kind, 1);
    }
}

#[test]
fn a_write_that_takes_nothing_is_an_error() {
    check(Fault::TakesNothing, ErrorKind::WriteZero, 1);
}

/// A `Write` without vectored writes of its own takes the first piece only.
#[test]
fn without_vectored_writes() {
    struct Plain(Vec<u8>);
    impl Write for Plain {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for pieces in MESSAGES {
        let mut to = Plain(Vec::new());
        Outgoing::new(pieces).write_to(&mut to).unwrap();
        assert_eq!(to.0, pieces.concat());
    }
}
