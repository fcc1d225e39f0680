//! How full some places are after each step: a table, and its drawing. A place holds bytes, drawn as a level, or
//! numbered things, drawn as boxes.
//!
//! ```text
//! # Where the bytes are
//! bytes after   | send buffer | network | receive buffer
//! send(8192)    |           0 |    8192 |              0
//!
//! # Where ten clients wait
//! connections after | no answer | accept queue
//! ten connect       | 5 6 7 8   | 1 2 3 4
//! ```

use crate::bytes;
use crate::row::{CELL, COLOURS, LEFT, SMALL};
use crate::shapes::{Shape, centre, fitting, text};
use crate::svg::{self, LADDER};

/// A table of what was where after each step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    title: String,
    /// Whether the places hold bytes.
    bytes: bool,
    places: Vec<String>,
    /// What was done, and what each place held then.
    steps: Vec<(String, Vec<String>)>,
}

const WIDTH: usize = 592;
/// The column of the steps, and the space between two places.
const STEPS: usize = 134;
const GAP: usize = 24;
/// More places would have no room.
const MOST_PLACES: usize = 4;
/// A step, and the bar or the boxes in it.
const STEP: usize = 56;
const BAR: usize = 24;
/// A box with a number, and the space after it.
const BOX: usize = 26;
/// A step has two lines of words at most.
const LINE: usize = 16;

impl Levels {
    /// Reads a table: its title, the names of the places after what they hold, and a line for each step.
    ///
    /// `None` if it has no title, no step, a line with another number of places, or more than there is room for: four places, and
    /// names of two letters.
    pub fn read(table: &str) -> Option<Levels> {
        let (title, rest) = table.strip_prefix("# ")?.split_once('\n')?;
        let mut lines = rest.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let mut cells = line.split('|').map(|cell| columns::visible(cell.trim()));
            let first = cells.next().unwrap_or_default();
            (first, cells.collect::<Vec<String>>())
        });
        let (what, places) = lines.next()?;
        let steps: Vec<(String, Vec<String>)> = lines.collect();
        let bytes = what.starts_with("bytes");
        let is_number = |cell: &String| cell.parse::<u32>().is_ok();
        // A box has room for two letters.
        let are_short = |cell: &String| cell.split_whitespace().all(|it| columns::width(it) <= 2);
        let fits = |cells: &Vec<String>| match bytes {
            _ if cells.len() != places.len() => false,
            true => cells.iter().all(is_number),
            false => cells.iter().all(are_short),
        };
        let has_room = (1..=MOST_PLACES).contains(&places.len());
        let is_whole = has_room && !steps.is_empty() && steps.iter().all(|(_, it)| fits(it));
        is_whole.then(|| Levels { title: title.to_owned(), bytes, places, steps })
    }

    /// Draws it as an SVG file, a row for each step; a full bar is the most that any place held.
    pub fn svg(&self) -> String {
        let mut shapes = Vec::new();
        let most = self.steps.iter().flat_map(|(_, cells)| cells);
        let most = most.filter_map(|cell| cell.parse().ok()).max().unwrap_or(0).max(1);
        let room = (WIDTH - 2 * LEFT - STEPS) / self.places.len() - GAP;
        let left = |place: usize| LEFT + STEPS + place * (room + GAP) + GAP;
        for x in (1..self.places.len()).map(|place| left(place) - GAP) {
            shapes.push(Shape::Path("flow quiet", format!("M{} 24h12", x + 3)));
            shapes.push(Shape::Path("tip quiet", format!("M{} 24l-6 -4v8Z", x + 20)));
        }
        let mut y = 0;
        for (index, name) in self.places.iter().enumerate() {
            for (line, at) in
                columns::wrap(name, 0, 0, room / SMALL).iter().zip((28..).step_by(LINE))
            {
                text(&mut shapes, "name", left(index), at, SMALL, line);
                y = y.max(at + 18);
            }
        }
        for (step, cells) in &self.steps {
            let lines = columns::wrap(step, 0, 0, STEPS / SMALL);
            for (line, at) in lines.iter().zip((y + 15..).step_by(LINE)) {
                text(&mut shapes, "word", LEFT, at, SMALL, line);
            }
            let mut rows = 1;
            for (index, cell) in cells.iter().enumerate() {
                rows = rows.max(self.cell(&mut shapes, index, cell, [left(index), y, room], most));
            }
            y += STEP.max(rows * BOX + 26).max(lines.len() * LINE + 24);
            shapes.push(Shape::Path("cut", format!("M{LEFT} {}H{}", y - 11, WIDTH - LEFT)));
        }
        shapes.pop();
        let about = self.steps.iter().map(|(step, cells)| self.sentence(step, cells));
        let about: Vec<String> = about.collect();
        svg::file(&self.title, &about.join("\n"), &svg::drawn(&shapes), [WIDTH, y], LADDER)
    }

    /// How many rows it takes.
    fn cell(
        &self,
        shapes: &mut Vec<Shape>,
        place: usize,
        cell: &str,
        [x, y, room]: [usize; 3],
        most: u64,
    ) -> usize {
        if self.bytes {
            let bytes: u64 = cell.parse().unwrap_or(0);
            let filled = (room as u64 * bytes).div_ceil(most) as usize;
            if filled > 0 {
                shapes.push(Shape::Rect("m0".to_owned(), x, y, filled, BAR));
            }
            shapes.push(Shape::Path("box", format!("M{x} {y}h{room}v{BAR}h-{room}Z")));
            let words = [bytes::count(bytes as usize), bytes.to_string()];
            let words = &words[usize::from(bytes == 0)..];
            let words = fitting(words, CELL, room - 4);
            centre(shapes, "bytes", x, room, y + 17, CELL, &words);
            return 1;
        }
        let across = (room / BOX).max(1);
        let things = cell.split_whitespace().enumerate();
        for (at, name) in things.clone() {
            let (x, y) = (x + at % across * BOX, y + at / across * BOX);
            // What has no answer yet has no colour, and a dashed border.
            let (fill, line) = match place {
                0 => ("unknown".to_owned(), "box partial"),
                place => (format!("m{}", place % COLOURS), "box"),
            };
            let side = BOX - 5;
            shapes.push(Shape::Rect(fill, x, y, side, side));
            shapes.push(Shape::Path(line, format!("M{x} {y}h{side}v{side}h-{side}Z")));
            centre(shapes, "name", x, side, y + 15, SMALL, name);
        }
        things.count().div_ceil(across)
    }

    /// A step in words, for a screen reader.
    fn sentence(&self, step: &str, cells: &[String]) -> String {
        let holds = self.places.iter().zip(cells).map(|(place, cell)| match cell.parse() {
            Ok(count) if self.bytes => format!("{place}: {}", bytes::count(count)),
            _ if cell.is_empty() => format!("{place}: none"),
            _ => format!("{place}: {cell}"),
        });
        format!("{step}. {}.", holds.collect::<Vec<_>>().join("; "))
    }
}
