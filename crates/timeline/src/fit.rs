//! Whether each call's bytes begin and end where messages do. The border of its box in a drawing shows it.

use crate::calls::Call;
use crate::stream::Stream;

/// How a call's bytes fit the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It moved exactly one message, or exactly one part of one. Stopping between two parts is fine: after the framing, the
    /// reader knows how much to ask for next.
    Whole,
    /// It began or ended inside a message that says its own length: the reader knows that more is to come, and reads on.
    Partial,
    /// It moved bytes of several messages, or began or ended inside one that does not say how long it is.
    Odd,
}

impl Fit {
    /// The class in the style sheet: one of these three.
    pub fn class(self, [whole, partial, odd]: [&'static str; 3]) -> &'static str {
        match self {
            Fit::Whole => whole,
            Fit::Partial => partial,
            Fit::Odd => odd,
        }
    }
}

/// How a call's bytes fit the messages.
pub fn fit(stream: &Stream, call: &Call) -> Fit {
    let moved = stream.moved(call);
    match moved.pieces.as_slice() {
        [] => Fit::Whole,
        [piece] if moved.unknown == 0 => {
            match piece.len == piece.of || stream.part(piece).is_some() {
                true => Fit::Whole,
                false if stream.messages[piece.message].message.is_framed() => Fit::Partial,
                false => Fit::Odd,
            }
        }
        _ => Fit::Odd,
    }
}

/// How each of the drawn calls fits.
pub fn fits(stream: &Stream) -> Vec<Fit> {
    let lanes = stream.lanes();
    let calls = lanes.iter().flat_map(|lane| lane.calls);
    calls.map(|call| fit(stream, call)).collect()
}
