//! What the cases of lab many-clients do with one peer, and with many.

use crate::labs::framed::{self, Order, long_text, numbered};
use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

/// The byte order of a length.
pub(super) const ORDER: Order = Order::Little;
/// A text whose answer does not fit between a peer with small buffers and a program.
const LARGE: usize = 1 << 20;
/// Rounds that show that a server goes on: one that waits on readiness may need several until it has accepted all.
const ROUNDS: usize = 10;

/// A peer that has sent a large frame and reads no more, when it has seen that the answer has begun. And the rest of that.
pub(super) fn large(trial: &mut Trial) -> Result<(Peer, Vec<u8>), CaseFailure> {
    let mut peer = trial.connect_narrow()?;
    let text = long_text(trial, LARGE);
    let (length, rest) = (ORDER.answer(&text)[..4].to_vec(), ORDER.answer(&text)[4..].to_vec());
    peer.send(&ORDER.frame(&text))?;
    peer.expect(&length)?;
    trial.step("it reads no more for now: the rest does not fit into the kernel's buffers");
    Ok((peer, rest))
}

/// The answer shows that the server has accepted: none has to wait in the backlog.
pub(super) fn connect_many(trial: &mut Trial, count: usize) -> Result<Vec<Peer>, CaseFailure> {
    let connect = |trial: &mut Trial| {
        let mut peer = trial.connect("idle")?;
        ask(trial, &mut peer).map(|()| peer)
    };
    trial.quietly(format!("{count} peers connect; each asks, is answered, and stays"), |trial| {
        (0..count).map(|n| connect(trial).map_err(|failure| numbered(n, failure))).collect()
    })
}

/// A frame that is answered, so that the server has read, and half of the next one.
pub(super) fn begin(trial: &mut Trial, peer: &mut Peer) -> Result<(), CaseFailure> {
    let text = trial.text(20);
    peer.send(&[&ORDER.frame(&text)[..], &ORDER.frame(&text)[..14]].concat())?;
    peer.expect(&ORDER.answer(&text))
}

/// One frame, and its answer.
pub(super) fn ask(trial: &mut Trial, peer: &mut Peer) -> Result<(), CaseFailure> {
    let length = trial.number(1, 40) as usize;
    framed::ask(peer, ORDER, &trial.text(length))
}

pub(super) fn ask_each(trial: &mut Trial, peers: &mut [Peer]) -> Result<(), CaseFailure> {
    trial.step(
        "each of them, in an order chosen by the seed, asks and is answered before the next one asks",
    );
    let order = order(trial, peers.len());
    order
        .into_iter()
        .try_for_each(|n| ask(trial, &mut peers[n]).map_err(|failure| numbered(n, failure)))
}

/// Asks so often that a server has met all that happened before, whatever its order.
pub(super) fn goes_on(trial: &mut Trial, peer: &mut Peer) -> Result<(), CaseFailure> {
    peer.quietly(&format!("asks {ROUNDS} times, and is answered each time"), |peer| {
        (0..ROUNDS).try_for_each(|_| ask(trial, peer))
    })
}

/// The peers' numbers by the seed. The one that connected first is the last: a server that serves one client at a time
/// has chosen that one.
pub(super) fn order(trial: &mut Trial, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (1..count).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, trial.number(0, at as u64) as usize);
    }
    order.push(0);
    order
}
