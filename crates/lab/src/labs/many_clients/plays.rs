//! What the hostile clients of lab many-clients do.

use std::time::Duration;

use super::crowd::{ORDER, ask, ask_each, begin, connect_many, goes_on, large, order};
use crate::labs::framed::{self, LIMIT, every_byte, numbered, refused, served};
use crate::labs::leaving::{LEAVINGS, leave_owed};
use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

/// How many clients are served at once.
const CLIENTS: usize = 200;
/// How many may connect before the server accepts the first: asyncio asks for a backlog of 100, most others for 128.
const WAITING: usize = 100;
/// How many come and go, one after another, and how long a program may take for them.
const VISITS: usize = 300;
const VISITS_TAKE: Duration = Duration::from_secs(12);
/// More peers than any pool has workers, and more than a program may have descriptors (1,024).
const BROKEN: usize = 1_100;
const BROKEN_TAKE: Duration = Duration::from_secs(33);

type Played = Result<(), CaseFailure>;

pub(super) fn one_client(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let bodies = [trial.text(5), Vec::new(), every_byte(trial), trial.text(1)];
    let (frames, answers) = ORDER.all(&bodies);
    for schedule in ["idle", "cut=random:1..7"] {
        let mut peer = trial.connect(schedule)?;
        peer.exchange(&frames, &answers)?;
        peer.end()?;
        peer.expect_end()?;
    }
    Ok(())
}

pub(super) fn silent(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let _silent = trial.connect("idle")?;
    let mut second = trial.connect("idle")?;
    ask(trial, &mut second)
}

pub(super) fn silence(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let mut asked = served(trial, ORDER)?;
    asked.keep_silent()?;
    ask(trial, &mut asked)?;
    ask(trial, &mut early)
}

pub(super) fn crowd(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut peers = connect_many(trial, CLIENTS)?;
    ask_each(trial, &mut peers)
}

pub(super) fn stalled(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (mut in_length, mut in_body) = (trial.connect("idle")?, trial.connect("idle")?);
    let (first, second) = (trial.text(20), trial.text(20));
    in_length.send(&ORDER.frame(&first)[..2])?;
    in_body.send(&ORDER.frame(&second)[..14])?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut early)?;
    goes_on(trial, &mut late)?;
    in_body.keep_silent()?;
    in_body.send(&ORDER.frame(&second)[14..])?;
    in_body.expect(&ORDER.answer(&second))?;
    in_length.send(&ORDER.frame(&first)[2..])?;
    in_length.expect(&ORDER.answer(&first))
}

pub(super) fn never_reads(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (mut large, rest) = large(trial)?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut early)?;
    goes_on(trial, &mut late)?;
    large.stay_away()?;
    large.expect(&rest)
}

/// The program is stopped meanwhile, so that its first read finds all of them.
pub(super) fn many_in_one_piece(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let mut many = served(trial, ORDER)?;
    let (frames, answers) = ORDER.all(&vec![Vec::new(); 8_192]);
    trial.while_stopped(|_| many.send(&frames))?;
    goes_on(trial, &mut early)?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut late)?;
    many.expect(&answers)
}

pub(super) fn limit(trial: &mut Trial) -> Played {
    framed::plays::limit(trial, ORDER)
}

pub(super) fn half_close(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (mut large, rest) = large(trial)?;
    large.end()?;
    goes_on(trial, &mut early)?;
    large.stay_away()?;
    large.expect(&rest)?;
    large.expect_end()
}

pub(super) fn reset(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let mut in_frame = trial.connect("idle")?;
    begin(trial, &mut in_frame)?;
    in_frame.reset();
    goes_on(trial, &mut early)?;
    let (in_answer, _) = large(trial)?;
    in_answer.reset();
    goes_on(trial, &mut early)?;
    trial.while_stopped(|trial| trial.connect("idle").map(Peer::reset))?;
    goes_on(trial, &mut early)?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut late)
}

pub(super) fn client_leaves(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (frames, _) = ORDER.all(&vec![trial.text(100); 20]);
    for leaving in LEAVINGS {
        let peer = served(trial, ORDER)?;
        leave_owed(trial, peer, &frames, leaving)?;
        let went_on = goes_on(trial, &mut early);
        went_on.map_err(|failure| trial.or_ended(failure))?;
    }
    // A peer that has ended its side, and resets the connection while part of its answer still has to be sent.
    let (mut large, _) = large(trial)?;
    large.end()?;
    goes_on(trial, &mut early)?;
    large.reset();
    trial.expect_idle()?;
    // Each new client may take a place that has just become free, and must be served from the start.
    for _ in 0..8 {
        let mut late = trial.connect("idle")?;
        goes_on(trial, &mut late)?;
    }
    Ok(())
}

pub(super) fn many_resets(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let mut peers = connect_many(trial, WAITING)?;
    trial.step("every second one sends a frame and reads nothing; the others are answered, and stop inside the next");
    for (number, peer) in peers.iter_mut().enumerate() {
        match number % 2 {
            0 => begin(trial, peer).map_err(|failure| numbered(number, failure))?,
            _ => peer.send(&ORDER.frame(&trial.text(20)))?,
        }
    }
    trial.step("all of them reset their connections");
    peers.into_iter().for_each(Peer::reset);
    goes_on(trial, &mut early)?;
    let mut late = trial.connect("idle")?;
    ask(trial, &mut late)
}

pub(super) fn broken_framing(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    for wrong in [-1, LIMIT + 1, i32::MIN, i32::MAX] {
        refused(trial, ORDER, wrong, b"")?;
        ask(trial, &mut early)?;
    }
    for sent in [2, 14] {
        let mut ends = served(trial, ORDER)?;
        ends.send(&ORDER.frame(&trial.text(20))[..sent])?;
        ends.end()?;
        ends.expect_closed()?;
        goes_on(trial, &mut early)?;
    }
    let mut late = trial.connect("idle")?;
    ask(trial, &mut late)
}

/// Each send ends inside a frame. The answer to the frame before it shows that the server has read that far.
pub(super) fn own_answers(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut peers = connect_many(trial, 8)?;
    in_turns(trial, &mut peers)
}

pub(super) fn same_port(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let first = trial.connect("idle")?;
    let second = trial.connect_beside(&first)?;
    in_turns(trial, &mut [first, second])
}

fn in_turns(trial: &mut Trial, peers: &mut [Peer]) -> Played {
    let (mut left, mut due) = (vec![Vec::new(); peers.len()], vec![Vec::new(); peers.len()]);
    trial.step("four times, each of them in turn sends the rest of a frame, a whole one, and part of the next; and \
                expects answers to the complete ones");
    for _ in 0..4 {
        for number in order(trial, peers.len()) {
            let (whole, next) = (trial.text(12), trial.text(30));
            let (begun, cut) = (ORDER.frame(&next), trial.number(1, 33) as usize);
            let sent = [&left[number], &ORDER.frame(&whole)[..], &begun[..cut]].concat();
            let expected = [&due[number], &ORDER.answer(&whole)[..]].concat();
            peers[number].send(&sent)?;
            peers[number].expect(&expected).map_err(|failure| numbered(number, failure))?;
            left[number] = begun[cut..].to_vec();
            due[number] = ORDER.answer(&next);
        }
    }
    Ok(())
}

/// The kernel gives out the lowest free descriptor, so the next client gets the descriptor of the one that has left.
pub(super) fn starts_clean(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    for sent in [2, 14] {
        let mut ends = served(trial, ORDER)?;
        ends.send(&ORDER.frame(&trial.text(20))[..sent])?;
        ends.end()?;
        ends.expect_closed()?;
        let mut next = trial.connect("idle")?;
        goes_on(trial, &mut next)?;
    }
    let (in_answer, _) = large(trial)?;
    in_answer.reset();
    goes_on(trial, &mut early)?;
    let mut next = trial.connect("idle")?;
    goes_on(trial, &mut next)
}

pub(super) fn waits(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (mut large, _) = large(trial)?;
    large.end()?;
    goes_on(trial, &mut early)?;
    trial.expect_idle()?;
    large.reset();
    goes_on(trial, &mut early)?;
    trial.expect_idle()
}

pub(super) fn backlog(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    let connect = |trial: &mut Trial| {
        (0..WAITING)
            .map(|n| trial.connect("idle").map_err(|failure| numbered(n, failure)))
            .collect()
    };
    let mut peers: Vec<Peer> = trial.while_stopped(|trial| {
        trial.quietly(format!("{WAITING} peers connect, one after another, and stay"), connect)
    })?;
    ask_each(trial, &mut peers)
}

pub(super) fn comings_and_goings(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    trial.allow(VISITS_TAKE);
    let visit = |trial: &mut Trial| {
        let mut peer = trial.connect("idle")?;
        ask(trial, &mut peer)?;
        peer.end()?;
        peer.expect_end()
    };
    let what = "connects, asks, is answered, ends its side, and expects the end of the stream";
    trial.quietly(format!("{VISITS} peers, one after another: each {what}"), |trial| {
        (0..VISITS).try_for_each(|number| visit(trial).map_err(|failure| numbered(number, failure)))
    })
}

pub(super) fn many_broken(trial: &mut Trial) -> Played {
    trial.start_tcp_server()?;
    trial.allow(BROKEN_TAKE);
    let mut early = trial.connect("idle")?;
    let each = "one breaks the framing, one resets inside a body, and one leaves without its answers; and the first peer asks";
    let broke = trial.quietly(format!("{BROKEN} times, one after another: {each}"), |trial| {
        (0..BROKEN).try_for_each(|number| {
            let round = breaks(trial, number).and_then(|()| ask(trial, &mut early));
            round.map_err(|failure| numbered(number, failure))
        })
    });
    broke.map_err(|failure| trial.or_ended(failure))?;
    // Gives the program time to release what it still holds.
    trial.expect_idle()?;
    trial.step("all of those are gone; now 200 are connected, counting the first peer:");
    let mut peers = connect_many(trial, CLIENTS - 1)?;
    ask_each(trial, &mut peers)?;
    ask(trial, &mut early)
}

/// Three peers in turn: one sends a length that is not valid, one ends inside a length, and one ends inside a body.
fn breaks(trial: &mut Trial, number: usize) -> Played {
    let frame = ORDER.frame(&trial.text(9));
    let not_valid = ORDER.length([-1, LIMIT + 1][number / 3 % 2]);
    let sent = [&not_valid[..], &frame[..2], &frame[..7]][number % 3];
    let mut peer = trial.connect("idle")?;
    peer.send(sent)?;
    if sent != not_valid {
        peer.end()?;
    }
    peer.expect_closed()?;
    let mut resets = served(trial, ORDER)?;
    resets.send(&frame[..7])?;
    resets.reset();
    let mut leaves = served(trial, ORDER)?;
    leaves.send(&frame.repeat(3))?;
    leaves.close();
    Ok(())
}
