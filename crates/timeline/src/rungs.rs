//! Ladders as an SVG file: one ladder with a row for each step, or several side by side along a time axis.

use crate::ladder::{Arrow, HELD_US, Kind, Ladder, Row, SIDES};
use crate::row::{CELL, LEFT, SMALL};
use crate::shapes::{Shape, centre, fitting, text};
use crate::svg::{self, LADDER};
use std::ops::Range;

/// The steps of one connection: each row as high as the others.
const STEP: usize = 25;
/// The width of one ladder beside others.
const BESIDE: usize = 258;
/// A longer call is cut to this many cells.
const CALL: usize = 13;
/// How many columns an arrow of text has.
const ARROW: usize = 34;
/// How many pixels a millisecond is high. Rows that are closer than `CLOSE` are moved apart.
const PER_MS: f64 = 8.0;
const CLOSE: usize = 21;
/// The time axis is never higher than this, and never has more ticks.
const HIGHEST: f64 = 400.0;
const TICKS: u64 = 8;

/// Where a ladder is drawn: its two lifelines, and the text beside and between them.
struct Place {
    client: usize,
    server: usize,
    cell: usize,
    top: usize,
}

impl Ladder {
    /// Draws the ladder as an SVG file, a row for each step; `title` is what a screen reader says first.
    pub fn svg(&self, title: &str) -> String {
        let place = Place { client: 132, server: 362, cell: CELL, top: 16 };
        let mut shapes = Vec::new();
        let ys: Vec<usize> = (0..self.rows.len()).map(|row| place.top + 54 + row * STEP).collect();
        self.draw(&mut shapes, &place, &ys);
        for (name, rows) in self.phases() {
            let (x, top, bottom) = (place.server + 100, ys[rows.start] - 9, ys[rows.end] + 9);
            shapes.push(Shape::Path("life", format!("M{x} {top}h6V{bottom}h-6")));
            text(&mut shapes, "caption", x + 14, (top + bottom) / 2 + 4, SMALL, name);
        }
        let width = 556;
        let height = ys.last().map_or(0, |y| y + 32);
        svg::file(title, &self.about(), &svg::drawn(&shapes), [width, height], LADDER)
    }

    /// The same as text, a row for each step, with its time.
    pub fn text(&self) -> String {
        let start = self.rows.first().map_or(0, |row| row.t_us);
        let width = |side: usize| {
            let calls = self.rows.iter().filter_map(move |row| row.calls[side].as_deref());
            calls.map(columns::width).max().unwrap_or(0)
        };
        let left = width(0).max(SIDES[0].len());
        let mut lines = vec![format!("{:14}{:>left$}  {:ARROW$}  {}", "", SIDES[0], "", SIDES[1])];
        for row in &self.rows {
            let [client, server] = row.calls.each_ref().map(|call| call.as_deref().unwrap_or(""));
            let arrow = row.arrow.as_ref().map_or_else(|| " ".repeat(ARROW - 2), Arrow::text);
            let t_ms = (row.t_us - start) as f64 / 1000.0;
            lines.push(format!("{t_ms:>9.3} ms  {client:>left$}  │{arrow}│  {server}"));
        }
        lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// The rows in which the connection opens, and those in which it closes.
    fn phases(&self) -> Vec<(&'static str, Range<usize>)> {
        let says = |row: &Row, flag: &str| {
            row.arrow.as_ref().is_some_and(|arrow| arrow.labels[0].contains(flag))
        };
        let find = |flag: &str| self.rows.iter().position(|row| says(row, flag));
        let last = self.rows.iter().rposition(|row| row.arrow.is_some());
        let bare = |row: &Row| row.arrow.as_ref().is_some_and(|arrow| arrow.labels[0] == "ACK");
        let opened =
            find("SYN ACK").and_then(|at| Some(at + self.rows[at..].iter().position(bare)?));
        let opening = find("SYN").zip(opened).map(|(from, to)| ("handshake", from..to));
        let closing = find("FIN").zip(last).map(|(from, to)| ("close", from..to));
        opening.into_iter().chain(closing).collect()
    }

    /// `ys` are the heights of the rows.
    fn draw(&self, shapes: &mut Vec<Shape>, place: &Place, ys: &[usize]) {
        let lines = [place.client, place.server];
        let bottom = ys.last().map_or(0, |y| y + 16);
        for (x, name) in lines.into_iter().zip(SIDES) {
            centre(shapes, "side", x - 50, 100, place.top + 19, CELL, name);
            shapes.push(Shape::Path("life", format!("M{x} {}V{bottom}", place.top + 28)));
        }
        for wait in &self.waits {
            let from = ys.get(wait.from).map_or(bottom, |y| y + 2);
            let to = ys.get(wait.to).copied().unwrap_or(bottom - 4);
            shapes.push(Shape::Rect(
                "wait".to_owned(),
                lines[wait.side] - 4,
                from - 6,
                8,
                to + 10 - from,
            ));
        }
        for (row, y) in self.rows.iter().zip(ys) {
            if let Some(arrow) = &row.arrow {
                place.arrow(shapes, arrow, *y);
            }
            let class = if place.cell == CELL { "bytes" } else { "word" };
            for (side, call) in row.calls.iter().enumerate() {
                let Some(call) = call else { continue };
                let call = &columns::cut(call, CALL);
                let x = match side {
                    0 => place.client - 12 - columns::width(call) * place.cell,
                    _ => place.server + 12,
                };
                backed(shapes, class, x, y + 5, place.cell, call);
            }
        }
    }

    /// What is drawn, in words for a screen reader.
    fn about(&self) -> String {
        let start = self.rows.first().map_or(0, |row| row.t_us);
        self.rows.iter().map(|row| sentence(row, start)).collect::<Vec<_>>().join("\n")
    }
}

impl Arrow {
    /// The arrow as text: all have the same width.
    fn text(&self) -> String {
        let label = self.labels.iter().find(|label| columns::width(label) <= ARROW - 8);
        let label = format!(" {} ", label.map_or("", String::as_str));
        let rest = (ARROW - 3).saturating_sub(columns::width(&label));
        let (before, after) = ("─".repeat(rest / 2), "─".repeat(rest - rest / 2));
        match self.to {
            0 => format!("◀{before}{label}{after}"),
            _ => format!("{before}{label}{after}▶"),
        }
    }
}

impl Place {
    fn arrow(&self, shapes: &mut Vec<Shape>, arrow: &Arrow, y: usize) {
        let (flow, tip) = match arrow.kind {
            Kind::Bytes => ("flow", "tip"),
            Kind::Control => ("flow quiet", "tip quiet"),
            Kind::Reset => ("flow reset", "tip reset"),
        };
        let (from, to) = (self.client + 5, self.server - 5);
        shapes.push(Shape::Path(flow, format!("M{from} {y}H{to}")));
        shapes.push(Shape::Path(
            tip,
            match arrow.to {
                0 => format!("M{from} {y}l9 -4v8Z"),
                _ => format!("M{to} {y}l-9 -4v8Z"),
            },
        ));
        let label = fitting(&arrow.labels, self.cell, to - from - 36);
        let room = columns::width(&label) * self.cell + 12;
        let x = (from + to - room) / 2;
        let back = match (arrow.kind, arrow.to) {
            (Kind::Bytes, 1) => "m0",
            (Kind::Bytes, _) => "m1",
            _ => "paper",
        };
        shapes.push(Shape::Rect(back.to_owned(), x, y - 9, room, 18));
        let class = match (arrow.kind, self.cell) {
            (Kind::Bytes, CELL) => "bytes",
            (Kind::Bytes, _) => "word",
            (_, CELL) => "hex",
            _ => "caption",
        };
        centre(shapes, class, x, room, y + 5, self.cell, &label);
    }
}

/// Draws ladders side by side along one time axis, on which each begins with its first row.
///
/// Distances show the time, except that rows too close to be read are moved apart.
pub fn in_time(title: &str, ladders: &[Ladder]) -> String {
    let start = |ladder: &Ladder| ladder.rows.first().map_or(0, |row| row.t_us);
    let all = ladders.iter().enumerate().flat_map(|(at, ladder)| {
        ladder.rows.iter().enumerate().map(move |(row, it)| (it.t_us - start(ladder), at, row))
    });
    let mut all: Vec<(u64, usize, usize)> = all.collect();
    all.sort_unstable();
    let total = all.last().map_or(0, |(t_us, ..)| t_us / 1000);
    let scale = PER_MS.min(HIGHEST / total.max(1) as f64);
    let mut steps = (1..).map(|power| 10_u64.pow(power));
    let tick_ms = steps.find(|step| total / step <= TICKS).unwrap_or(u64::MAX);
    let top = 16 + 20;
    let mut ys: Vec<Vec<usize>> = ladders.iter().map(|_| Vec::new()).collect();
    let (mut time, mut y) = (0, top + 52);
    let mut axis = vec![(0, y)];
    for (t_us, ladder, _) in all {
        let scaled = y + ((t_us - time) as f64 / 1000.0 * scale) as usize;
        let apart = ys[ladder].last().map_or(0, |last: &usize| last + CLOSE);
        (time, y) = (t_us, scaled.max(apart));
        ys[ladder].push(y);
        axis.push((time, y));
    }
    let mut shapes = Vec::new();
    let width = 2 * LEFT + 44 + ladders.len().max(1) * BESIDE;
    for tick in (0..=time / 1000).step_by(tick_ms as usize) {
        let at = at(&axis, tick * 1000);
        text(&mut shapes, "offset", LEFT, at + 4, SMALL, &format!("{tick:>2} ms"));
        shapes.push(Shape::Path("cut", format!("M{} {at}H{}", LEFT + 42, width - LEFT)));
    }
    for (index, (ladder, ys)) in ladders.iter().zip(&ys).enumerate() {
        let left = LEFT + 46 + index * BESIDE;
        let place = Place { client: left + 62, server: left + 192, cell: SMALL, top };
        centre(&mut shapes, "heading", left, 254, 16 + 12, SMALL, &ladder.heading());
        ladder.draw(&mut shapes, &place, ys);
        ladder.held(&mut shapes, &place, ys);
    }
    let about = |ladder: &Ladder| format!("{}.\n{}", ladder.heading(), ladder.about());
    let about: Vec<String> = ladders.iter().map(about).collect();
    svg::file(title, &about.join("\n\n"), &svg::drawn(&shapes), [width, y + 32], LADDER)
}

impl Ladder {
    /// How many sends the server made, and when the last bytes travelled.
    fn heading(&self) -> String {
        let carries = |row: &&Row| row.arrow.as_ref().is_some_and(|it| it.kind == Kind::Bytes);
        let ends = [self.rows.first(), self.rows.iter().rfind(carries)];
        let [start, end] = ends.map(|row| row.map_or(0, |row| row.t_us));
        let took = end.saturating_sub(start) as f64 / 1000.0;
        let sends = if self.sends == 1 { "send" } else { "sends" };
        format!("{} {sends}: {took:.1} ms", self.sends)
    }

    /// Says which segments were held back, in the gap before them.
    fn held(&self, shapes: &mut Vec<Shape>, place: &Place, ys: &[usize]) {
        let rows = self.rows.windows(2).zip(ys.windows(2));
        for (pair, ys) in rows.filter(|(pair, _)| pair[1].t_us - pair[0].t_us > HELD_US) {
            let late = self.rows.iter().filter(|row| row.t_us >= pair[1].t_us);
            let late =
                late.filter_map(|row| row.arrow.as_ref()).filter(|arrow| arrow.late_us > HELD_US);
            for (arrow, y) in late.zip(((ys[0] + ys[1]) / 2 - 6..).step_by(18)) {
                let words = match arrow.kind {
                    Kind::Bytes => {
                        format!("{} wait", arrow.labels.last().map_or("", String::as_str))
                    }
                    _ => format!("no ACK: {:.1} ms", arrow.late_us as f64 / 1000.0),
                };
                let room = columns::width(&words) * SMALL;
                let x = (place.server + place.client - room) / 2;
                backed(shapes, "caption odd", x, y, SMALL, &words);
            }
        }
    }
}

/// The place of a time on the axis.
fn at(axis: &[(u64, usize)], t_us: u64) -> usize {
    let after = axis.partition_point(|(time, _)| *time < t_us);
    match (axis.get(after.wrapping_sub(1)), axis.get(after)) {
        (Some((from, top)), Some((to, bottom))) if to > from => {
            top + ((t_us - from) as f64 / (to - from) as f64 * (bottom - top) as f64) as usize
        }
        (_, Some((_, y))) | (Some((_, y)), _) => *y,
        _ => 0,
    }
}

/// A text on a background of its own, so that no line runs through it.
fn backed(
    shapes: &mut Vec<Shape>,
    class: &'static str,
    x: usize,
    y: usize,
    cell: usize,
    shown: &str,
) {
    let room = columns::width(shown) * cell + 8;
    shapes.push(Shape::Rect("paper".to_owned(), x - 4, y - 13, room, 18));
    text(shapes, class, x, y, cell, shown);
}

fn sentence(row: &Row, start: u64) -> String {
    let mut parts = vec![format!("{:.1} ms", (row.t_us - start) as f64 / 1000.0)];
    let call = |side: usize| {
        let call = row.calls[side].as_ref()?;
        Some(match call.strip_prefix("= ") {
            Some(what) => format!("{} recv returned {what}", SIDES[side]),
            None => format!("{} {call}", SIDES[side]),
        })
    };
    let arrow = row.arrow.as_ref();
    // The call that sent it, the segment, the call that it woke.
    let first = arrow.map_or(0, |arrow| 1 - arrow.to);
    parts.extend(call(first));
    parts.extend(arrow.map(|arrow| format!("{} to the {}", arrow.labels[0], SIDES[arrow.to])));
    parts.extend(call(1 - first));
    parts.join("; ") + "."
}
