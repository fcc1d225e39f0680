//! The picture as shapes: what the SVG file and the page both draw.
//!
//! A row is drawn from its own top. All lengths are pixels, and whole: the same events give the same picture, on every
//! machine. Text is measured in cells, as a terminal does, and drawn run by run with its length set, so that a font
//! with other ideas cannot push it out of its box.

use crate::layout::{Measure, Stretch, arrange};
use crate::stream::{Kind, Lane, Stream};
use crate::{show, words};
use serde::Serialize;
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

pub(crate) const WIDTH: usize = 860;
/// Where the names of the lanes begin, and where the bytes do.
pub(crate) const LEFT: usize = 20;
const BYTES: usize = 124;
/// The cells of the bytes, and of the smaller words around them.
const CELL: usize = 8;
pub(crate) const SMALL: usize = 6;
/// The names of the messages, above the lanes.
const BAND: usize = 20;
const BAND_HEIGHT: usize = 16;
const LANES: usize = 42;
const LANE_HEIGHT: usize = 42;
const LANE_STEP: usize = 50;
/// A picture with more calls does not make room for words in each.
const SPACIOUS: usize = 24;
/// So many colours take turns.
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

/// Something to draw, of a class that a style sheet knows.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Shape {
    /// Class, left, top, width, height.
    Rect(String, usize, usize, usize, usize),
    /// Class, left, baseline, length, text.
    Text(&'static str, usize, usize, usize, String),
    /// Class, path.
    Path(&'static str, String),
    /// Class, path, lane, call of that lane: the border of a box.
    Border(&'static str, String, usize, usize),
}

impl Stream {
    pub(crate) fn picture(&self) -> Picture {
        let mut lanes = self.lanes();
        lanes.retain(|lane| lane.calls.iter().any(|call| !call.data.is_empty()));
        let mut stretches = self.stretches(&lanes);
        self.make_room(&mut stretches, &lanes);
        let measure = Measure { cell: CELL, gap: 12, margin: 0, room: WIDTH - BYTES - LEFT };
        let rows = arrange(&mut stretches, &measure);
        let draw = |row: &Range<usize>| {
            let mut x = BYTES;
            let place = |stretch| {
                x += width(stretch);
                Placed { x: x - width(stretch), stretch }
            };
            let placed: Vec<Placed> = stretches[row.clone()].iter().map(place).collect();
            let follows = |at: usize| {
                stretches
                    .get(at)
                    .zip(stretches.get(at.wrapping_sub(1)))
                    .filter(|(next, last)| last.at.end == next.at.start)
            };
            let row = Drawing {
                stream: self,
                lanes: &lanes,
                before: follows(row.start).map(|(_, before)| before),
                after: follows(row.end).map(|(after, _)| after),
                placed,
            };
            row.draw()
        };
        Picture {
            height: LANES + lanes.len() * LANE_STEP + 12,
            rows: rows.iter().map(draw).collect(),
        }
    }

    /// Widens the stretches of short streams until the words of each call fit below its bytes.
    fn make_room(&self, stretches: &mut [Stretch], lanes: &[Lane<'_>]) {
        if lanes.iter().map(|lane| lane.calls.len()).sum::<usize>() > SPACIOUS {
            return;
        }
        for (index, lane) in lanes.iter().enumerate() {
            for (at, call) in lane.calls.iter().enumerate() {
                let mut of_call: Vec<&mut Stretch> = stretches
                    .iter_mut()
                    .filter(|stretch| stretch.in_lanes[index] == Some(at))
                    .collect();
                let has: usize = of_call.iter().map(|stretch| width(stretch)).sum();
                let words = words::captions(self, lane, call);
                let wants = words.first().map_or(0, |words| show::width(words) * SMALL + 12);
                let each = wants.saturating_sub(has).div_ceil(of_call.len().max(1));
                of_call.iter_mut().for_each(|stretch| stretch.extra += each);
            }
        }
    }
}

fn width(stretch: &Stretch) -> usize {
    stretch.columns * CELL + 12 + stretch.extra
}

struct Placed<'a> {
    x: usize,
    stretch: &'a Stretch,
}

impl Placed<'_> {
    fn end(&self) -> usize {
        self.x + width(self.stretch)
    }
}

/// One row while it is drawn.
struct Drawing<'a> {
    stream: &'a Stream,
    lanes: &'a [Lane<'a>],
    placed: Vec<Placed<'a>>,
    /// The stretches that go on from here in the rows above and below.
    before: Option<&'a Stretch>,
    after: Option<&'a Stretch>,
}

impl Drawing<'_> {
    fn draw(&self) -> Row {
        let mut shapes = Vec::new();
        self.offsets(&mut shapes);
        self.band(&mut shapes);
        for (index, lane) in self.lanes.iter().enumerate() {
            let y = LANES + index * LANE_STEP;
            let side = show::text(lane.side.as_bytes());
            text(&mut shapes, "side", LEFT, y + 18, CELL, show::head(&side, 12));
            text(&mut shapes, "call", LEFT, y + 33, CELL, lane.call);
            for run in runs(&self.placed, |placed| placed.stretch.in_lanes[index]) {
                if let Some(call) = self.placed[run.start].stretch.in_lanes[index] {
                    self.call(&mut shapes, index, call, run, y);
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
            let label = fitting(&[name.clone(), short], room.saturating_sub(4));
            centre(shapes, "name", x, room, BAND + 12, SMALL, &label);
        }
    }

    /// A box: what one call moved of the bytes of this row.
    fn call(&self, shapes: &mut Vec<Shape>, lane: usize, call: usize, run: Range<usize>, y: usize) {
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
            line.push_str(&format!("M{at} {y}v{LANE_HEIGHT}"));
        }
        for (class, lines) in [("cut", cuts), ("seam", seams)] {
            if !lines.is_empty() {
                shapes.push(Shape::Path(class, lines));
            }
        }
        for placed in placed {
            let class = if placed.stretch.kind == Kind::Framing { "hex" } else { "bytes" };
            centre(
                shapes,
                class,
                placed.x,
                width(placed.stretch),
                y + 19,
                CELL,
                &placed.stretch.shown,
            );
        }

        let moved = &self.lanes[lane].calls[call];
        let odd = words::is_odd(self.stream, moved);
        let words = words::captions(self.stream, &self.lanes[lane], moved);
        let class = if odd { "caption odd" } else { "caption" };
        centre(shapes, class, x, w, y + 35, SMALL, &fitting(&words, w.saturating_sub(4)));
        let class = if odd { "box odd" } else { "box" };
        shapes.push(Shape::Border(class, border(x, y, w, opens, closes), lane, call));
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
fn runs<T: PartialEq>(placed: &[Placed<'_>], of: impl Fn(&Placed<'_>) -> T) -> Vec<Range<usize>> {
    let lengths = placed.chunk_by(|one, next| of(one) == of(next)).map(<[Placed<'_>]>::len);
    lengths
        .scan(0, |at, len| {
            *at += len;
            Some(*at - len..*at)
        })
        .collect()
}

/// The first of these that fits.
fn fitting(words: &[String], room: usize) -> String {
    words.iter().find(|words| show::width(words) * SMALL <= room).cloned().unwrap_or_default()
}

fn centre(
    shapes: &mut Vec<Shape>,
    class: &'static str,
    x: usize,
    room: usize,
    y: usize,
    cell: usize,
    shown: &str,
) {
    let left = x + room.saturating_sub(show::width(shown) * cell) / 2;
    text(shapes, class, left, y, cell, shown);
}

/// A text, cut into runs of equally wide characters: a font has its own idea of how wide a Chinese one is.
pub(crate) fn text(
    shapes: &mut Vec<Shape>,
    class: &'static str,
    mut x: usize,
    y: usize,
    cell: usize,
    shown: &str,
) {
    let chars: Vec<char> = shown.chars().collect();
    for run in chars.chunk_by(|one, next| one.width() == next.width()) {
        let run: String = run.iter().collect();
        let length = show::width(&run) * cell;
        if !run.trim().is_empty() {
            shapes.push(Shape::Text(class, x, y, length, run));
        }
        x += length;
    }
}
