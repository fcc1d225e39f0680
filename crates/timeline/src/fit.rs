//! Whether the boxes keep to the messages: what the borders in a drawing say.

use crate::calls::Call;
use crate::stream::Stream;

/// How what a call moved fits the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Whole: one message, or a part of one. Where a part begins or ends, a reader may well stop: the framing tells how
    /// much to ask for next.
    Whole,
    /// It began or ended inside a message that says its own length: the reader knows that there is more, and reads on.
    Partial,
    /// It moved bytes of several messages, or began or ended inside one that does not say how long it is.
    Odd,
}

impl Fit {
    /// What the style sheet calls it, behind the name of something drawn.
    pub fn class(self, [whole, partial, odd]: [&'static str; 3]) -> &'static str {
        match self {
            Fit::Whole => whole,
            Fit::Partial => partial,
            Fit::Odd => odd,
        }
    }
}

/// How what a call moved fits the messages.
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

/// How all that was drawn fits.
pub fn fits(stream: &Stream) -> Vec<Fit> {
    let lanes = stream.lanes();
    let calls = lanes.iter().flat_map(|lane| lane.calls);
    calls.map(|call| fit(stream, call)).collect()
}
