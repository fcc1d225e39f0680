//! A length of four bytes, followed by that many bytes: shared by the labs `frames`, `byte-order` and `many-clients`.
//! The byte order of the length is a parameter.

pub(super) mod cases;
pub(super) mod plays;
pub(super) mod rules;

use crate::play::{Peer, Trial};
use crate::verdict::CaseFailure;

/// The longest frame, in bytes. One byte more is refused.
pub(super) const LIMIT: i32 = 16 << 20;

/// The order in which the four bytes of a length are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The four bytes of a length.
    pub(super) fn length(self, length: i32) -> [u8; 4] {
        match self {
            Order::Little => length.to_le_bytes(),
            Order::Big => length.to_be_bytes(),
        }
    }

    /// One frame. Ours are never over the limit.
    pub(super) fn frame(self, body: &[u8]) -> Vec<u8> {
        [&self.length(body.len() as i32)[..], body].concat()
    }

    /// What the program has to answer: `a` to `z` in capitals, every other byte unchanged.
    pub(super) fn answer(self, body: &[u8]) -> Vec<u8> {
        self.frame(&body.to_ascii_uppercase())
    }

    /// These bodies as frames, and what the program has to answer to them.
    pub(super) fn all(self, bodies: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
        let frames = bodies.iter().flat_map(|body| self.frame(body)).collect();
        (frames, bodies.iter().flat_map(|body| self.answer(body)).collect())
    }
}

/// One peer sends all frames in one write, which is cut by this schedule, and expects all answers.
pub(super) fn together(
    trial: &mut Trial,
    order: Order,
    schedule: &str,
    bodies: &[Vec<u8>],
) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect(schedule)?;
    let (frames, answers) = order.all(bodies);
    peer.send(&frames)?;
    peer.expect(&answers)
}

/// One peer sends one long frame, and reads while it sends, so that the first wrong byte shows at once.
pub(super) fn long(trial: &mut Trial, order: Order, body: &[u8]) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.connect("idle")?.exchange(&order.frame(body), &order.answer(body))
}

/// A peer sends one frame and expects its answer.
pub(super) fn ask(peer: &mut Peer, order: Order, body: &[u8]) -> Result<(), CaseFailure> {
    peer.send(&order.frame(body))?;
    peer.expect(&order.answer(body))
}

/// A peer that has been served. The program has accepted this connection, so whatever the peer does next happens to the
/// program, not in the accept queue.
pub(super) fn served(trial: &mut Trial, order: Order) -> Result<Peer, CaseFailure> {
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, order, &trial.text(5))?;
    Ok(peer)
}

/// A peer sends a length that is not allowed, followed by these bytes. The program has to close the connection.
pub(super) fn refused(
    trial: &mut Trial,
    order: Order,
    length: i32,
    after: &[u8],
) -> Result<(), CaseFailure> {
    let mut peer = trial.connect("idle")?;
    let bytes = order.length(length);
    let [a, b, c, d] = bytes;
    trial.step(format!("the length {a:02x} {b:02x} {c:02x} {d:02x} is {length}"));
    peer.send(&[&bytes[..], after].concat())?;
    peer.expect_closed()
}

/// A text of this many letters. A long one repeats a short one, because drawing millions of random letters takes too
/// long.
pub(super) fn long_text(trial: &mut Trial, length: usize) -> Vec<u8> {
    // A prime number, so that a program that is off by a page or a buffer doesn't find the same letters again.
    let mut text = trial.text(1_021).repeat(length / 1_021 + 1);
    text.truncate(length);
    text
}

/// A few letters; letters that are not ASCII but have a capital, one of them a capital of two letters; then every byte
/// value, alone and next to others; and at the end, bytes that programs often strip.
pub(super) fn every_byte(trial: &mut Trial) -> Vec<u8> {
    let mut body = trial.text(4);
    body.extend("éßÿ ".as_bytes());
    body.extend(0..=u8::MAX);
    body.extend(trial.bytes(4_000));
    body.extend(b" \n");
    body
}

/// Another peer is served.
pub(super) fn next_peer(trial: &mut Trial, order: Order) -> Result<(), CaseFailure> {
    let body = trial.text(5);
    trial.step("the next peer has to be served");
    trial.next_peer(|peer| ask(peer, order, &body))
}

/// A failure of one peer among many.
pub(super) fn numbered(number: usize, failure: CaseFailure) -> CaseFailure {
    CaseFailure { what: format!("number {} of them: {}", number + 1, failure.what), ..failure }
}
