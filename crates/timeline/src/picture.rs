//! The picture as shapes: what the SVG file and the page both draw.
//!
//! All lengths are whole pixels: the same events give the same picture on every machine. Text is measured in cells, as in
//! a terminal, and drawn run by run with a fixed length, so that a wider font cannot push it out of its box.

use crate::layout::{Measure, Stretch, arrange};
use crate::row::{CELL, Drawing, LANES, LEFT, NOTE_CELLS, NOTE_LINES, PlacedStretch, Row, SMALL};
use crate::row::{heights, side, width};
use crate::sentences;
use crate::stream::{Lane, Stream};
use std::ops::Range;

/// No picture is wider: scaled to a column of 500 pixels, its smallest letters are still almost ten pixels high.
pub const WIDTH: usize = 592;
/// Nor is one narrower: beside the names of its lanes there has to be room for some bytes.
const NARROWEST: usize = 340;
/// A picture with more calls than this has no room for words in each box.
const SPACIOUS: usize = 24;
/// No stretch is widened beyond this: longer words are replaced by shorter ones.
const WIDEST: usize = 320;

/// A picture of one stream.
pub(crate) struct Picture {
    /// How high each row is, with the space below it.
    pub height: usize,
    pub rows: Vec<Row>,
}

impl Stream {
    /// The picture, as wide as this or narrower; from 340 to [`WIDTH`] pixels are possible.
    pub(crate) fn picture(&self, wide: usize) -> Picture {
        let lanes: Vec<Lane<'_>> = self.lanes();
        let drawn: Vec<usize> =
            (0..lanes.len()).filter(|lane| lanes[*lane].moved_bytes()).collect();
        let names = drawn.iter().map(|lane| columns::width(&side(&lanes[*lane])) * CELL);
        let left = LEFT + names.fold("offset".len() * SMALL, usize::max) + 12;
        let room = wide.clamp(NARROWEST, WIDTH) - left - LEFT;
        let mut stretches = self.stretches(&lanes);
        self.make_room(&mut stretches, &lanes, room.min(WIDEST));
        let measure = Measure { cell: CELL, gap: 12, margin: 0, room };
        let rows = arrange(&mut stretches, &measure);
        let place = |row: &Range<usize>| {
            let mut x = left;
            let place = |stretch| {
                x += width(stretch);
                PlacedStretch { x: x - width(stretch), stretch }
            };
            stretches[row.clone()].iter().map(place).collect()
        };
        let placed: Vec<Vec<PlacedStretch>> = rows.iter().map(place).collect();
        let drawn = heights(&lanes, drawn, &placed);
        let follows = |at: usize| {
            stretches
                .get(at)
                .zip(stretches.get(at.wrapping_sub(1)))
                .filter(|(next, last)| last.at.end == next.at.start)
        };
        let draw = |(row, placed): (&Range<usize>, Vec<PlacedStretch<'_>>)| {
            let row = Drawing {
                stream: self,
                lanes: &lanes,
                drawn: &drawn,
                before: follows(row.start).map(|(_, before)| before),
                after: follows(row.end).map(|(after, _)| after),
                placed,
            };
            row.draw()
        };
        let bottom = drawn.last().map_or(LANES, |last| last.y + last.height);
        Picture { height: bottom + 20, rows: rows.iter().zip(placed).map(draw).collect() }
    }

    /// If the stream is short, widens its stretches until the names of the messages fit above them, and the words about each
    /// call below its bytes; but never beyond the `widest`.
    fn make_room(&self, stretches: &mut [Stretch], lanes: &[Lane<'_>], widest: usize) {
        if lanes.iter().map(|lane| lane.calls.len()).sum::<usize>() > SPACIOUS {
            return;
        }
        for (index, placed) in self.messages.iter().enumerate() {
            let name = &placed.message.name;
            let room = columns::width(name);
            widen(stretches, room, widest, |stretch| stretch.message == Some(index));
        }
        for (index, lane) in lanes.iter().enumerate() {
            for (at, call) in lane.calls.iter().enumerate() {
                let captions = sentences::captions(self, lane, call);
                let longest = captions.first().map_or(0, |caption| columns::width(caption));
                let whole = |room: &usize| {
                    sentences::note_lines(call, *room, usize::MAX).len() <= NOTE_LINES
                };
                let note = call.note().and_then(|_| (NOTE_CELLS..widest / SMALL).find(whole));
                let room = longest.max(note.unwrap_or(0));
                widen(stretches, room, widest, |stretch| stretch.in_lanes[index] == Some(at));
            }
        }
    }
}

/// Widens some stretches until words of this many cells fit, or all of them together are the `widest`.
fn widen(stretches: &mut [Stretch], cells: usize, widest: usize, which: impl Fn(&Stretch) -> bool) {
    let mut those: Vec<&mut Stretch> =
        stretches.iter_mut().filter(|stretch| which(stretch)).collect();
    let has: usize = those.iter().map(|stretch| width(stretch)).sum();
    let wants = (cells * SMALL + 12).min(widest);
    let each = wants.saturating_sub(has).div_ceil(those.len().max(1));
    those.iter_mut().for_each(|stretch| stretch.extra += each);
}
