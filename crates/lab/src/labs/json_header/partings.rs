//! How a connection ends: at the peer's end of stream, with a reset, or because the peer is gone.

use std::time::Duration;

use crate::labs::header::{ask, expect_answer, head, next_peer, request};
use crate::labs::lab::Case;
use crate::labs::leaving::{LEAVINGS, leave_full, leave_owed};
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// More than fits between a peer with small buffers and a program that has stopped writing.
const LARGE: usize = 512 << 10;
/// How long a program may take for that: at 32 KiB a second, even a program that moves one byte with each call is fast
/// enough.
const LARGE_TAKES: Duration = Duration::from_secs(16);
/// How many requests of 1,000 bytes. Together they are nearly as long as that.
const UNREAD: usize = 500;
/// More peers than any pool has workers, and more than a program has descriptors on most systems (1,024).
const BROKEN_PEERS: usize = 1_100;

pub(super) const END_BETWEEN: Case = Case {
    id: "end-between",
    points: 1,
    rule: "a peer that ends its side between two requests gets nothing more than the end of the stream",
    proves: &[("end", "the last answer was read"), ("end", "the peer has sent nothing at all")],
    hint: "At the end of the stream, recv returns 0 bytes. What does your program do if that happens on the first \
           call?",
    fits: &[Fault::Extra, Fault::Open, Fault::Reset],
    play: end_between,
};

fn end_between(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    for requests in [0, 2] {
        let mut peer = trial.connect("idle")?;
        for _ in 0..requests {
            ask(&mut peer, &trial.text(5))?;
        }
        peer.end()?;
        peer.expect_end()?;
    }
    next_peer(trial)
}

pub(super) const END_INSIDE: Case = Case {
    id: "end-inside",
    points: 2,
    rule: "if the stream ends inside a request, the connection is closed without an answer; the next peer is served",
    proves: &[
        ("end-inside", "inside the length"),
        ("end-inside", "inside the header"),
        ("end-inside", "inside the body"),
    ],
    hint: "At the end of the stream, recv returns 0 bytes, however often you call it. Does each of your loops end, and \
           with an error?",
    fits: &[Fault::Extra, Fault::Open, Fault::Ended],
    play: end_inside,
};

fn end_inside(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let whole = request("upper", &trial.text(9));
    let body = whole.len() - 9;
    for (place, bytes) in [
        ("the length", 1),
        ("the length", 3),
        ("the header, before its first byte", 4),
        ("the header", 20),
        ("the header, before its last byte", body - 1),
        ("the body, before its first byte", body),
        ("the body, before its last byte", whole.len() - 1),
    ] {
        let mut peer = trial.connect("idle")?;
        trial.step(format!("the stream ends inside {place}"));
        peer.send(&whole[..bytes])?;
        peer.end()?;
        peer.expect_closed()?;
    }
    next_peer(trial)
}

pub(super) const LATE_END: Case = Case {
    id: "late-end",
    points: 1,
    rule: "a peer that has ended its side and reads late gets its whole answer of 512 KiB, and then the end of the \
           stream",
    proves: &[
        ("end", "the last answer is larger than the buffers, and the peer reads late"),
        ("pace", "512 KiB"),
    ],
    hint: "When the buffers are full, a write takes only part of what you gave it. Who writes the rest, and does that \
           still happen after the peer has ended its side?",
    fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
    play: late_end,
};

fn late_end(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let body = trial.text(1 << 10).repeat(LARGE >> 10);
    let mut peer = trial.connect_narrow()?;
    trial.allow(LARGE_TAKES);
    peer.send(&request("upper", &body))?;
    peer.end()?;
    peer.stay_away()?;
    expect_answer(&mut peer, &body.to_ascii_uppercase())?;
    peer.expect_end()
}

pub(super) const SLOW_READER: Case = Case {
    id: "slow-reader",
    points: 1,
    rule: "a peer that sends 500 requests and reads late loses none of the answers",
    proves: &[("unread", "500 answers of 1,000 bytes")],
    hint: "The peer reads nothing for a while, and the buffers are full. What does your program do with an answer \
           that doesn't fit?",
    fits: &[Fault::Wrong, Fault::Form, Fault::Short, Fault::Silent, Fault::Full],
    play: slow_reader,
};

fn slow_reader(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let body = trial.text(1_000);
    let (one, answer) = (request("upper", &body), body.to_ascii_uppercase());
    let requests = one.repeat(UNREAD);
    let mut peer = trial.connect_narrow()?;
    trial.allow(LARGE_TAKES);
    // How much the kernel takes is chance, and the report should be the same each time, so the step gives no number.
    let step = format!(
        "sends {UNREAD} requests of {} bytes, and reads only when nothing more fits into the buffers",
        one.len()
    );
    peer.quietly(&step, |peer| {
        let (mut sent, mut answered) = (0, 0);
        while answered < UNREAD {
            sent += peer.fill(&requests[sent..]);
            for _ in answered..sent / one.len() {
                expect_answer(peer, &answer)?;
            }
            answered = sent / one.len();
        }
        Ok(())
    })
}

pub(super) const PEER_LEAVES: Case = Case {
    id: "peer-leaves",
    points: 2,
    rule: "when a peer leaves before its answers are sent, the program carries on and serves the next",
    proves: &[
        ("leaves", "it closes"),
        ("leaves", "it ends its side, and then resets"),
        ("leaves", "it resets"),
        ("idle", "after a peer that left"),
    ],
    hint: "Writing to a peer that is gone fails with EPIPE or ECONNRESET, and raises SIGPIPE unless you ignore that \
           signal. Whose problem should that be?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: peer_leaves,
};

fn peer_leaves(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let requests = request("upper", &trial.text(500)).repeat(20);
    for leaving in LEAVINGS {
        let mut peer = trial.connect("idle")?;
        ask(&mut peer, &trial.text(5))?;
        leave_owed(trial, peer, &requests, leaving)?;
        next_peer(trial)?;
    }
    trial.expect_idle()
}

pub(super) const RESET: Case = Case {
    id: "reset",
    points: 1,
    rule: "whenever a peer resets its connection, the next peer is still served",
    proves: &[
        ("broken", "reset before the program accepts"),
        ("broken", "reset inside a request"),
        ("broken", "reset with an unread answer"),
        ("broken", "reset with unread bytes in both directions"),
        ("idle", "after a reset"),
    ],
    hint: "A reset is an error on one connection, and it may have come before your first call on it. How far up your \
           program does that error travel?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: reset,
};

fn reset(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    // The answer proves that the program has accepted this connection, so the reset reaches the program, not the accept
    // queue.
    ask(&mut peer, &trial.text(5))?;
    peer.send(&request("upper", &trial.text(9))[..20])?;
    peer.reset();
    next_peer(trial)?;

    let mut peer = trial.connect("idle")?;
    peer.send(&request("upper", &trial.text(900)))?;
    // The rest of the answer has arrived or will arrive.
    peer.receive("the length of the answer's header", 4)?;
    peer.reset();
    next_peer(trial)?;

    trial.while_stopped(|trial| {
        trial.connect("idle")?.reset();
        Ok(())
    })?;
    next_peer(trial)?;

    let requests = request("upper", &trial.text(1_000)).repeat(UNREAD);
    leave_full(trial, &requests)?;
    next_peer(trial)?;
    trial.expect_idle()
}

pub(super) const MANY_BROKEN_PEERS: Case = Case {
    id: "broken-peers",
    points: 1,
    rule: "1,100 peers reset, and 1,100 break the protocol, one after another; the next peer is served",
    proves: &[("broken-peers", "1,100 peers that reset, and 1,100 that break the protocol")],
    hint: "What does your program hold for a connection: a descriptor, a thread, a place in a pool? Is it released \
           when the connection ends with an error?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Open],
    play: many_broken_peers,
};

fn many_broken_peers(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(LARGE_TAKES);
    let hello = request("upper", b"hello");
    let half = &hello[..20];
    let nonsense = [head(b"[]"), 0_i32.to_le_bytes().to_vec(), head(br#"{"data_len": -1}"#)];
    let done = trial.quietly(
        format!("{BROKEN_PEERS} peers are answered and reset, one after another; then {BROKEN_PEERS} break the \
                 protocol or their connection"),
        |trial| {
            // The peers that reset also get a series of their own: a failing recv may leave the program's loop in a
            // different way.
            (0..BROKEN_PEERS).try_for_each(|_| {
                let mut peer = trial.connect("idle")?;
                peer.send(&hello)?;
                expect_answer(&mut peer, b"HELLO")?;
                peer.reset();
                Ok(())
            })?;
            (0..BROKEN_PEERS).try_for_each(|number| {
                let mut peer = trial.connect("idle")?;
                match nonsense.get(number % 5) {
                    Some(nonsense) => peer.send(nonsense)?,
                    None => peer.send(half)?,
                }
                match number % 5 {
                    4 => {
                        peer.reset();
                        return Ok(());
                    }
                    3 => peer.end()?,
                    _ => {}
                }
                peer.expect_closed()
            })
        },
    );
    done.map_err(|failure| trial.or_ended(failure))?;
    next_peer(trial)
}
