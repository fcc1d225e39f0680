//! Peers that end their side, leave, reset, or break the rules.

use std::rc::Rc;

use super::answer::{Answer, ask, frame, unhurried};
use super::bounds::{ALLOWED, PACE, expect_gone};
use super::liveness::Liveness;
use super::output::{both, err, out};
use super::requests::next_peer;
use super::{COMMAND, OUTPUT, word};
use crate::labs::framed::Order;
use crate::labs::lab::Case;
use crate::labs::leaving::{LEAVINGS, leave_full, leave_owed};
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault};

/// More peers than a pool has workers, and more than the program has descriptors.
const PEERS: usize = 1100;

pub(super) const HALF_CLOSE: Case = Case {
    id: "half-close",
    points: 1,
    rule: "a peer that ends its side while a command runs still gets the answer",
    proves: &[("half-close", "the end comes while a command runs")],
    hint: "The peer won't send any more. Does that mean that it isn't reading either?",
    fits: &[Fault::Short, Fault::Reset, Fault::SilentAfterEnd, Fault::Form, Fault::Wrong],
    play: half_close,
};

fn half_close(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let word = word(trial);
    let patience = Rc::clone(&trial.patience);
    let answer = unhurried(&patience, || {
        let mut peer = trial.connect("idle")?;
        let mut liveness = Liveness::begin(trial)?;
        liveness.send(&mut peer, &format!("sleep 1; echo {word}"))?;
        liveness.wait_start(trial)?;
        peer.end()?;
        let answer = Answer::receive(&mut peer)?;
        peer.expect_end()?;
        Ok(answer)
    })?;
    answer.is(format!("{word}\n"))
}

pub(super) const LATE_END: Case = Case {
    id: "late-end",
    points: 1,
    rule: "a peer that has ended its side and reads late gets all of a 2 MiB answer, and then the end of the stream",
    proves: &[("half-close", "2 MiB are due, and the peer reads late")],
    hint: "When the kernel's buffers are full, what happens to the bytes that you haven't written yet? The peer has \
           ended its side, but is still reading.",
    fits: &[Fault::Short, Fault::Reset, Fault::SilentAfterEnd],
    play: late_end,
};

fn late_end(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let patience = Rc::clone(&trial.patience);
    let answer = unhurried(&patience, || {
        let mut peer = trial.connect_narrow()?;
        let mut liveness = Liveness::begin(trial)?;
        liveness.send(&mut peer, &format!("{}{}", out(OUTPUT), err(OUTPUT)))?;
        liveness.wait_start(trial)?;
        peer.end()?;
        liveness.wait_end(trial)?;
        peer.stay_away()?;
        let answer = Answer::receive(&mut peer)?;
        peer.expect_end()?;
        Ok(answer)
    })?;
    answer.is(both(OUTPUT, OUTPUT))
}

pub(super) const PEER_LEAVES: Case = Case {
    id: "peer-leaves",
    points: 2,
    rule: "when a peer leaves while its command runs, the command is killed, and the server serves the next peer",
    proves: &[
        ("leaves", "it resets while its command runs"),
        ("leaves", "it closes while its command runs"),
        ("next", "after a peer that left"),
    ],
    hint: "The answer can't be sent. Should that end your server?",
    fits: &[Fault::Ended, Fault::Silent],
    play: peer_leaves,
};

fn peer_leaves(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    for leave in [Peer::reset, Peer::close] {
        expect_gone(trial, "echo before; sleep 60 & sleep 60", leave)?;
        next_peer(trial)?;
    }
    Ok(())
}

pub(super) const LEAVES_OWED: Case = Case {
    id: "leaves-owed",
    points: 2,
    rule: "when a peer leaves with three answers due, the server serves the next peer",
    proves: &[
        ("leaves", "it closes with answers due"),
        ("leaves", "it ends its side and then resets, with answers due"),
        ("leaves", "it resets with answers due"),
        ("next", "after a peer that left"),
        ("idle", "after a peer that left"),
    ],
    hint: "Writing to a peer that is gone fails with EPIPE or ECONNRESET, and raises SIGPIPE unless you ignore that \
           signal. Whose problem should that be?",
    fits: &[Fault::Ended, Fault::Silent],
    play: leaves_owed,
};

fn leaves_owed(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let requests = frame("echo more").repeat(3);
    for leaving in LEAVINGS {
        let mut peer = trial.connect("idle")?;
        ask(&mut peer, "echo first", "first\n")?;
        leave_owed(trial, peer, &requests, leaving)?;
        next_peer(trial)?;
    }
    trial.expect_idle()
}

pub(super) const RESETS: Case = Case {
    id: "resets",
    points: 1,
    rule: "a peer may reset the connection when nothing is going on, inside a request, or with all buffers full",
    proves: &[
        ("leaves", "it resets when nothing is going on"),
        ("leaves", "it resets inside a request"),
        ("leaves", "it resets with unread bytes in both directions"),
        ("next", "after a reset"),
        ("idle", "after a reset"),
    ],
    hint: "A read can fail, and so can a write that has been waiting: ECONNRESET, EPIPE. What does your program do then?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: resets,
};

fn resets(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    for part in [0, 2, 9] {
        let mut peer = trial.connect("idle")?;
        ask(&mut peer, "echo first", "first\n")?;
        if part > 0 {
            peer.send(&frame("echo more")[..part])?;
        }
        peer.reset();
        next_peer(trial)?;
    }
    // The first answer is larger than all buffers, so the requests after it are never read.
    let write = format!("{}{}", out(OUTPUT), err(OUTPUT));
    let padded = write.clone() + &" ".repeat(COMMAND as usize - write.len());
    leave_full(trial, &frame(padded).repeat(16))?;
    next_peer(trial)?;
    trial.expect_idle()
}

pub(super) const MANY_PEERS: Case = Case {
    id: "many-peers",
    points: 1,
    rule: "after 1,100 peers that broke the framing or left inside a request, the next one is served",
    proves: &[
        ("resources", "after 1,100 peers that broke the framing"),
        ("next", "after a refused request"),
    ],
    hint: "What does a refused peer leave behind in your program: an open socket, a thread, a place in a list?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Open, Fault::Reset, Fault::Short],
    play: many_peers,
};

fn many_peers(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let wrong = Order::Little.length(-1);
    let half = frame("echo more")[..9].to_vec();
    trial.quietly(
        format!("{PEERS} peers come: a wrong length, an end inside a request, a reset inside one"),
        |trial| {
            for number in 1..=PEERS {
                one_of_many(trial, number % 3, &wrong, &half).map_err(|failure| {
                    let what = format!("peer {number} of {PEERS}: {}", failure.what);
                    trial.or_ended(CaseFailure { what, ..failure })
                })?;
            }
            Ok(())
        },
    )?;
    next_peer(trial)
}

fn one_of_many(
    trial: &mut Trial,
    way: usize,
    wrong: &[u8],
    half: &[u8],
) -> Result<(), CaseFailure> {
    let mut peer = trial.connect("idle")?;
    match way {
        0 => {
            peer.send(wrong)?;
            peer.expect_closed()
        }
        1 => {
            peer.send(half)?;
            peer.end()?;
            peer.expect_closed()
        }
        _ => {
            peer.send(half)?;
            peer.reset();
            Ok(())
        }
    }
}
