//! What an answer holds, how long it may be, and when it comes.

use std::collections::BTreeMap;

use super::ledger::{HEADER, Ledger, SORTS, add, echo, named};
use crate::labs::lab::Case;
use crate::play::{DatagramPeer, LARGEST_DATAGRAM, PATIENCE, Trial};
use crate::verdict::{CaseFailure, Fault};

/// How many small requests wait at the same time. Linux gives a socket 212,992 bytes for waiting datagrams, and counts
/// about 770 for a small one, so there is room for 270.
pub(super) const WAITING: u32 = 100;

pub(super) const FIRST: Case = Case {
    id: "first",
    points: 1,
    rule: "a request gets its answer: the same number, the same operation, the result",
    proves: &[("form", "an echo"), ("form", "an addition"), ("address", "one peer")],
    hint: "The answer begins with the five bytes of the request's header, and comes from the socket that received the \
           request. Numbers have their most significant byte first.",
    fits: &[Fault::Wrong, Fault::Silent],
    play: first,
};

fn first(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (mut peer, number) = (begin(trial)?, some_number(trial));
    ask(&mut peer, &echo(number, b"hello \n\0"), &echo(number, b"hello \n\0"))?;
    let amount = trial.number(1_000, 1_000_000) as u32;
    ask(&mut peer, &add(number + 1, amount), &add(number + 1, amount))?;
    ask(&mut peer, &add(number + 2, 5), &add(number + 2, amount + 5))
}

pub(super) const TOTALS: Case = Case {
    id: "totals",
    points: 1,
    rule: "totals are counted modulo 2³², and an addition that makes the total 0 is still an addition",
    proves: &[
        ("total", "an amount of 0, an amount of 4,294,967,295"),
        ("total", "a total of 4,294,967,295"),
        ("total", "a total of exactly 2³², and one above it"),
        ("once", "again, when the total in the first answer was 0"),
    ],
    hint: "What is 4,294,967,295 + 1 in four bytes, and in your language? And does your program tell a total of 0 from \
           no total at all?",
    fits: &[Fault::Wrong, Fault::Silent, Fault::Ended],
    play: totals,
};

fn totals(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (mut peer, number) = (begin(trial)?, some_number(trial) & !0xff);
    let mut total = 0_u32;
    let amounts = [0, 1, u32::MAX - 1, 1, 1, 1 << 31, 1 << 31, u32::MAX, u32::MAX, 0, 7];
    for (number, amount) in (number..).zip(amounts) {
        total = total.wrapping_add(amount);
        ask(&mut peer, &add(number, amount), &add(number, total))?;
    }
    peer.step("asks again for an addition whose total was 0");
    ask(&mut peer, &add(number, 0), &add(number, 0))?;
    ask(&mut peer, &add(number + 3, 1), &add(number + 3, 0))
}

pub(super) const SIZES: Case = Case {
    id: "sizes",
    points: 2,
    rule: "an echo returns its whole payload, from 0 to 9,000 bytes",
    proves: &[("echo", "0 bytes"), ("echo", "1 byte"), ("echo", "1,020 to 9,000 bytes")],
    hint: "What doesn't fit into your buffer is lost: the next recvfrom returns the next datagram, not the rest. How \
           long can a datagram be?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: |trial| echoes(trial, &[0, 1, 2, 4, 5, 1_020, 2_048, 4_093, 9_000]),
};

pub(super) const LARGEST_PAYLOAD: Case = Case {
    id: "largest",
    points: 1,
    rule: "the largest possible datagram comes back whole, and so does one that is a byte shorter",
    proves: &[("echo", "one byte less than the most that fits"), ("echo", "the most that fits")],
    hint: "65,507 bytes fit into one datagram over IPv4. How large is your buffer?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: |trial| echoes(trial, &[LARGEST_DATAGRAM - HEADER - 1, LARGEST_DATAGRAM - HEADER]),
};

fn echoes(trial: &mut Trial, lengths: &[usize]) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    for (number, length) in (some_number(trial) & !0xff..).zip(lengths) {
        let request = echo(number, &trial.bytes(*length));
        ask(&mut peer, &request, &request)?;
    }
    Ok(())
}

pub(super) const IDLE: Case = Case {
    id: "idle",
    points: 1,
    rule: "a program that has answered all requests waits for the next one without keeping the processor busy",
    proves: &[("idle", "after requests")],
    hint: "Which call in your program waits until a datagram arrives? If none does, your loop spins.",
    fits: &[Fault::Spins],
    play: idle,
};

fn idle(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    ask(&mut peer, &add(1, 5), &add(1, 5))?;
    trial.expect_idle()?;
    ask(&mut peer, &add(2, 5), &add(2, 10))
}

pub(super) const SILENCE: Case = Case {
    id: "silence",
    points: 1,
    rule: "silence is not the end: after it, the peer carries on, and the server still knows what it has done",
    proves: &[("silence", "between two requests")],
    hint: "Silence means nothing. Is there a timeout somewhere in your program?",
    fits: &[Fault::Impatient],
    play: silence,
};

fn silence(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    ask(&mut peer, &add(1, 5), &add(1, 5))?;
    peer.keep_silent()?;
    ask(&mut peer, &add(2, 6), &add(2, 11))?;
    ask(&mut peer, &add(1, 5), &add(1, 5))
}

pub(super) const BURST: Case = Case {
    id: "burst",
    points: 1,
    rule: "100 requests that are waiting at once are answered one by one",
    proves: &[("waiting", "100 different requests")],
    hint: "Each recvfrom returns one datagram: add its amount, answer it, and go back for the next one.",
    fits: &[Fault::Silent, Fault::Wrong, Fault::Extra],
    play: burst,
};

fn burst(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let mut ledger = Ledger::default();
    // The program is stopped meanwhile: otherwise, if it is fast enough, it would get them one at a time.
    trial.while_stopped(|trial| {
        peer.step(&format!("sends {WAITING} additions, numbers 1 to {WAITING}"));
        (1..=WAITING).try_for_each(|number| {
            let request = ledger.ask(number, trial.number(1, 999) as u32);
            peer.send_quietly(&request)
        })
    })?;
    all_answered(&mut peer, &mut ledger, 1)
}

/// Each request gets exactly as many answers as it was sent times, in any order, and the totals add up.
pub(super) fn all_answered(
    peer: &mut DatagramPeer,
    ledger: &mut Ledger,
    times: u32,
) -> Result<(), CaseFailure> {
    let mut due: BTreeMap<u32, u32> = ledger.numbers().map(|number| (number, times)).collect();
    peer.step(&format!("expects {} answers, in any order", due.len() as u32 * times));
    while let Some((&number, &missing)) = due.iter().next() {
        let Some(answer) = peer.next(PATIENCE)? else {
            let came = times - missing;
            let what = match came {
                0 => format!("no answer to number {number} came"),
                _ => format!("number {number} was sent {times} times, but only {came} answer came"),
            };
            return Err(CaseFailure::new(Fault::Silent, what));
        };
        let number = ledger.note(&answer)?;
        match due.remove(&number) {
            None => {
                let what = format!("more answers to number {number} came than requests were sent");
                return Err(CaseFailure::differs(Fault::Extra, what, b"", &answer));
            }
            Some(1) => {}
            Some(left) => _ = due.insert(number, left - 1),
        }
    }
    peer.step(SORTS);
    ledger.check()
}

pub(super) fn begin(trial: &mut Trial) -> Result<DatagramPeer, CaseFailure> {
    trial.start_udp_server()?;
    trial.datagram_peer("idle")
}

/// At least 2^24: with the wrong byte order, or as a signed number, it would be a different number.
pub(super) fn some_number(trial: &mut Trial) -> u32 {
    trial.number(1 << 24, 0xffff_fff0) as u32
}

pub(super) fn ask(
    peer: &mut DatagramPeer,
    request: &[u8],
    answer: &[u8],
) -> Result<(), CaseFailure> {
    peer.send(&named(request), request)?;
    peer.expect("the answer", answer)
}

/// Like [`ask`], but without a step in the report: used so often that a step for each would hide the rest.
pub(super) fn ask_quietly(
    peer: &mut DatagramPeer,
    request: &[u8],
    answer: &[u8],
) -> Result<(), CaseFailure> {
    peer.send_quietly(request)?;
    let named = named(request);
    match peer.next(PATIENCE)? {
        Some(came) if came == answer => Ok(()),
        Some(came) => {
            let what = format!("the answer to {named}, is not the right one");
            Err(CaseFailure::differs(Fault::Wrong, what, answer, &came))
        }
        None => Err(CaseFailure::new(Fault::Silent, format!("no answer to {named}, came"))),
    }
}
