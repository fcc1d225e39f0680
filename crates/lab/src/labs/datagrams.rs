//! datagrams: a UDP server with numbered requests, of which each is carried out once, however often it comes.

mod ledger;

use std::time::{Duration, Instant};

use ledger::{HEADER, Ledger, SORTS, add, echo, named};

use super::{Case, Lab, texts};
use crate::{Broken, DatagramPeer, Fault, LARGEST, PATIENCE, Trial};

pub(super) const LAB: Lab = Lab {
    name: "datagrams",
    task: "a UDP server with numbered requests: each is carried out once, however often it comes",
    rules: &[],
    cases: &[
        Case {
            id: "first",
            points: 1,
            rule: "a request gets its answer: the same number, the same operation, the result",
            hint: "The answer begins with the five bytes of the request's header. Numbers are in network byte order: the \
                   most significant byte first.",
            proves: &[],
            fits: &[],
            play: first,
        },
        Case {
            id: "sizes",
            points: 2,
            rule: "an echo brings back its whole payload, from 0 to 9,000 bytes",
            hint: "What does not fit into your buffer is gone: the next recvfrom brings the next datagram, not the rest. \
                   How long can a datagram be?",
            proves: &[],
            fits: &[],
            play: sizes,
        },
        Case {
            id: "largest",
            points: 1,
            rule: "the largest datagram there is comes back whole",
            hint: "65,507 bytes fit into one datagram over IPv4. How large is your buffer?",
            proves: &[],
            fits: &[],
            play: largest,
        },
        Case {
            id: "empty-datagram",
            points: 1,
            rule: "an empty datagram is ignored: it is not an end",
            hint: "For a stream, 0 bytes mean the end. A datagram of 0 bytes is just a short one.",
            proves: &[],
            fits: &[],
            play: empty_datagram,
        },
        Case {
            id: "garbage",
            points: 2,
            rule: "what is no request is ignored, without an answer, and the next request is answered",
            hint: "What do you do with a datagram shorter than the header, with an unknown operation, with an add of 3 \
                   bytes? Look at the length before you take a number out.",
            proves: &[],
            fits: &[],
            play: garbage,
        },
        Case {
            id: "burst",
            points: 1,
            rule: "requests that wait together are answered one by one",
            hint: "Each recvfrom brings one datagram: answer it, and go round. Add up what each of them says.",
            proves: &[],
            fits: &[],
            play: burst,
        },
        Case {
            id: "duplicate",
            points: 2,
            rule: "a request that comes twice is carried out once, and answered the same twice",
            hint: "How do you know that you have carried out this request already? What do you answer then?",
            proves: &[],
            fits: &[],
            play: duplicate,
        },
        Case {
            id: "answer-lost",
            points: 2,
            rule: "a peer that lost an answer asks again, with other requests between, and gets that answer again",
            hint: "The answer to keep is the one you sent then: the total has moved on since. To remember the last \
                   request only is not enough.",
            proves: &[],
            fits: &[],
            play: answer_lost,
        },
        Case {
            id: "remembers",
            points: 1,
            rule: "the answers to the last 256 additions are remembered, whatever echoes come between",
            hint: "How many answers do you keep, and which ones do you forget first?",
            proves: &[],
            fits: &[],
            play: remembers,
        },
        Case {
            id: "two-peers",
            points: 2,
            rule: "peers number their requests each for itself, and each gets its own answers",
            hint: "Two peers may both have a request 7. By what do you tell them apart, and where does the answer go?",
            proves: &[],
            fits: &[],
            play: two_peers,
        },
        Case {
            id: "any-order",
            points: 1,
            rule: "a lower number after a higher one is a request like any other",
            hint: "The network may let one datagram overtake another: a lower number is not always an old request.",
            proves: &[],
            fits: &[],
            play: any_order,
        },
        Case {
            id: "unkind-network",
            points: 3,
            rule: "on a network that loses, doubles and reorders, each request is carried out exactly once",
            hint: "The peer asks again until it has an answer. Sort the answers by their totals: each must be the one \
                   before plus its own amount.",
            proves: &[],
            fits: &[],
            play: unkind_network,
        },
    ],
    texts: texts!("datagrams"),
};

/// How long the peer waits for an answer before it asks again. Too short on a slow machine is harmless: one more duplicate.
const RETRY: Duration = Duration::from_millis(50);

fn first(trial: &mut Trial) -> Result<(), Broken> {
    let (mut peer, number) = (begin(trial)?, some_number(trial));
    ask(&mut peer, &echo(number, b"hello \n\0"), &echo(number, b"hello \n\0"))?;
    let amount = trial.number(1_000, 1_000_000) as u32;
    ask(&mut peer, &add(number + 1, amount), &add(number + 1, amount))?;
    ask(&mut peer, &add(number + 2, u32::MAX), &add(number + 2, amount - 1))
}

fn sizes(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    for (number, length) in [0, 1, 1_020, 2_048, 4_093, 9_000].into_iter().enumerate() {
        let request = echo(number as u32, &trial.bytes(length));
        ask(&mut peer, &request, &request)?;
    }
    Ok(())
}

fn largest(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    let request = echo(some_number(trial), &trial.bytes(LARGEST - HEADER));
    ask(&mut peer, &request, &request)
}

fn empty_datagram(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    peer.send("an empty datagram", b"")?;
    ask(&mut peer, &add(1, 5), &add(1, 5))?;
    peer.send("an empty datagram", b"")?;
    ask(&mut peer, &add(2, 5), &add(2, 10))
}

fn garbage(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    for length in 1..HEADER {
        peer.send("less than a header", &trial.bytes(length))?;
    }
    ask(&mut peer, &add(1, 5), &add(1, 5))?;
    let mut unknown = echo(2, b"hello");
    // Below "A" there is no letter.
    unknown[4] = trial.number(0, 0x40) as u8;
    peer.send("an unknown operation", &unknown)?;
    for length in [0, 3, 5] {
        let request = [&add(3, 0)[..HEADER], &trial.bytes(length)].concat();
        peer.send(&format!("an add with {length} bytes instead of 4"), &request)?;
    }
    ask(&mut peer, &add(4, 5), &add(4, 10))
}

fn burst(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    let mut ledger = Ledger::default();
    // Else a program that is fast enough would see one after the other.
    trial.while_stopped(|trial| {
        (1..=20).try_for_each(|number| {
            let request = ledger.ask(number, trial.number(1, 999) as u32);
            peer.send(&named(&request), &request)
        })
    })?;
    peer.step("expects 20 answers, in any order");
    while let Some(&number) = ledger.unanswered().first() {
        let Some(answer) = peer.next(PATIENCE)? else {
            return Err(Broken::new(Fault::Rule, format!("no answer to number {number} came")));
        };
        ledger.note(&answer)?;
    }
    peer.step(SORTS);
    ledger.check()
}

fn duplicate(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    let (number, amount) = (some_number(trial), trial.number(1, 1_000_000) as u32);
    peer.send(&named(&add(number, amount)), &add(number, amount))?;
    peer.send("the same again", &add(number, amount))?;
    peer.expect("the answer", &add(number, amount))?;
    peer.expect("the same answer again", &add(number, amount))?;
    ask(&mut peer, &add(number + 1, 1), &add(number + 1, amount + 1))
}

fn answer_lost(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    let number = some_number(trial);
    ask(&mut peer, &add(number, 5), &add(number, 5))?;
    ask(&mut peer, &add(number + 1, 6), &add(number + 1, 11))?;
    ask(&mut peer, &add(number + 2, 7), &add(number + 2, 18))?;
    peer.step("takes the answer to the first request for lost, and asks again");
    ask(&mut peer, &add(number, 5), &add(number, 5))?;
    ask(&mut peer, &add(number + 3, 1), &add(number + 3, 19))
}

fn remembers(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    peer.step("sends add 1 with the numbers 0 to 255, and reads each answer");
    for number in 0..256 {
        peer.send_quietly(&add(number, 1))?;
        match peer.next(PATIENCE)? {
            Some(answer) if answer == add(number, number + 1) => {}
            Some(answer) => {
                let what = format!("the answer to number {number} is not the right one");
                return Err(Broken::differs(Fault::Wrong, what, &add(number, number + 1), &answer));
            }
            None => {
                return Err(Broken::new(Fault::Rule, format!("no answer to number {number} came")));
            }
        }
    }
    ask(&mut peer, &echo(300, b"no addition"), &echo(300, b"no addition"))?;
    peer.step("takes the answer to the first addition for lost, and asks again");
    ask(&mut peer, &add(0, 1), &add(0, 1))?;
    ask(&mut peer, &add(256, 1), &add(256, 257))
}

fn two_peers(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    let mut other = trial.datagram_peer("idle")?;
    let number = some_number(trial);
    ask(&mut peer, &add(number, 5), &add(number, 5))?;
    ask(&mut other, &add(number, 6), &add(number, 11))?;
    ask(&mut peer, &add(number, 5), &add(number, 5))?;
    ask(&mut other, &add(number, 6), &add(number, 11))
}

fn any_order(trial: &mut Trial) -> Result<(), Broken> {
    let mut peer = begin(trial)?;
    let mut total = 0;
    for number in [7, 3, u32::MAX, 0, 5, 7 << 24, 7 + (1 << 16)] {
        let amount = trial.number(1, 1_000) as u32;
        total += amount;
        ask(&mut peer, &add(number, amount), &add(number, total))?;
    }
    Ok(())
}

fn unkind_network(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_udp_server()?;
    let mut peer = trial.datagram_peer("drop=0.2 duplicate=0.4 reorder=0.3")?;
    let mut ledger = Ledger::default();
    peer.step("the network loses, doubles and reorders, both ways");
    for round in 0..6 {
        // Several at a time, so that one can overtake another.
        let (least, most) = (round * 4, round * 4 + 3);
        for number in least..=most {
            ledger.ask(number, trial.number(1, 999) as u32);
        }
        let again = RETRY.as_millis();
        peer.step(&format!(
            "sends additions, numbers {least} to {most}, again every {again} ms until each has its answer"
        ));
        until_answered(&mut peer, &mut ledger)?;
    }
    peer.step(SORTS);
    ledger.check()
}

fn until_answered(peer: &mut DatagramPeer, ledger: &mut Ledger) -> Result<(), Broken> {
    // By the number of times: what the machine makes a program wait is not counted.
    for _ in 0..PATIENCE.as_millis() / RETRY.as_millis() {
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
            let Some(answer) = peer.next(left)? else { break };
            ledger.note(&answer)?;
        }
    }
    let numbers = ledger.unanswered();
    Err(Broken::new(
        Fault::Rule,
        format!("no answer to numbers {numbers:?} came, though the peer asked again"),
    ))
}

fn begin(trial: &mut Trial) -> Result<DatagramPeer, Broken> {
    trial.start_udp_server()?;
    trial.datagram_peer("idle")
}

/// Not below 2^24: in the wrong byte order, or in a signed number, it would be another one.
fn some_number(trial: &mut Trial) -> u32 {
    trial.number(1 << 24, 0xffff_fff0) as u32
}

fn ask(peer: &mut DatagramPeer, request: &[u8], answer: &[u8]) -> Result<(), Broken> {
    peer.send(&named(request), request)?;
    peer.expect("the answer", answer)
}
