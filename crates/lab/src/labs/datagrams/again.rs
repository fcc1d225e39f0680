//! Requests that arrive again.

use std::time::{Duration, Instant};

use super::answers::{WAITING, all_answered, ask, ask_quietly, begin, some_number};
use super::ledger::{Ledger, SORTS, add, echo, named};
use crate::labs::lab::Case;
use crate::play::{DatagramPeer, Trial};
use crate::verdict::{CaseFailure, Fault};

/// How many additions a server has to remember.
const REMEMBERED: u32 = 256;
/// How many echoes are sent, which the server doesn't have to remember, and how often one addition is repeated.
const REPEATED: u32 = 1_100;
/// How many more are sent: too many for a memory that is emptied when it is full, or that forgets at random.
const MORE: u32 = 2_000;
/// How long the peer waits for an answer before it asks again. On a slow machine this may be too short, but that only
/// means one more duplicate.
const RETRY: Duration = Duration::from_millis(50);
/// How often it asks, over 8 s in all: the network loses the request or the answer in one case out of three.
const RETRIES: u32 = 160;

pub(super) const DUPLICATE: Case = Case {
    id: "duplicate",
    points: 2,
    rule: "a request that comes twice is carried out once, and answered the same twice",
    proves: &[("once", "twice in a row")],
    hint: "How do you know that you have carried out this request already? What do you answer then?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: duplicate,
};

fn duplicate(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let (number, amount) = (some_number(trial), trial.number(1, 1_000_000) as u32);
    peer.send(&named(&add(number, amount)), &add(number, amount))?;
    peer.send("the same again", &add(number, amount))?;
    peer.expect("the answer", &add(number, amount))?;
    peer.expect("the same answer again", &add(number, amount))?;
    ask(&mut peer, &add(number + 1, 1), &add(number + 1, amount + 1))
}

pub(super) const ANSWER_LOST: Case = Case {
    id: "answer-lost",
    points: 2,
    rule: "a peer that lost an answer asks again, after other requests, and gets the same answer",
    proves: &[("once", "again, after other requests")],
    hint: "Keep the answer you sent the first time: the total has changed since. Remembering only the last request \
           isn't enough.",
    fits: &[Fault::Wrong, Fault::Silent],
    play: answer_lost,
};

fn answer_lost(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let number = some_number(trial);
    ask(&mut peer, &add(number, 5), &add(number, 5))?;
    ask(&mut peer, &add(number + 1, 6), &add(number + 1, 11))?;
    ask(&mut peer, &add(number + 2, 7), &add(number + 2, 18))?;
    peer.step("treats the answer to the first request as lost, and asks again");
    ask(&mut peer, &add(number, 5), &add(number, 5))?;
    ask(&mut peer, &add(number + 3, 1), &add(number + 3, 19))
}

pub(super) const DUPLICATES_WAITING: Case = Case {
    id: "duplicates-waiting",
    points: 1,
    rule: "50 requests, each sent twice, are waiting at once: all 100 are answered, and no addition is carried out \
           twice",
    proves: &[("waiting", "50 requests, each sent twice")],
    hint: "The same request is in the kernel's queue twice, with others in between. Does each of the two get an \
           answer?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: duplicates_waiting,
};

fn duplicates_waiting(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let mut ledger = Ledger::default();
    trial.while_stopped(|trial| {
        let half = WAITING / 2;
        peer.step(&format!("sends additions, numbers 1 to {half}, and each once more"));
        for number in 1..=half {
            peer.send_quietly(&ledger.ask(number, trial.number(1, 999) as u32))?;
            // It repeats every second one right away, and the others at the end.
            if number % 2 == 1 {
                peer.send_quietly(&ledger.request(number))?;
            }
        }
        (2..=half).step_by(2).try_for_each(|number| peer.send_quietly(&ledger.request(number)))
    })?;
    all_answered(&mut peer, &mut ledger, 2)
}

pub(super) const REMEMBERS: Case = Case {
    id: "remembers",
    points: 1,
    rule: "the answers to the last 256 additions are remembered, however many echoes and repetitions come in between",
    proves: &[("remember", "the oldest of 256, after 1,100 echoes and 1,100 repetitions")],
    hint: "How many answers do you keep, and which ones do you forget first?",
    fits: &[Fault::Wrong],
    play: remembers,
};

fn remembers(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    peer.step("sends add 1 with the numbers 0 to 255, and reads each answer");
    for number in 0..REMEMBERED {
        ask_quietly(&mut peer, &add(number, 1), &add(number, number + 1))?;
    }
    peer.step(&format!("sends {REPEATED} echoes, and asks for number 255 again, just as often"));
    for number in 300..300 + REPEATED {
        let request = echo(number, b"no addition");
        ask_quietly(&mut peer, &request, &request)?;
        ask_quietly(&mut peer, &add(255, 1), &add(255, 256))?;
    }
    peer.step("treats the answer to the first addition as lost, and asks again");
    ask(&mut peer, &add(0, 1), &add(0, 1))?;
    ask(&mut peer, &add(256, 1), &add(256, 257))
}

pub(super) const REMEMBERS_ALL_PEERS: Case = Case {
    id: "remembers-all-peers",
    points: 1,
    rule: "the last 256 additions are remembered, however they are divided among the peers",
    proves: &[("remember", "the oldest of 256 from three peers")],
    hint: "Do you keep the same number for each peer? One of them may have sent nearly all of the 256.",
    fits: &[Fault::Wrong],
    play: remembers_all_peers,
};

fn remembers_all_peers(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut first = begin(trial)?;
    let (mut second, mut third) = (trial.datagram_peer("idle")?, trial.datagram_peer("idle")?);
    let mut total = 0;
    for (peer, count) in [(&mut first, 254), (&mut second, 1), (&mut third, 1)] {
        peer.step(&format!(
            "sends add 1, {count} times, with numbers from 0, and reads each answer"
        ));
        for number in 0..count {
            total += 1;
            ask_quietly(peer, &add(number, 1), &add(number, total))?;
        }
    }
    first.step("asks again for all of its additions");
    for number in 0..254 {
        ask_quietly(&mut first, &add(number, 1), &add(number, number + 1))?;
    }
    ask(&mut second, &add(0, 1), &add(0, 255))?;
    ask(&mut third, &add(0, 1), &add(0, 256))
}

pub(super) const FORGETS_THE_OLDEST: Case = Case {
    id: "forgets-the-oldest",
    points: 2,
    rule: "the addition to forget is the oldest one, not the one whose last request is longest ago",
    proves: &[
        ("remember", "the oldest of 256, after another one was asked for again"),
        ("remember", "the oldest of 256, after each of 2,000 further additions"),
        ("remember", "256 whose numbers differ only in the upper two bytes"),
    ],
    hint: "Asking for an addition again doesn't make it any newer. Which one does your program forget when there are \
           too many, and how many at a time?",
    fits: &[Fault::Wrong],
    play: forgets_the_oldest,
};

fn forgets_the_oldest(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut peer = begin(trial)?;
    let one = |peer: &mut DatagramPeer, number| {
        ask_quietly(peer, &add(number, 1), &add(number, number + 1))
    };
    peer.step("sends add 1 with the numbers 0 to 255, and reads each answer");
    (0..REMEMBERED).try_for_each(|number| one(&mut peer, number))?;
    peer.step("asks again for number 0, sends number 256, and asks again for number 1");
    [0, REMEMBERED, 1].into_iter().try_for_each(|number| one(&mut peer, number))?;
    peer.step(&format!(
        "sends {MORE} more, and asks again for the oldest of the last 256 after each"
    ));
    for number in REMEMBERED + 1..=REMEMBERED + MORE {
        one(&mut peer, number)?;
        one(&mut peer, number - (REMEMBERED - 1))?;
    }
    // In a hash table these numbers can all end up in one place. Removing one must not hide the others.
    let (before, all) = (REMEMBERED + MORE + 1, REMEMBERED + 50);
    let upper = |peer: &mut DatagramPeer, number: u32| {
        ask_quietly(
            peer,
            &add((number + 1) << 16, 1),
            &add((number + 1) << 16, before + number + 1),
        )
    };
    peer.step(&format!(
        "sends {all} with numbers whose lower two bytes are 0, and asks again for the last 256"
    ));
    (0..all).chain(all - REMEMBERED..all).try_for_each(|number| upper(&mut peer, number))
}

pub(super) const UNKIND_NETWORK: Case = Case {
    id: "unkind-network",
    points: 3,
    rule: "on a network that loses, duplicates and reorders, each request is carried out exactly once",
    proves: &[("once", "again, on a network that loses, duplicates and reorders")],
    hint: "The peer asks again until it has an answer. Sort the answers by their totals: each must be the one before \
           plus its own amount.",
    fits: &[Fault::Wrong, Fault::Silent],
    play: unkind_network,
};

fn unkind_network(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_udp_server()?;
    let mut peer = trial.datagram_peer("drop=0.2 duplicate=0.4 reorder=0.3")?;
    let mut ledger = Ledger::default();
    peer.step("the network loses, duplicates and reorders, in both directions");
    for round in 0..6 {
        // Several at a time, so that one can overtake another.
        let (least, most) = (round * 4, round * 4 + 3);
        for number in least..=most {
            ledger.ask(number, trial.number(1, 999) as u32);
        }
        let again = RETRY.as_millis();
        peer.step(&format!(
            "sends additions, numbers {least} to {most}, and repeats each every {again} ms until it has its answer"
        ));
        until_answered(&mut peer, &mut ledger)?;
    }
    peer.step(SORTS);
    ledger.check()
}

fn until_answered(peer: &mut DatagramPeer, ledger: &mut Ledger) -> Result<(), CaseFailure> {
    for _ in 0..RETRIES {
        for number in ledger.unanswered() {
            peer.send_quietly(&ledger.request(number))?;
        }
        let retry = Instant::now() + RETRY;
        loop {
            if ledger.unanswered().is_empty() {
                return Ok(());
            }
            let left = retry.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let Some(answer) = peer.hears(left)? else { break };
            ledger.note(&answer)?;
        }
    }
    let numbers = ledger.unanswered();
    Err(CaseFailure::new(
        Fault::Silent,
        format!("no answer to numbers {numbers:?} came, though the peer asked {RETRIES} times"),
    ))
}
