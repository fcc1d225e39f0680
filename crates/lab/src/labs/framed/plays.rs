//! What the hostile peer does in the cases that `frames` and `byte-order` share.

use std::time::Duration;

use super::{
    LIMIT, Order, ask, every_byte, long_text, next_peer, numbered, refused, served, together,
};
use crate::labs::leaving::{LEAVINGS, leave_full, leave_owed};
use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

pub(in crate::labs) type Played = Result<(), CaseFailure>;

/// How much a peer may send before it reads the first answer.
const AHEAD: usize = 32 << 10;
/// More than fits between a peer with small buffers and a program that has stopped reading.
const LARGE: usize = 512 << 10;
/// How long a program may take for a frame of 16 MiB: calling recv for each byte takes 12 s in Python.
const LIMIT_TAKES: Duration = Duration::from_secs(40);
/// More peers than any pool has workers, and more than a program may have descriptors (1,024).
const PEERS: usize = 1_100;
/// How long a program may take for those: 10 ms for each, and there are up to three kinds. A server that starts a
/// process for each needs 5 ms.
const PEERS_TAKE: Duration = Duration::from_secs(33);

pub(in crate::labs) fn not_ascii(trial: &mut Trial, order: Order) -> Played {
    let body = every_byte(trial);
    together(trial, order, "idle", &[body])
}

/// The peer sends the first `sent` bytes of a frame before the silence.
pub(in crate::labs) fn silence(trial: &mut Trial, order: Order, sent: usize) -> Played {
    trial.start_tcp_server()?;
    let mut peer = served(trial, order)?;
    let body = trial.text(9);
    let frame = order.frame(&body);
    if sent > 0 {
        peer.send(&frame[..sent])?;
    }
    peer.keep_silent()?;
    trial.expect_idle()?;
    peer.send(&frame[sent..])?;
    peer.expect(&order.answer(&body))
}

/// The program is stopped meanwhile, so that its first read finds all of them.
pub(in crate::labs) fn many_in_one_piece(trial: &mut Trial, order: Order) -> Played {
    trial.start_tcp_server()?;
    let mut peer = served(trial, order)?;
    let letters = trial.text(AHEAD / 5).into_iter().map(|letter| vec![letter]).collect();
    for bodies in [vec![Vec::new(); AHEAD / 4], letters] {
        let (frames, answers) = order.all(&bodies);
        trial.while_stopped(|trial| {
            trial.step(format!("{} frames in one piece", bodies.len()));
            peer.send(&frames)
        })?;
        peer.expect(&answers)?;
    }
    Ok(())
}

/// The frames are made before the program starts. Otherwise a program that mistakes silence for the end could fail
/// here, while it waits for them.
pub(in crate::labs) fn limit(trial: &mut Trial, order: Order) -> Played {
    let bodies = [LIMIT - 1, LIMIT].map(|length| long_text(trial, length as usize));
    let frames = bodies.map(|body| (order.frame(&body), order.answer(&body)));
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for (frame, answer) in &frames {
        trial.allow(LIMIT_TAKES);
        peer.exchange(frame, answer)?;
    }
    ask(&mut peer, order, &trial.text(5))
}

/// Sends each of these lengths twice, with a few bytes after it and alone: the program must not wait for more.
pub(in crate::labs) fn all_refused(trial: &mut Trial, order: Order, lengths: &[i32]) -> Played {
    trial.start_tcp_server()?;
    for &length in lengths {
        refused(trial, order, length, b"hello")?;
        refused(trial, order, length, b"")?;
    }
    next_peer(trial, order)
}

/// A whole frame first, then this many bytes of the next one, with a new peer for each number. Missing bytes of a
/// length must not count as zeros: three bytes of an empty frame would then be an empty frame.
pub(in crate::labs) fn ends_inside(trial: &mut Trial, order: Order, sent: &[usize]) -> Played {
    trial.start_tcp_server()?;
    let (nine, empty) = (order.frame(&trial.text(9)), order.frame(b""));
    for &sent in sent {
        let parts = [Some(&nine[..sent]), empty.get(..sent).filter(|part| part.len() < 4)];
        for part in parts.into_iter().flatten() {
            let mut peer = served(trial, order)?;
            peer.send(part)?;
            peer.end()?;
            peer.expect_closed()?;
        }
    }
    next_peer(trial, order)
}

pub(in crate::labs) fn half_close(trial: &mut Trial, order: Order) -> Played {
    trial.start_tcp_server()?;
    let mut peer = served(trial, order)?;
    let bodies = [trial.text(5), Vec::new(), trial.text(8)];
    let (frames, answers) = order.all(&bodies);
    trial.while_stopped(|_| {
        peer.send(&frames)?;
        peer.end()
    })?;
    peer.expect(&answers)?;
    peer.expect_end()
}

pub(in crate::labs) fn late_end(trial: &mut Trial, order: Order) -> Played {
    let body = long_text(trial, LARGE);
    let answer = order.answer(&body);
    trial.start_tcp_server()?;
    let mut peer = trial.connect_narrow()?;
    peer.send(&order.frame(&body))?;
    // The answer has begun, and the rest of it doesn't fit into the buffers.
    peer.expect(&answer[..4])?;
    peer.end()?;
    peer.stay_away()?;
    peer.expect(&answer[4..])?;
    peer.expect_end()
}

pub(in crate::labs) fn slow_reader(trial: &mut Trial, order: Order) -> Played {
    let bodies = vec![long_text(trial, 1_020); LARGE >> 10];
    let (frames, answers) = order.all(&bodies);
    trial.start_tcp_server()?;
    let mut peer = trial.connect_narrow()?;
    peer.exchange_late(&frames, &answers)?;
    peer.end()?;
    peer.expect_end()
}

pub(in crate::labs) fn long_stream(trial: &mut Trial, order: Order) -> Played {
    let lengths: Vec<usize> = (0..300).map(|_| trial.number(0, 20_000) as usize).collect();
    let bodies: Vec<Vec<u8>> = lengths.into_iter().map(|length| long_text(trial, length)).collect();
    let (frames, answers) = order.all(&bodies);
    trial.start_tcp_server()?;
    trial.connect("idle")?.exchange(&frames, &answers)
}

pub(in crate::labs) fn reset(trial: &mut Trial, order: Order) -> Played {
    trial.start_tcp_server()?;
    let frame = order.frame(&trial.text(9));
    for sent in [0, 2, 7] {
        let mut peer = served(trial, order)?;
        if sent > 0 {
            peer.send(&frame[..sent])?;
        }
        peer.reset();
        next_peer(trial, order)?;
    }
    trial.while_stopped(|trial| trial.connect("idle").map(Peer::reset))?;
    next_peer(trial, order)?;
    trial.expect_idle()
}

pub(in crate::labs) fn reset_under_way(trial: &mut Trial, order: Order) -> Played {
    let bodies = vec![long_text(trial, 1_020); LARGE >> 10];
    trial.start_tcp_server()?;
    leave_full(trial, &order.all(&bodies).0)?;
    next_peer(trial, order)?;
    trial.expect_idle()
}

pub(in crate::labs) fn peer_leaves(trial: &mut Trial, order: Order) -> Played {
    trial.start_tcp_server()?;
    let (frames, _) = order.all(&vec![trial.text(100); 20]);
    for leaving in LEAVINGS {
        let peer = served(trial, order)?;
        leave_owed(trial, peer, &frames, leaving)?;
        next_peer(trial, order)?;
    }
    trial.expect_idle()
}

pub(in crate::labs) fn peers(trial: &mut Trial, order: Order) -> Played {
    trial.start_tcp_server()?;
    let mut nothing = trial.connect("idle")?;
    nothing.end()?;
    nothing.expect_end()?;
    for _ in 0..2 {
        ends_normally(trial, order)?;
    }
    next_peer(trial, order)
}

fn ends_normally(trial: &mut Trial, order: Order) -> Played {
    let mut peer = served(trial, order)?;
    peer.end()?;
    peer.expect_end()
}

pub(in crate::labs) fn many_peers(trial: &mut Trial, order: Order) -> Played {
    let each = "asks, is answered, ends its side, and expects the end of the stream";
    one_after_the_other(trial, order, each, |trial, _| ends_normally(trial, order))
}

/// The program itself closes each of these connections.
pub(in crate::labs) fn many_broken(trial: &mut Trial, order: Order) -> Played {
    let frame = order.frame(&trial.text(9));
    let each = "one sends a length that is not valid, one ends inside a length, and one inside a body; each expects \
                the program to close the connection";
    one_after_the_other(trial, order, each, |trial, number| {
        let not_valid = order.length([-1, LIMIT + 1][number % 2]);
        for sent in [&not_valid[..], &frame[..2], &frame[..7]] {
            let mut peer = trial.connect("idle")?;
            peer.send(sent)?;
            if sent != not_valid {
                peer.end()?;
            }
            peer.expect_closed()?;
        }
        Ok(())
    })
}

/// An error is the only way for the program to notice that these peers are gone.
pub(in crate::labs) fn many_gone(trial: &mut Trial, order: Order) -> Played {
    let frame = order.frame(&trial.text(9));
    let each = "one is answered and resets inside the next frame; one is answered, asks three times more, and closes";
    one_after_the_other(trial, order, each, |trial, _| {
        let mut peer = served(trial, order)?;
        peer.send(&frame[..7])?;
        peer.reset();
        let mut peer = served(trial, order)?;
        peer.send(&frame.repeat(3))?;
        peer.close();
        Ok(())
    })
}

fn one_after_the_other(
    trial: &mut Trial,
    order: Order,
    each: &str,
    play: impl Fn(&mut Trial, usize) -> Played,
) -> Played {
    trial.start_tcp_server()?;
    trial.allow(PEERS_TAKE);
    let played = trial.quietly(format!("{PEERS} times, one after another: {each}"), |trial| {
        (0..PEERS)
            .try_for_each(|number| play(trial, number).map_err(|failure| numbered(number, failure)))
    });
    played.map_err(|failure| trial.or_ended(failure))?;
    next_peer(trial, order)
}
