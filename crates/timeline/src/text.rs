//! The picture as text: a table whose columns are stretches of the stream and whose rows are the lanes.

use crate::layout::{Edge, Measure, Stretch, arrange, edge, left_out};
use crate::sentences;
use crate::stream::{Lane, Stream};
use anstyle::{AnsiColor, Style};
use std::ops::Range;

/// In fewer columns, the byte counts of shortened stretches would not fit.
const NARROWEST: usize = 48;
/// How many of them a lane's label may take.
const LABEL: usize = 16;

/// A box into which one `recv` took bytes of several messages.
const GLUED: Style = AnsiColor::Red.on_default();

impl Stream {
    /// Draws the stream for a terminal that is `width` columns wide, 48 at least; ends with a newline.
    ///
    /// Text that a reader may not see as it is (control characters, bytes that are not UTF-8) is escaped; framing bytes
    /// are in hex, and so is a stretch that isn't text. A long stretch is shortened and says how many bytes it has; a long
    /// stream goes on below, and the offsets tell where. The text has no colours.
    pub fn text(&self, width: usize) -> String {
        self.lines(width, false)
    }

    /// The same for a terminal that shows colours: the boxes of a `recv` that took bytes of several messages are red. The
    /// dashed lines inside them and the sentences below say so, too.
    pub fn coloured(&self, width: usize) -> String {
        self.lines(width, true)
    }

    fn lines(&self, width: usize, coloured: bool) -> String {
        let width = width.max(NARROWEST);
        let mut lanes = self.lanes();
        lanes.retain(Lane::moved_bytes);
        let widths = lanes.iter().map(|lane| columns::width(&label(lane)));
        let label = widths.fold("offset".len(), usize::max) + 2;

        let mut stretches = self.stretches(&lanes);
        // A border takes a column; each line has one more than it has stretches.
        let measure = Measure { cell: 1, gap: 1, margin: 1, room: width - label };
        let rows = arrange(&mut stretches, &measure);
        let left_out = left_out(rows.len());
        let glued = |lane: usize, at: usize| {
            let Lane { call: name, calls, .. } = &lanes[lane];
            let call = stretches[at].in_lanes[lane];
            coloured && *name == "recv" && call.is_some_and(|at| self.moved(&calls[at]).glued())
        };
        let mut lines = Vec::new();
        if rows.is_empty() && self.has_failures() {
            lines.push(format!("{}: no bytes", self.name()));
        }
        for (index, row) in rows.iter().enumerate() {
            if !left_out.contains(&index) {
                lines.extend(draw(&lanes, &stretches, row, [label, width], &glued));
            } else if index == left_out.start {
                let last = &rows[left_out.end - 1];
                let (from, to) =
                    (stretches[row.start].at.start, stretches[last.end - 1].at.end - 1);
                lines.push(format!("(offsets {from} to {to} are left out here)"));
            }
        }
        for sentence in sentences::about_stream(self) {
            lines.extend(sentences::wrap(&sentence, label, width));
        }
        lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// The label of a lane: whose calls it shows.
fn label(lane: &Lane<'_>) -> String {
    let side = columns::visible(lane.side);
    format!("{} {}", columns::head(&side, LABEL - 5), lane.call)
}

/// One line of boxes: the offsets, and each lane between its borders.
fn draw(
    lanes: &[Lane<'_>],
    stretches: &[Stretch],
    row: &Range<usize>,
    [label, width]: [usize; 2],
    glued: &impl Fn(usize, usize) -> bool,
) -> Vec<String> {
    // The border between two stretches belongs to the boxes on both sides.
    let between = |lane: usize, at: usize| {
        at > row.start && glued(lane, at - 1) || at < row.end && glued(lane, at)
    };
    let border = |above: Option<usize>, below: Option<usize>| {
        let touches = |lane: Option<usize>, at| {
            lane.is_some_and(|lane| edge(lane, at, stretches, row) == Edge::Solid)
        };
        let beside = || [above, below].into_iter().flatten();
        let covered = |at: usize| beside().any(|lane| stretches[at].in_lanes[lane].is_some());
        let mut line = Line::new(" ".repeat(label));
        let mut left = false;
        for (at, stretch) in row.clone().zip(&stretches[row.clone()]) {
            let right = covered(at);
            let corner = junction(left, right, touches(above, at), touches(below, at));
            line.push(&corner.to_string(), beside().any(|lane| between(lane, at)));
            let side = if right { "─" } else { " " }.repeat(stretch.columns);
            line.push(&side, beside().any(|lane| glued(lane, at)));
            left = right;
        }
        let corner = junction(left, false, touches(above, row.end), touches(below, row.end));
        line.push(&corner.to_string(), beside().any(|lane| between(lane, row.end)));
        line.end()
    };

    let mut lines = vec![offsets(&stretches[row.clone()], label, width)];
    for (index, lane) in lanes.iter().enumerate() {
        lines.push(border(index.checked_sub(1), Some(index)));
        let mut line = Line::new(pad(&self::label(lane), label));
        for at in row.start..=row.end {
            let side = match edge(index, at, stretches, row) {
                Edge::None => " ",
                Edge::Dashed => "╎",
                Edge::Solid => "│",
            };
            line.push(side, between(index, at));
            if let Some(stretch) = stretches[..row.end].get(at) {
                let shown = if stretch.in_lanes[index].is_some() { &stretch.shown } else { "" };
                line.push(&pad(shown, stretch.columns), glued(index, at));
            }
        }
        lines.push(line.end());
    }
    lines.push(border(lanes.len().checked_sub(1), None));
    lines.retain(|line| !line.trim_end().is_empty());
    lines
}

/// A line with some coloured parts.
struct Line {
    text: String,
    coloured: bool,
}

impl Line {
    fn new(text: String) -> Line {
        Line { text, coloured: false }
    }

    fn push(&mut self, part: &str, coloured: bool) {
        self.colour(coloured);
        self.text.push_str(part);
    }

    fn end(mut self) -> String {
        self.colour(false);
        self.text
    }

    fn colour(&mut self, coloured: bool) {
        match (std::mem::replace(&mut self.coloured, coloured), coloured) {
            (false, true) => self.text += &GLUED.render().to_string(),
            (true, false) => self.text += &GLUED.render_reset().to_string(),
            (true, true) | (false, false) => {}
        }
    }
}

/// The offset of each cut, above it, where there is room.
fn offsets(row: &[Stretch], label: usize, width: usize) -> String {
    let mut line = pad("offset", label);
    let mut column = label;
    let ends = row.last().map(|last| (last.at.end, 0));
    for (offset, columns) in
        row.iter().map(|stretch| (stretch.at.start, stretch.columns)).chain(ends)
    {
        let number = offset.to_string();
        // The label ends in blanks, so only the previous number can be in the way.
        if (column == label || columns::width(&line) < column) && column + number.len() <= width {
            line = pad(&line, column) + &number;
        }
        column += 1 + columns;
    }
    line
}

/// The character where lines from up to four sides meet.
fn junction(left: bool, right: bool, up: bool, down: bool) -> char {
    match (left, right, up, down) {
        (true, true, false, false) => '─',
        (true, true, false, true) => '┬',
        (true, true, true, false) => '┴',
        (true, true, true, true) => '┼',
        (false, true, false, true) => '┌',
        (false, true, true, false) => '└',
        (false, true, true, true) => '├',
        (true, false, false, true) => '┐',
        (true, false, true, false) => '┘',
        (true, false, true, true) => '┤',
        (true, false, false, false) | (false, true, false, false) => '─',
        (false, false, true, _) | (false, false, _, true) => '│',
        (false, false, false, false) => ' ',
    }
}

fn pad(shown: &str, columns: usize) -> String {
    shown.to_owned() + &" ".repeat(columns.saturating_sub(columns::width(shown)))
}
