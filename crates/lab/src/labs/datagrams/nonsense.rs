//! Datagrams that are not valid requests.

use super::answers::{ask, ask_quietly, begin};
use super::ledger::{HEADER, add, echo};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// How many datagrams in a row have to be ignored.
const MUCH: u32 = 1_100;
/// After this many of them, the peer waits for an answer: a socket keeps 270 small datagrams, and any more would be
/// lost.
const AT_ONCE: usize = 50;

pub(super) const EMPTY_DATAGRAM: Case = Case {
    id: "empty-datagram",
    points: 1,
    rule: "an empty datagram is ignored: it is not the end of anything",
    proves: &[("ignored", "an empty datagram")],
    hint: "For a stream, 0 bytes mean the end. A datagram of 0 bytes is just a short one.",
    fits: &[Fault::Ended, Fault::Silent, Fault::Wrong],
    play: empty_datagram,
};

fn empty_datagram(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    peer.send("an empty datagram", b"")?;
    ask(&mut peer, &add(1, 5), &add(1, 5))?;
    peer.send("an empty datagram", b"")?;
    ask(&mut peer, &add(2, 5), &add(2, 10))
}

pub(super) const GARBAGE: Case = Case {
    id: "garbage",
    points: 2,
    rule: "a datagram that is too short or too long for a request is ignored, without an answer, and the next request \
           is answered",
    proves: &[("ignored", "1 to 4 bytes"), ("ignored", "an A with 0, 3, 5 or more bytes")],
    hint: "What do you do with a datagram that is shorter than the header, and with an addition of 3 bytes? Check the \
           length before you take a number out.",
    fits: &[Fault::Ended, Fault::Silent, Fault::Wrong],
    play: garbage,
};

fn garbage(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    for length in 1..HEADER {
        peer.send("less than a header", &trial.bytes(length))?;
    }
    for bytes in [b"A".as_slice(), b"E", b"\0\0\0A", b"\0\0\0E"] {
        peer.send("less than a header", bytes)?;
    }
    ask(&mut peer, &add(1, 5), &add(1, 5))?;
    for length in [0, 1, 2, 3, 5, 8, 1_000] {
        let request = [&add(3, 0)[..HEADER], &trial.bytes(length)].concat();
        peer.send(&format!("an addition with {length} bytes instead of 4"), &request)?;
    }
    ask(&mut peer, &add(4, 5), &add(4, 10))?;
    peer.step("uses number 3 for a real request: so far there was none");
    ask(&mut peer, &add(3, 5), &add(3, 15))
}

pub(super) const EVERY_OPERATION: Case = Case {
    id: "every-operation",
    points: 1,
    rule: "any operation other than E and A is ignored, without an answer",
    proves: &[("ignored", "each of the 254 other operations")],
    hint: "The operation is one byte, and 254 of its values mean nothing, lower-case letters included. What does your \
           program do with a value that it doesn't know?",
    fits: &[Fault::Wrong, Fault::Ended, Fault::Silent],
    play: every_operation,
};

fn every_operation(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let others: Vec<u8> = (0..=u8::MAX).filter(|operation| !b"AE".contains(operation)).collect();
    let mut total = 0;
    for some in others.chunks(AT_ONCE) {
        let (first, last) = (some[0], some[some.len() - 1]);
        peer.step(&format!("sends unknown operations, {first:02x} to {last:02x}"));
        for &operation in some {
            // One as long as an addition, and one as long as an empty echo.
            let mut datagram = add(operation.into(), 5);
            datagram[4] = operation;
            peer.send_quietly(&datagram)?;
            peer.send_quietly(&datagram[..HEADER])?;
        }
        total += 5;
        ask(&mut peer, &add(1_000 + total, 5), &add(1_000 + total, total))?;
    }
    Ok(())
}

pub(super) const MUCH_GARBAGE: Case = Case {
    id: "much-garbage",
    points: 1,
    rule: "1,100 datagrams that aren't requests do no harm, and then the program waits as before",
    proves: &[("ignored", "1,100 such datagrams"), ("idle", "after datagrams that are ignored")],
    hint: "What does your program keep, count or start for a datagram that it ignores?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: much_garbage,
};

fn much_garbage(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    peer.step(&format!(
        "sends {MUCH} datagrams that aren't requests, and an echo after every {AT_ONCE}"
    ));
    let nonsense = [
        Vec::new(),
        b"abc".to_vec(),
        b"\0\0\0\x07".to_vec(),
        b"\0\0\0\x07?hello".to_vec(),
        b"\0\0\0\x07A\0\0\x05".to_vec(),
        b"\0\0\0\x07A\0\0\0\0\x05".to_vec(),
    ];
    for (number, datagram) in (0..MUCH).zip(nonsense.iter().cycle()) {
        peer.send_quietly(datagram)?;
        if number as usize % AT_ONCE == AT_ONCE - 1 {
            let request = echo(number, b"still there?");
            ask_quietly(&mut peer, &request, &request)?;
        }
    }
    ask(&mut peer, &add(7, 5), &add(7, 5))?;
    trial.expect_idle()
}
