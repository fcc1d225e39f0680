//! Where the pictures cut the stream, and what goes into one line. The text and the drawing differ only in their units.
//!
//! The stream is cut wherever a call of any lane, a message or a part of a message begins or ends. Between two cuts
//! lies a stretch; it is at the same place in every lane that has it. That is what makes the lanes comparable.

use crate::bytes;
use crate::message::Kind;
use crate::stream::{Lane, Stream};
use std::collections::BTreeSet;
use std::ops::Range;

/// No stretch is made shorter than this many columns.
const SHORTEST: usize = 22;
/// At most this many lines of boxes are drawn; for a longer stream, only the beginning and the end.
const MOST_ROWS: usize = 10;

/// The bytes between two neighbouring cuts.
pub(crate) struct Stretch {
    pub at: Range<usize>,
    pub shown: String,
    /// How many columns of monospaced text that takes.
    pub columns: usize,
    /// Room for more than the bytes, in the units of the picture.
    pub extra: usize,
    pub kind: Kind,
    /// Which message, if one is known.
    pub message: Option<usize>,
    /// For each lane the call that moved these bytes, if one was recorded.
    pub in_lanes: Vec<Option<usize>>,
}

/// How wide things are, in the units of the picture.
pub(crate) struct Measure {
    /// A column of text.
    pub cell: usize,
    /// What a stretch takes in addition to its text.
    pub gap: usize,
    /// What a line takes in addition to its stretches.
    pub margin: usize,
    /// The width of a line.
    pub room: usize,
}

impl Stream {
    /// The stream between its cuts. What no lane moved is left out.
    pub(crate) fn stretches(&self, lanes: &[Lane<'_>]) -> Vec<Stretch> {
        let calls = lanes.iter().flat_map(|lane| lane.calls);
        let calls = calls.flat_map(|call| [call.offset, call.known_end(), call.end()]);
        let parts = self.messages.iter().flat_map(|placed| placed.parts().map(|(_, at)| at));
        let cuts: BTreeSet<usize> = calls.chain(parts.flat_map(|at| [at.start, at.end])).collect();
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let stretch = |pair: &[usize]| {
            let at = pair[0]..pair[1];
            let in_lanes: Vec<Option<usize>> = lanes.iter().map(|lane| lane.call_at(&at)).collect();
            let moved = lanes.iter().zip(&in_lanes).filter_map(|(lane, at)| lane.calls.get((*at)?));
            // Taken from the lane that knows most of its bytes.
            let bytes = moved.map(|call| call.bytes(&at)).max_by_key(|bytes| bytes.len())?;
            let (message, kind) = self.part_at(at.start);
            let shown = match kind {
                _ if bytes.len() < at.len() => format!("? ({})", bytes::count(at.len())),
                // A line's end is drawn as text; the padding of a record in hex.
                Kind::Framing
                    if bytes.iter().all(|byte| b"\r\n".contains(byte))
                        && message.is_some_and(|at| self.messages[at].ends_in_framing()) =>
                {
                    bytes::text(bytes)
                }
                Kind::Framing => bytes::framing(bytes),
                Kind::Payload => bytes::payload(bytes),
            };
            let columns = columns::width(&shown);
            Some(Stretch { at, columns, shown, extra: 0, kind, message, in_lanes })
        };
        cuts.windows(2).filter_map(stretch).collect()
    }

    fn part_at(&self, offset: usize) -> (Option<usize>, Kind) {
        let message = self.messages.partition_point(|placed| placed.end() <= offset);
        let mut parts = self.messages.get(message).into_iter().flat_map(|placed| placed.parts());
        let part = parts.find(|(_, part)| part.contains(&offset));
        (part.is_some().then_some(message), part.map_or(Kind::Payload, |(kind, _)| kind))
    }
}

impl Lane<'_> {
    /// Whether it has bytes to draw, and not only calls that failed.
    pub(crate) fn moved_bytes(&self) -> bool {
        self.calls.iter().any(|call| call.len > 0)
    }

    fn call_at(&self, at: &Range<usize>) -> Option<usize> {
        let index = self.calls.partition_point(|call| call.end() <= at.start);
        self.calls.get(index).filter(|call| call.offset <= at.start).map(|_| index)
    }
}

/// Shortens stretches that are too long, and says which of them share a line.
pub(crate) fn arrange(stretches: &mut [Stretch], measure: &Measure) -> Vec<Range<usize>> {
    let limit = fit(stretches, measure);
    let rows = rows(stretches, measure, limit);
    for stretch in stretches {
        let shown = std::mem::take(&mut stretch.shown);
        stretch.shown = bytes::shorten(shown, limit, stretch.at.len());
        stretch.columns = columns::width(&stretch.shown);
    }
    rows
}

/// Which of the lines are left out of a very long stream.
pub(crate) fn left_out(rows: usize) -> Range<usize> {
    if rows <= MOST_ROWS { rows..rows } else { MOST_ROWS - 2..rows - 2 }
}

/// How long a stretch may be without making the picture longer.
fn fit(stretches: &[Stretch], measure: &Measure) -> usize {
    let most = (measure.room - measure.margin - measure.gap) / measure.cell;
    let least = rows(stretches, measure, SHORTEST).len();
    let longest =
        (SHORTEST..=most).rev().find(|limit| rows(stretches, measure, *limit).len() == least);
    longest.unwrap_or(SHORTEST)
}

/// Which stretches share a line: as many as fit, up to a gap in the recordings.
fn rows(stretches: &[Stretch], measure: &Measure, limit: usize) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    let mut used = 0;
    for (index, stretch) in stretches.iter().enumerate() {
        let needs = stretch.columns.min(limit) * measure.cell + measure.gap + stretch.extra;
        let follows = index > 0 && stretches[index - 1].at.end == stretch.at.start;
        match rows.last_mut() {
            Some(row) if follows && used + needs <= measure.room => {
                row.end += 1;
                used += needs;
            }
            _ => {
                rows.push(index..index + 1);
                used = measure.margin + needs;
            }
        }
    }
    rows
}

#[derive(PartialEq)]
pub(crate) enum Edge {
    None,
    /// The call goes on: something else begins or ends here.
    Dashed,
    /// A call begins or ends here.
    Solid,
}

/// What a lane has before the stretch `at`, which may be the one after the end of the row.
pub(crate) fn edge(lane: usize, at: usize, stretches: &[Stretch], row: &Range<usize>) -> Edge {
    let drawn_left = at > row.start;
    let drawn_right = at < row.end;
    // The call may have begun in the row above or go on in the row below, but never across a gap in the recordings.
    let joined =
        at > 0 && at < stretches.len() && stretches[at - 1].at.end == stretches[at].at.start;
    let left = if drawn_left || joined { stretches[at - 1].in_lanes[lane] } else { None };
    let right = if drawn_right || joined { stretches[at].in_lanes[lane] } else { None };
    match drawn_left && left.is_some() || drawn_right && right.is_some() {
        false => Edge::None,
        true if left == right => Edge::Dashed,
        true => Edge::Solid,
    }
}
