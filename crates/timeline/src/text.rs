//! The picture as text: a table whose columns are stretches of the stream and whose rows are the lanes.
//!
//! The stream is cut wherever a call of either lane, a message or a part of a message begins or ends. Between two cuts
//! lies a stretch; it stands in the same columns in every lane that has it. That is what makes the lanes comparable.

use crate::calls::Call;
use crate::stream::{Kind, Stream};
use crate::{show, words};
use std::collections::BTreeSet;
use std::ops::Range;

/// Below this the counts of shortened stretches would not fit.
const NARROWEST: usize = 48;
/// What a lane's label may take of it.
const LABEL: usize = 16;
/// No stretch is shortened further than this.
const SHORTEST: usize = 22;
/// So many lines of boxes are drawn; of a longer stream, the beginning and the end.
const MOST_ROWS: usize = 10;

impl Stream {
    /// Draws the stream for a terminal that is `width` columns wide, 48 at least; ends with a newline.
    ///
    /// Text that a reader may not see as it is (control characters, bytes that are not UTF-8) is escaped; framing bytes
    /// are in hex. A long stretch is shortened and says how many bytes it has; a long stream goes on below, and the
    /// offsets tell where. There is no colour in it.
    pub fn text(&self, width: usize) -> String {
        let width = width.max(NARROWEST);
        let lanes: Vec<Lane> =
            [(&self.sender, "send", &self.sends), (&self.receiver, "recv", &self.recvs)]
                .into_iter()
                .filter(|(_, _, calls)| calls.iter().any(|call| !call.data.is_empty()))
                .map(|(side, call, calls)| {
                    let side = show::text(side.as_bytes());
                    Lane { label: format!("{} {call}", show::head(&side, LABEL - 5)), calls }
                })
                .collect();
        let label =
            lanes.iter().map(|lane| show::width(&lane.label)).fold("offset".len(), usize::max) + 2;

        let mut lines = Vec::new();
        let mut stretches = self.stretches(&lanes);
        let limit = fit(&stretches, width - label);
        let rows = rows(&stretches, width - label, limit);
        stretches.iter_mut().for_each(|stretch| stretch.shorten(limit));
        // Of a stream that goes on for screens, the beginning and the end.
        let (top, bottom) = match rows.len() {
            0..=MOST_ROWS => (rows.len(), rows.len()),
            many => (MOST_ROWS - 2, many - 2),
        };
        lines
            .extend(rows[..top].iter().flat_map(|row| draw(&lanes, &stretches, row, label, width)));
        if top < bottom {
            let (from, to) =
                (stretches[rows[top].start].at.start, stretches[rows[bottom].start].at.start);
            lines.push(format!("(offsets {from} to {} are left out here)", to - 1));
        }
        lines.extend(
            rows[bottom..].iter().flat_map(|row| draw(&lanes, &stretches, row, label, width)),
        );
        for sentence in words::sentences(self) {
            lines.extend(
                words::wrap(&sentence, width - label)
                    .into_iter()
                    .map(|line| format!("{:label$}{line}", "")),
            );
        }
        lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    fn stretches(&self, lanes: &[Lane]) -> Vec<Stretch> {
        let calls =
            lanes.iter().flat_map(|lane| lane.calls).flat_map(|call| [call.offset, call.end()]);
        let parts = self.messages.iter().flat_map(|placed| placed.parts().map(|(_, at)| at));
        let cuts: BTreeSet<usize> = calls.chain(parts.flat_map(|at| [at.start, at.end])).collect();
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let stretch = |pair: &[usize]| {
            let at = pair[0]..pair[1];
            let in_lanes: Vec<Option<usize>> = lanes.iter().map(|lane| lane.call_at(&at)).collect();
            let (lane, call) =
                in_lanes.iter().enumerate().find_map(|(lane, call)| Some((lane, (*call)?)))?;
            let call = &lanes[lane].calls[call];
            let bytes = &call.data[at.start - call.offset..at.end - call.offset];
            let shown = match self.kind_at(&at) {
                Kind::Framing => show::framing(bytes),
                Kind::Payload => show::text(bytes),
            };
            Some(Stretch { at, columns: show::width(&shown), shown, in_lanes })
        };
        cuts.windows(2).filter_map(stretch).collect()
    }

    fn kind_at(&self, at: &Range<usize>) -> Kind {
        let first = self.messages.partition_point(|placed| placed.end() <= at.start);
        let mut parts = self.messages.get(first).into_iter().flat_map(|placed| placed.parts());
        parts.find(|(_, part)| part.contains(&at.start)).map_or(Kind::Payload, |(kind, _)| kind)
    }
}

struct Lane<'a> {
    label: String,
    calls: &'a [Call],
}

impl Lane<'_> {
    fn call_at(&self, at: &Range<usize>) -> Option<usize> {
        let index = self.calls.partition_point(|call| call.end() <= at.start);
        self.calls.get(index).filter(|call| call.offset <= at.start).map(|_| index)
    }
}

/// The bytes between two neighbouring cuts.
struct Stretch {
    at: Range<usize>,
    shown: String,
    /// How many columns of the terminal that takes.
    columns: usize,
    /// For each lane the call that moved these bytes, if one was recorded.
    in_lanes: Vec<Option<usize>>,
}

impl Stretch {
    fn shorten(&mut self, limit: usize) {
        self.shown = show::shorten(std::mem::take(&mut self.shown), limit, self.at.len());
        self.columns = show::width(&self.shown);
    }
}

/// How long a stretch may be without making the picture longer.
fn fit(stretches: &[Stretch], room: usize) -> usize {
    let least = rows(stretches, room, SHORTEST).len();
    let longest =
        (SHORTEST..room - 1).rev().find(|limit| rows(stretches, room, *limit).len() == least);
    longest.unwrap_or(SHORTEST)
}

/// Which stretches stand in one line: as many as fit, and none behind a hole in the recordings.
fn rows(stretches: &[Stretch], room: usize, limit: usize) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    let mut used = 0;
    for (index, stretch) in stretches.iter().enumerate() {
        let needs = stretch.columns.min(limit) + 1;
        let follows = index > 0 && stretches[index - 1].at.end == stretch.at.start;
        match rows.last_mut() {
            Some(row) if follows && used + needs <= room => {
                row.end += 1;
                used += needs;
            }
            _ => {
                rows.push(index..index + 1);
                used = 1 + needs;
            }
        }
    }
    rows
}

/// One line of boxes: the offsets, and each lane between its borders.
fn draw(
    lanes: &[Lane],
    stretches: &[Stretch],
    row: &Range<usize>,
    label: usize,
    width: usize,
) -> Vec<String> {
    let border = |above: Option<usize>, below: Option<usize>| {
        let touches = |lane: Option<usize>, at| {
            lane.is_some_and(|lane| edge(lane, at, stretches, row) == Edge::Solid)
        };
        let covered = |at: usize| {
            [above, below].into_iter().flatten().any(|lane| stretches[at].in_lanes[lane].is_some())
        };
        let mut line = " ".repeat(label);
        let mut left = false;
        for (at, stretch) in row.clone().zip(&stretches[row.clone()]) {
            let right = covered(at);
            line.push(junction(left, right, touches(above, at), touches(below, at)));
            line.push_str(&if right { "─" } else { " " }.repeat(stretch.columns));
            left = right;
        }
        line.push(junction(left, false, touches(above, row.end), touches(below, row.end)));
        line
    };

    let mut lines = vec![offsets(&stretches[row.clone()], label, width)];
    for (index, lane) in lanes.iter().enumerate() {
        lines.push(border(index.checked_sub(1), Some(index)));
        let mut line = pad(&lane.label, label);
        for at in row.start..=row.end {
            line.push(match edge(index, at, stretches, row) {
                Edge::None => ' ',
                Edge::Dashed => '╎',
                Edge::Solid => '│',
            });
            if let Some(stretch) = stretches[..row.end].get(at) {
                let shown = if stretch.in_lanes[index].is_some() { &stretch.shown } else { "" };
                line.push_str(&pad(shown, stretch.columns));
            }
        }
        lines.push(line);
    }
    lines.push(border(lanes.len().checked_sub(1), None));
    lines.retain(|line| !line.trim_end().is_empty());
    lines
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
        // The label ends in blanks: only a number before this one can be in the way.
        if (column == label || show::width(&line) < column) && column + number.len() <= width {
            line = pad(&line, column) + &number;
        }
        column += 1 + columns;
    }
    line
}

#[derive(PartialEq)]
enum Edge {
    None,
    /// The call goes on: something else begins or ends here.
    Dashed,
    /// A call begins or ends here.
    Solid,
}

/// What a lane has before the stretch `at`, which may be the one behind the end of the row.
fn edge(lane: usize, at: usize, stretches: &[Stretch], row: &Range<usize>) -> Edge {
    let drawn_left = at > row.start;
    let drawn_right = at < row.end;
    // The call may have begun in the row above or go on in the row below; but not across a hole in the recordings.
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
    shown.to_owned() + &" ".repeat(columns.saturating_sub(show::width(shown)))
}
