//! Which peer sent a request, and which of its requests it is.

use super::answers::{ask, begin, some_number};
use super::ledger::{add, echo, named};
use crate::labs::lab::Case;
use crate::play::{DatagramPeer, Trial};
use crate::verdict::{CaseFailure, Fault};

pub(super) const TWO_PEERS: Case = Case {
    id: "two-peers",
    points: 2,
    rule: "each peer numbers its own requests, and each gets its own answers",
    proves: &[
        ("peer", "another port, the same host"),
        ("total", "amounts from two peers"),
        ("address", "two peers taking turns"),
        ("address", "requests from two peers, waiting at once"),
    ],
    hint: "Two peers may both have a request 7. How do you tell them apart, and where does each answer go?",
    fits: &[Fault::Wrong, Fault::Silent, Fault::Ended],
    play: two_peers,
};

fn two_peers(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let mut other = trial.datagram_peer("idle")?;
    by_turns(trial, &mut peer, &mut other)?;
    // Now both requests are waiting: the address of the last datagram is not the address of both.
    let hello = [echo(1, b"from one"), echo(1, b"from the other")];
    trial.while_stopped(|_| {
        peer.send(&named(&hello[0]), &hello[0])?;
        other.send(&named(&hello[1]), &hello[1])
    })?;
    peer.expect("the answer", &hello[0])?;
    other.expect("the answer", &hello[1])
}

pub(super) const TWO_HOSTS: Case = Case {
    id: "two-hosts",
    points: 1,
    rule: "two hosts may use the same port: they are two peers",
    proves: &[("peer", "another host, the same port (Linux only)")],
    hint: "Which part of the peer's address does your program compare?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: two_hosts,
};

fn two_hosts(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_udp_server()?;
    trial.step("two peers have the same port, one at 127.0.0.1 and one at 127.0.0.2");
    match trial.peers_of_two_hosts()? {
        Some([mut peer, mut other]) => by_turns(trial, &mut peer, &mut other),
        None => Ok(()),
    }
}

/// Both peers use the same number.
fn by_turns(
    trial: &mut Trial,
    peer: &mut DatagramPeer,
    other: &mut DatagramPeer,
) -> Result<(), CaseFailure> {
    let number = some_number(trial);
    ask(peer, &add(number, 5), &add(number, 5))?;
    ask(other, &add(number, 6), &add(number, 11))?;
    ask(peer, &add(number, 5), &add(number, 5))?;
    ask(other, &add(number, 6), &add(number, 11))
}

pub(super) const PEER_IS_GONE: Case = Case {
    id: "peer-is-gone",
    points: 1,
    rule: "a peer that is gone before its answer is sent does no harm: the next peer is served",
    proves: &[("gone", "a peer that has closed its socket")],
    hint: "Nobody receives this answer, and the kernel may tell you so at your next call: ECONNREFUSED. Should that \
           stop your server?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Wrong],
    play: peer_is_gone,
};

fn peer_is_gone(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut stays = begin(trial)?;
    ask(&mut stays, &add(1, 5), &add(1, 5))?;
    for round in 0..3 {
        let mut leaves = trial.datagram_peer("idle")?;
        // The program gets the request only after the peer's socket has been closed.
        trial.while_stopped(|_| {
            leaves.send("add 1, number 1", &add(1, 1))?;
            leaves.send("add 1, number 2", &add(2, 1))?;
            leaves.close();
            Ok(())
        })?;
        let number = 2 + round;
        // 5, then 2 + 1 in each round so far, then 2 + 1 again.
        ask(&mut stays, &add(number, 1), &add(number, 8 + 3 * round))?;
    }
    trial.expect_idle()
}

pub(super) const ANY_ORDER: Case = Case {
    id: "any-order",
    points: 1,
    rule: "a lower number after a higher one is a request like any other",
    proves: &[("number", "a lower number after a higher one")],
    hint: "The network may let one datagram overtake another: a lower number is not always an old request.",
    fits: &[Fault::Wrong, Fault::Silent],
    play: |trial| different(trial, &[7, 3, u32::MAX, 0, 5, 7 << 24, 7 + (1 << 16)]),
};

pub(super) const EVERY_NUMBER: Case = Case {
    id: "every-number",
    points: 1,
    rule: "a number is four bytes, and all of them count",
    proves: &[
        ("number", "0, 2³¹ and 4,294,967,295"),
        ("number", "numbers that differ in only one byte, for each of the four"),
    ],
    hint: "How many bytes of the number does your program compare, and is any number special to it?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: every_number,
};

fn every_number(trial: &mut Trial) -> Result<(), CaseFailure> {
    let some = some_number(trial);
    let mut numbers = vec![0, 1, u32::MAX, u32::MAX - 1, 1 << 31, i32::MAX as u32, some];
    numbers.extend(
        [1, 1 << 8, 1 << 16, 1 << 24, 1 << 7, 1 << 15, 1 << 23, 1 << 31].map(|bit| some ^ bit),
    );
    different(trial, &numbers)
}

/// These are all different requests. Asked again, each is answered as before.
fn different(trial: &mut Trial, numbers: &[u32]) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let mut asked = Vec::new();
    let mut total = 0;
    for &number in numbers {
        let amount = trial.number(1, 1_000) as u32;
        total += amount;
        ask(&mut peer, &add(number, amount), &add(number, total))?;
        asked.push((number, amount, total));
    }
    peer.step("asks again for each of them");
    for (number, amount, total) in asked {
        ask(&mut peer, &add(number, amount), &add(number, total))?;
    }
    Ok(())
}
