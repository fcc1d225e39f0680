//! What the cases of lab many-clients do with one peer, and with many.

use crate::labs::framed::{self, Order, long_text, numbered};
use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

/// The byte order of a length.
pub(super) const ORDER: Order = Order::Little;
/// The length of a text whose answer doesn't fit between a peer with small buffers and a program.
const LARGE: usize = 1 << 20;
/// How many rounds show that a server is still working: a server that waits for readiness may need several before it
/// has accepted every client.
const ROUNDS: usize = 10;

/// A peer that has sent a large frame, seen the beginning of the answer, and then stopped reading. The second value is
/// the rest of the answer.
pub(super) fn large(trial: &mut Trial) -> Result<(Peer, Vec<u8>), CaseFailure> {
    let mut peer = trial.connect_narrow()?;
    let text = long_text(trial, LARGE);
    let (length, rest) = (ORDER.answer(&text)[..4].to_vec(), ORDER.answer(&text)[4..].to_vec());
    peer.send(&ORDER.frame(&text))?;
    peer.expect(&length)?;
    trial.step("it reads no more for now: the rest does not fit into the kernel's buffers");
    Ok((peer, rest))
}

/// Each peer is answered, which shows that the server has accepted it: none has to wait in the accept queue.
pub(super) fn connect_many(trial: &mut Trial, count: usize) -> Result<Vec<Peer>, CaseFailure> {
    let connect = |trial: &mut Trial| {
        let mut peer = trial.connect("idle")?;
        ask(trial, &mut peer).map(|()| peer)
    };
    trial.quietly(format!("{count} peers connect; each asks, is answered, and stays"), |trial| {
        (0..count).map(|n| connect(trial).map_err(|failure| numbered(n, failure))).collect()
    })
}

/// A frame that is answered, which shows that the server has read, and half of the next one.
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

/// Asks so often that a server must have handled everything that happened before, in whatever order it works.
pub(super) fn goes_on(trial: &mut Trial, peer: &mut Peer) -> Result<(), CaseFailure> {
    peer.quietly(&format!("asks {ROUNDS} times, and is answered each time"), |peer| {
        (0..ROUNDS).try_for_each(|_| ask(trial, peer))
    })
}

/// The peers' numbers, shuffled by the seed. The first to connect comes last, because a server that serves one client
/// at a time would be serving that one.
pub(super) fn order(trial: &mut Trial, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (1..count).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, trial.number(0, at as u64) as usize);
    }
    order.push(0);
    order
}
