//! One row of a picture, drawn from its own top: the offsets, the names of the messages, and the boxes of each lane.

use crate::calls::Call;
use crate::fit::fit;
use crate::layout::Stretch;
use crate::message::{Kind, PlacedMessage};
use crate::sentences;
use crate::shapes::{Shape, centre, fitting, text};
use crate::stream::{Lane, Stream};
use std::ops::Range;

/// Where the names of the lanes begin; also the space before the bytes, and after them.
pub(crate) const LEFT: usize = 16;
/// A longer name of a lane is cut to this many cells.
const SIDE: usize = 12;
/// The cells of the bytes, and of the smaller words around them.
pub(crate) const CELL: usize = 8;
pub(crate) const SMALL: usize = 7;
/// The names of the messages, above the lanes.
const BAND: usize = 20;
const BAND_HEIGHT: usize = 18;
pub(crate) const LANES: usize = 44;
const LANE_HEIGHT: usize = 44;
/// How much of a box is coloured: where its bytes are.
const FILLED: usize = 25;
/// What each line of a note adds to the height of its lane; at most `NOTE_LINES` lines, in boxes of at least `NOTE_CELLS`.
const NOTE_LINE: usize = 15;
pub(crate) const NOTE_LINES: usize = 2;
pub(crate) const NOTE_CELLS: usize = 12;
/// Between two lanes.
const GAP: usize = 8;
/// The colours repeat after this many messages.
pub(crate) const COLOURS: usize = 4;

/// What goes into one line.
pub(crate) struct Row {
    pub at: Range<usize>,
    pub shapes: Vec<Shape>,
}

/// One row while it is drawn.
pub(crate) struct Drawing<'a> {
    pub stream: &'a Stream,
    pub lanes: &'a [Lane<'a>],
    pub drawn: &'a [DrawnLane],
    pub placed: Vec<PlacedStretch<'a>>,
    /// The stretches that go on from here in the rows above and below.
    pub before: Option<&'a Stretch>,
    pub after: Option<&'a Stretch>,
}

impl Drawing<'_> {
    pub fn draw(&self) -> Row {
        let mut shapes = Vec::new();
        self.offsets(&mut shapes);
        self.band(&mut shapes);
        for &DrawnLane { index, y, height } in self.drawn {
            let lane = &self.lanes[index];
            text(&mut shapes, "side", LEFT, y + 19, CELL, &side(lane));
            text(&mut shapes, "call", LEFT, y + 35, CELL, lane.call);
            for run in runs(&self.placed, |placed| placed.stretch.in_lanes[index]) {
                if let Some(call) = self.placed[run.start].stretch.in_lanes[index] {
                    shapes.push(Shape::Call(index, call, self.call(index, call, run, [y, height])));
                }
            }
        }
        for lane in self.drawn {
            self.failures(lane, &mut shapes);
        }
        Row { at: self.at(), shapes }
    }

    fn at(&self) -> Range<usize> {
        self.placed.first().map_or(0, |first| first.stretch.at.start)
            ..self.placed.last().map_or(0, |last| last.stretch.at.end)
    }

    /// Below a lane, a mark for each place where a call failed: a cross, or a dot if it would only have had to wait.
    fn failures(&self, &DrawnLane { index, y, height }: &DrawnLane, shapes: &mut Vec<Shape>) {
        let at = self.at();
        let mut marked = Vec::new();
        for (number, call) in self.lanes[index].calls.iter().enumerate() {
            let offset = call.offset;
            let is_here = at.contains(&offset) || offset == at.end && self.after.is_none();
            if call.error.is_none() || !is_here {
                continue;
            }
            let class = if call.would_block() { "mark idle" } else { "mark" };
            if marked.contains(&(offset, class)) {
                continue;
            }
            marked.push((offset, class));
            let place = self.placed.iter().find(|placed| placed.stretch.at.start == offset);
            let x = place.map_or_else(
                || self.placed.last().map_or(0, PlacedStretch::end),
                |placed| placed.x,
            );
            let mark = Shape::Path(class, mark(class, x, y + height + GAP / 2));
            shapes.push(Shape::Call(index, number, vec![mark]));
        }
    }

    /// The offset of each cut, where there is room.
    fn offsets(&self, shapes: &mut Vec<Shape>) {
        let label = "offset";
        text(shapes, "offset", LEFT, 12, SMALL, label);
        let mut free = LEFT + (label.len() + 1) * SMALL;
        let end = self.placed.last().map(|last| (last.end(), last.stretch.at.end));
        let starts = self.placed.iter().map(|placed| (placed.x, placed.stretch.at.start));
        for (index, (x, offset)) in starts.chain(end).enumerate() {
            let number = offset.to_string();
            let x = x.saturating_sub(number.len() * SMALL / 2);
            // The first one says where the row begins: it is moved rather than left out.
            let x = if index == 0 { x.max(free) } else { x };
            if x >= free {
                text(shapes, "offset", x, 12, SMALL, &number);
                free = x + (number.len() + 1) * SMALL;
            }
        }
    }

    /// Above the lanes, which message the bytes belong to.
    fn band(&self, shapes: &mut Vec<Shape>) {
        for run in runs(&self.placed, |placed| placed.stretch.message) {
            let (first, last) = (&self.placed[run.start], &self.placed[run.end - 1]);
            let Some(message) = first.stretch.message else { continue };
            let (x, room) = (first.x + 1, last.end() - first.x - 2);
            shapes.push(Shape::Rect(format!("m{}", message % COLOURS), x, BAND, room, BAND_HEIGHT));
            let PlacedMessage { number, message, .. } = &self.stream.messages[message];
            let label =
                fitting(&[message.name.clone(), number.to_string()], SMALL, room.saturating_sub(4));
            centre(shapes, "name", x, room, BAND + 13, SMALL, &label);
        }
    }

    /// A box: what one call moved of the bytes of this row.
    fn call(
        &self,
        lane: usize,
        call: usize,
        run: Range<usize>,
        [y, height]: [usize; 2],
    ) -> Vec<Shape> {
        let mut shapes = Vec::new();
        let (first, last) = (run.start == 0, run.end == self.placed.len());
        let goes_on = |stretch: Option<&Stretch>| {
            stretch.is_some_and(|stretch| stretch.in_lanes[lane] == Some(call))
        };
        let opens = !(first && goes_on(self.before));
        let closes = !(last && goes_on(self.after));
        let placed = &self.placed[run];
        let (start, end) = (placed[0].x + usize::from(opens) * 2, placed[placed.len() - 1].end());
        let (x, w) = (start, end - usize::from(closes) * 2 - start);

        let (mut cuts, mut seams) = (String::new(), String::new());
        for fill in runs(placed, |placed| (placed.stretch.message, placed.stretch.kind)) {
            let stretches = &placed[fill];
            let left = stretches[0].x.max(x);
            let right = stretches[stretches.len() - 1].end().min(x + w);
            let class = match (stretches[0].stretch.message, stretches[0].stretch.kind) {
                (None, _) => "unknown".to_owned(),
                (Some(message), Kind::Payload) => format!("m{}", message % COLOURS),
                (Some(message), Kind::Framing) => format!("f{}", message % COLOURS),
            };
            // The words below the bytes are about the whole box, not about one message: no colour changes there, and no line
            // divides them.
            shapes.push(Shape::Rect(class, left, y, right - left, FILLED));
        }
        for pair in placed.windows(2) {
            let at = pair[1].x;
            let line = match pair[0].stretch.message == pair[1].stretch.message {
                true => &mut cuts,
                false => &mut seams,
            };
            line.push_str(&format!("M{at} {y}v{FILLED}"));
        }
        for (class, lines) in [("cut", cuts), ("seam", seams)] {
            if !lines.is_empty() {
                shapes.push(Shape::Path(class, lines));
            }
        }
        let moved = &self.lanes[lane].calls[call];
        let fit = fit(self.stream, moved);
        let class = fit.class(["box", "box partial", "box odd"]);
        shapes.push(Shape::Path(class, border([x, y, w, height], opens, closes)));
        for placed in placed {
            let class = if placed.stretch.kind == Kind::Framing { "hex" } else { "bytes" };
            centre(
                &mut shapes,
                class,
                placed.x,
                width(placed.stretch),
                y + 19,
                CELL,
                &placed.stretch.shown,
            );
        }

        let words = sentences::captions(self.stream, &self.lanes[lane], moved);
        let class = fit.class(["caption", "caption partial", "caption odd"]);
        centre(
            &mut shapes,
            class,
            x,
            w,
            y + 37,
            SMALL,
            &fitting(&words, SMALL, w.saturating_sub(8)),
        );
        for (line, at) in note_lines(moved, w).iter().zip(1..) {
            centre(&mut shapes, "did", x, w, y + 37 + at * NOTE_LINE, SMALL, line);
        }
        shapes
    }
}

/// A cross, or a dot, around this point.
pub(crate) fn mark(class: &str, x: usize, y: usize) -> String {
    match class {
        "mark" => format!("M{} {}l6 6M{} {}l-6 6", x - 3, y - 3, x + 3, y - 3),
        _ => format!("M{} {y}h2", x - 1),
    }
}

/// The border of a box; open where the call goes on in another row.
fn border([x, y, w, h]: [usize; 4], opens: bool, closes: bool) -> String {
    let (right, bottom) = (x + w, y + h);
    match (opens, closes) {
        (true, true) => format!("M{x} {y}H{right}V{bottom}H{x}Z"),
        (true, false) => format!("M{right} {y}H{x}V{bottom}H{right}"),
        (false, true) => format!("M{x} {y}H{right}V{bottom}H{x}"),
        (false, false) => format!("M{x} {y}H{right}M{x} {bottom}H{right}"),
    }
}

/// Neighbours that are alike.
fn runs<T: PartialEq>(
    placed: &[PlacedStretch<'_>],
    of: impl Fn(&PlacedStretch<'_>) -> T,
) -> Vec<Range<usize>> {
    let lengths = placed.chunk_by(|one, next| of(one) == of(next)).map(<[PlacedStretch<'_>]>::len);
    lengths
        .scan(0, |at, len| {
            *at += len;
            Some(*at - len..*at)
        })
        .collect()
}

/// The lanes from top to bottom, each as high as its longest note needs.
pub(crate) fn heights(
    lanes: &[Lane<'_>],
    drawn: Vec<usize>,
    placed: &[Vec<PlacedStretch<'_>>],
) -> Vec<DrawnLane> {
    let mut y = LANES;
    let lane = |index: usize| {
        let lines = |row: &Vec<PlacedStretch<'_>>| {
            let boxes = runs(row, |placed| placed.stretch.in_lanes[index]).into_iter();
            let lines = boxes.filter_map(|run| {
                let call = &lanes[index].calls[row[run.start].stretch.in_lanes[index]?];
                let room = row[run.end - 1].end() - row[run.start].x;
                Some(note_lines(call, room).len())
            });
            lines.max().unwrap_or(0)
        };
        let height = LANE_HEIGHT + placed.iter().map(lines).max().unwrap_or(0) * NOTE_LINE;
        y += height + GAP;
        DrawnLane { index, y: y - height - GAP, height }
    };
    drawn.into_iter().map(lane).collect()
}

/// How wide a stretch is drawn.
pub(crate) fn width(stretch: &Stretch) -> usize {
    stretch.columns * CELL + 12 + stretch.extra
}

pub(crate) struct PlacedStretch<'a> {
    pub x: usize,
    pub stretch: &'a Stretch,
}

impl PlacedStretch<'_> {
    pub fn end(&self) -> usize {
        self.x + width(self.stretch)
    }
}

/// A lane that moved bytes: which one, and its place in each row.
pub(crate) struct DrawnLane {
    index: usize,
    pub y: usize,
    pub height: usize,
}

/// What the program did with this call's bytes, for a box of this width.
fn note_lines(call: &Call, width: usize) -> Vec<String> {
    let cells = width.saturating_sub(8) / SMALL;
    if cells < NOTE_CELLS { Vec::new() } else { sentences::note_lines(call, cells, NOTE_LINES) }
}

/// How a lane is labelled.
pub(crate) fn side(lane: &Lane<'_>) -> String {
    let side = columns::visible(lane.side);
    columns::head(&side, SIDE).to_owned()
}
