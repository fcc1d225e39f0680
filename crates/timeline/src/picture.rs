//! The picture as shapes: what the SVG file and the page both draw.
//!
//! A row is drawn from its own top. All lengths are pixels, and whole: the same events give the same picture, on every
//! machine. Text is measured in cells, as a terminal does, and drawn run by run with its length set, so that a font
//! with other ideas cannot push it out of its box.

use crate::fit::fit;
use crate::layout::{Measure, Stretch, arrange};
use crate::message::Kind;
use crate::sentences;
use crate::shapes::{Shape, centre, fitting, text};
use crate::stream::{Lane, Stream};
use std::ops::Range;

pub(crate) const WIDTH: usize = 860;
/// Where the names of the lanes begin, and where the bytes do.
pub(crate) const LEFT: usize = 20;
const BYTES: usize = 124;
/// The cells of the bytes, and of the smaller words around them.
const CELL: usize = 8;
const SMALL: usize = 6;
/// The names of the messages, above the lanes.
const BAND: usize = 20;
const BAND_HEIGHT: usize = 16;
const LANES: usize = 42;
const LANE_HEIGHT: usize = 42;
const LANE_STEP: usize = 50;
/// A picture with more calls than this has no room for words in each box.
const SPACIOUS: usize = 24;
/// No stretch is widened further: longer words give way to shorter ones.
const WIDEST: usize = 320;
/// How many colours take turns.
const COLOURS: usize = 4;

/// A picture of one stream.
pub(crate) struct Picture {
    /// How high each row is, with the space below it.
    pub height: usize,
    pub rows: Vec<Row>,
}

/// What stands in one line.
pub(crate) struct Row {
    pub at: Range<usize>,
    pub shapes: Vec<Shape>,
}

impl Stream {
    pub(crate) fn picture(&self) -> Picture {
        let lanes: Vec<Lane<'_>> = self.lanes();
        let moved = |lane: &Lane<'_>| lane.calls.iter().any(|call| call.len > 0);
        let drawn: Vec<usize> = (0..lanes.len()).filter(|lane| moved(&lanes[*lane])).collect();
        let mut stretches = self.stretches(&lanes);
        self.make_room(&mut stretches, &lanes);
        let measure = Measure { cell: CELL, gap: 12, margin: 0, room: WIDTH - BYTES - LEFT };
        let rows = arrange(&mut stretches, &measure);
        let draw = |row: &Range<usize>| {
            let mut x = BYTES;
            let place = |stretch| {
                x += width(stretch);
                PlacedStretch { x: x - width(stretch), stretch }
            };
            let placed: Vec<PlacedStretch> = stretches[row.clone()].iter().map(place).collect();
            let follows = |at: usize| {
                stretches
                    .get(at)
                    .zip(stretches.get(at.wrapping_sub(1)))
                    .filter(|(next, last)| last.at.end == next.at.start)
            };
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
        Picture {
            height: LANES + drawn.len() * LANE_STEP + 12,
            rows: rows.iter().map(draw).collect(),
        }
    }

    /// Widens the stretches of short streams until the names of the messages fit above them, and the words of each call
    /// below its bytes.
    fn make_room(&self, stretches: &mut [Stretch], lanes: &[Lane<'_>]) {
        if lanes.iter().map(|lane| lane.calls.len()).sum::<usize>() > SPACIOUS {
            return;
        }
        for (index, placed) in self.messages.iter().enumerate() {
            let name = &placed.message.name;
            widen(stretches, name, |stretch| stretch.message == Some(index));
        }
        for (index, lane) in lanes.iter().enumerate() {
            for (at, call) in lane.calls.iter().enumerate() {
                let captions = sentences::captions(self, lane, call);
                let longest = captions.first().map_or("", String::as_str);
                widen(stretches, longest, |stretch| stretch.in_lanes[index] == Some(at));
            }
        }
    }
}

/// Widens some stretches until these words fit beside them.
fn widen(stretches: &mut [Stretch], words: &str, which: impl Fn(&Stretch) -> bool) {
    let mut those: Vec<&mut Stretch> =
        stretches.iter_mut().filter(|stretch| which(stretch)).collect();
    let has: usize = those.iter().map(|stretch| width(stretch)).sum();
    let wants = (columns::width(words) * SMALL + 12).min(WIDEST);
    let each = wants.saturating_sub(has).div_ceil(those.len().max(1));
    those.iter_mut().for_each(|stretch| stretch.extra += each);
}

fn width(stretch: &Stretch) -> usize {
    stretch.columns * CELL + 12 + stretch.extra
}

struct PlacedStretch<'a> {
    x: usize,
    stretch: &'a Stretch,
}

impl PlacedStretch<'_> {
    fn end(&self) -> usize {
        self.x + width(self.stretch)
    }
}

/// One row while it is drawn.
struct Drawing<'a> {
    stream: &'a Stream,
    lanes: &'a [Lane<'a>],
    /// Those that moved bytes, from top to bottom.
    drawn: &'a [usize],
    placed: Vec<PlacedStretch<'a>>,
    /// The stretches that go on from here in the rows above and below.
    before: Option<&'a Stretch>,
    after: Option<&'a Stretch>,
}

impl Drawing<'_> {
    fn draw(&self) -> Row {
        let mut shapes = Vec::new();
        self.offsets(&mut shapes);
        self.band(&mut shapes);
        for (place, index) in self.drawn.iter().copied().enumerate() {
            let (lane, y) = (&self.lanes[index], LANES + place * LANE_STEP);
            let side = columns::visible(lane.side);
            text(&mut shapes, "side", LEFT, y + 18, CELL, columns::head(&side, 12));
            text(&mut shapes, "call", LEFT, y + 33, CELL, lane.call);
            for run in runs(&self.placed, |placed| placed.stretch.in_lanes[index]) {
                if let Some(call) = self.placed[run.start].stretch.in_lanes[index] {
                    shapes.push(Shape::Call(index, call, self.call(index, call, run, y)));
                }
            }
        }
        let at = self.placed.first().map_or(0, |first| first.stretch.at.start)
            ..self.placed.last().map_or(0, |last| last.stretch.at.end);
        Row { at, shapes }
    }

    /// The offset of each cut, where there is room.
    fn offsets(&self, shapes: &mut Vec<Shape>) {
        let mut free = 0;
        let end = self.placed.last().map(|last| (last.end(), last.stretch.at.end));
        let starts = self.placed.iter().map(|placed| (placed.x, placed.stretch.at.start));
        text(shapes, "offset", LEFT, 12, SMALL, "offset");
        for (x, offset) in starts.chain(end) {
            let number = offset.to_string();
            let x = x.saturating_sub(number.len() * SMALL / 2);
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
            let name = &self.stream.messages[message].message.name;
            let short = format!("{}", message + 1);
            let label = fitting(&[name.clone(), short], SMALL, room.saturating_sub(4));
            centre(shapes, "name", x, room, BAND + 12, SMALL, &label);
        }
    }

    /// A box: what one call moved of the bytes of this row.
    fn call(&self, lane: usize, call: usize, run: Range<usize>, y: usize) -> Vec<Shape> {
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
            shapes.push(Shape::Rect(class, left, y, right - left, LANE_HEIGHT));
        }
        for pair in placed.windows(2) {
            let at = pair[1].x;
            let line = match pair[0].stretch.message == pair[1].stretch.message {
                true => &mut cuts,
                false => &mut seams,
            };
            // The words below the bytes belong to the whole box.
            line.push_str(&format!("M{at} {y}v25"));
        }
        for (class, lines) in [("cut", cuts), ("seam", seams)] {
            if !lines.is_empty() {
                shapes.push(Shape::Path(class, lines));
            }
        }
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

        let moved = &self.lanes[lane].calls[call];
        let fit = fit(self.stream, moved);
        let words = sentences::captions(self.stream, &self.lanes[lane], moved);
        let class = fit.class(["caption", "caption partial", "caption odd"]);
        centre(
            &mut shapes,
            class,
            x,
            w,
            y + 35,
            SMALL,
            &fitting(&words, SMALL, w.saturating_sub(4)),
        );
        let class = fit.class(["box", "box partial", "box odd"]);
        shapes.push(Shape::Path(class, border(x, y, w, opens, closes)));
        shapes
    }
}

/// The border of a box; open where the call goes on in another row.
fn border(x: usize, y: usize, w: usize, opens: bool, closes: bool) -> String {
    let (right, bottom) = (x + w, y + LANE_HEIGHT);
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
