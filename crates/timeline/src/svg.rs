//! The picture as an SVG file, for a page or a book: light and dark, and with nothing in it but what was recorded.

use crate::calls::Call;
use crate::fit::{Fit, fits};
use crate::layout::left_out;
use crate::picture::{Picture, WIDTH};
use crate::row::{LEFT, mark};
use crate::sentences;
use crate::shapes::{Shape, text};
use crate::stream::Stream;
use std::fmt::Write;

/// The colours on light paper: one `--name: value;` per line.
pub const LIGHT: &str = include_str!("page/light.css");
/// The colours on dark paper.
pub const DARK: &str = include_str!("page/dark.css");
/// The rules that use them.
pub(crate) const RULES: &str = include_str!("page/picture.css");
/// More rules, for ladders and levels.
pub(crate) const LADDER: &str = include_str!("page/ladder.css");

/// The lines of words below the picture, and their cells.
const LINE: usize = 19;
const WORD: usize = 7;
/// The words need this much, however little is drawn.
const NARROWEST: usize = 420;
/// The width of a sample box in the legend, with the space after it.
const KEY: usize = 30;

impl Stream {
    /// Draws the stream as an SVG file, 592 pixels wide at most; `title` is what a screen reader says first.
    ///
    /// It needs no other file and follows the reader's light or dark theme. The same events always give the same file: it
    /// contains no times, process numbers or addresses.
    pub fn svg(&self, title: &str) -> String {
        svg(title, std::slice::from_ref(self))
    }
}

/// Draws several streams in one SVG file, one below the other: the two directions of a connection.
pub fn svg(title: &str, streams: &[Stream]) -> String {
    let pictures: Vec<Picture> = streams.iter().map(|stream| stream.picture(WIDTH)).collect();
    // As wide as the drawing and the words below it need: so the letters have the same size in every picture.
    let shapes = pictures.iter().flat_map(|picture| &picture.rows).flat_map(|row| &row.shapes);
    let width = (shapes.map(Shape::right).max().unwrap_or(0) + LEFT).clamp(NARROWEST, WIDTH);
    let mut drawing = Drawing { body: String::new(), y: 16, width };
    for (stream, picture) in streams.iter().zip(&pictures) {
        drawing.stream(stream, picture, streams.len() > 1);
    }
    drawing.legend(streams);
    let Drawing { body, y, .. } = drawing;
    file(title, &describe(streams), &body, [width, y], "")
}

/// The file around the drawing: the words for a screen reader, and the rules for both themes, plus the drawing's own rules.
pub(crate) fn file(
    title: &str,
    about: &str,
    body: &str,
    [width, y]: [usize; 2],
    rules: &str,
) -> String {
    let (title, about) = (escape_xml(&columns::visible(title)), escape_xml(about));
    let id = format!("{:08x}", fingerprint(&(title.clone() + &about)));
    let rules = RULES.to_owned() + rules;
    let light = themed(LIGHT, &rules);
    let dark = themed(DARK, &rules);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" width=\"{width}\" \
         height=\"{y}\" style=\"max-width:100%;height:auto\" role=\"img\" \
         aria-labelledby=\"title-{id} desc-{id}\" xml:space=\"preserve\">\n\
         <title id=\"title-{id}\">{title}</title>\n<desc id=\"desc-{id}\">{about}</desc>\n\
         <style>\n{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{y}\" rx=\"8\"/>\n{body}</svg>\n"
    )
}

/// A file while it is written, from top to bottom.
struct Drawing {
    body: String,
    /// Where the next thing begins.
    y: usize,
    width: usize,
}

impl Drawing {
    fn stream(&mut self, stream: &Stream, picture: &Picture, headed: bool) {
        if headed {
            self.line("heading", 14, &columns::cut(&stream.name(), self.columns()));
            self.y += 34;
        }
        let left_out = left_out(picture.rows.len());
        for (index, row) in picture.rows.iter().enumerate() {
            if !left_out.contains(&index) {
                self.body.push_str(&format!("<g transform=\"translate(0 {})\">\n", self.y));
                row.shapes.iter().for_each(|shape| write(&mut self.body, shape));
                self.body.push_str("</g>\n");
                self.y += picture.height;
            } else if index == left_out.start {
                let (from, to) = (row.at.start, picture.rows[left_out.end - 1].at.end - 1);
                self.line("word", 12, &format!("(offsets {from} to {to} are left out here)"));
                self.y += 36;
            }
        }
        self.y += 4;
        let unrecorded = sentences::unrecorded(stream).into_iter();
        for sentence in unrecorded.chain(sentences::about_stream(stream)) {
            for words in sentences::wrap(&sentence, 0, self.columns()) {
                self.line("word", 12, &words);
                self.y += LINE;
            }
        }
        self.y += 16;
    }

    /// What the marks mean: only those that occur.
    fn legend(&mut self, streams: &[Stream]) {
        let fits: Vec<Fit> = streams.iter().flat_map(fits).collect();
        let framed =
            streams.iter().any(|stream| stream.messages.iter().any(|it| it.message.is_framed()));
        let failed = |is: fn(&Call) -> bool| {
            let lanes = streams.iter().flat_map(Stream::lanes).flat_map(|lane| lane.calls);
            lanes.into_iter().any(|call| call.error.is_some() && is(call))
        };
        let keys = [
            (framed, "key box", "framing: fainter, in hex unless it is text"),
            (
                fits.contains(&Fit::Partial),
                "key box partial",
                "part of a message that says where it ends",
            ),
            (fits.contains(&Fit::Odd), "key box odd", "mixes messages, or ends inside one"),
            (failed(|call| !call.would_block()), "mark", "a call that failed"),
            (failed(Call::would_block), "mark idle", "a call that would have had to wait (EAGAIN)"),
        ];
        let mut at = LEFT;
        for (_, class, words) in keys.into_iter().filter(|(occurs, ..)| *occurs) {
            let width = KEY + columns::width(words) * WORD;
            if at > LEFT && at + width > self.width - LEFT {
                (at, self.y) = (LEFT, self.y + LINE);
            }
            let mut shapes = Vec::new();
            let y = self.y;
            if class == "key box" {
                shapes.push(Shape::Rect("key f0".to_owned(), at, y, 22, 12));
            }
            let sign = match class {
                "mark" | "mark idle" => mark(class, at + 11, y + 6),
                _ => format!("M{at} {y}h22v12h-22Z"),
            };
            shapes.push(Shape::Path(class, sign));
            text(&mut shapes, "key", at + KEY, y + 10, WORD, words);
            shapes.iter().for_each(|shape| write(&mut self.body, shape));
            at += width + 2 * LEFT;
        }
        if at > LEFT {
            self.y += LINE + 9;
        }
    }

    /// A line of words; its baseline is this far down.
    fn line(&mut self, class: &'static str, below: usize, words: &str) {
        let mut shapes = Vec::new();
        text(&mut shapes, class, LEFT, self.y + below, WORD, words);
        shapes.iter().for_each(|shape| write(&mut self.body, shape));
    }

    /// How many columns of words a line has.
    fn columns(&self) -> usize {
        (self.width - 2 * LEFT) / WORD
    }
}

/// Shapes as they are written to the file.
pub(crate) fn drawn(shapes: &[Shape]) -> String {
    let mut body = String::new();
    shapes.iter().for_each(|shape| write(&mut body, shape));
    body
}

fn write(body: &mut String, shape: &Shape) {
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Rect(class, x, y, w, h) => {
            writeln!(
                body,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>"
            )
        }
        Shape::Text(class, x, y, length, words) => writeln!(
            body,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" textLength=\"{length}\">{}</text>",
            escape_xml(words)
        ),
        Shape::Path(class, d) => {
            writeln!(body, "<path class=\"{class}\" d=\"{d}\"/>")
        }
        Shape::Call(_, _, shapes) => {
            body.push_str("<g>\n");
            shapes.iter().for_each(|shape| write(body, shape));
            writeln!(body, "</g>")
        }
    };
}

/// What is drawn, in words for a screen reader.
fn describe(streams: &[Stream]) -> String {
    let about = |stream: &Stream| {
        let lanes = stream.lanes();
        let drawn = lanes.iter().filter(|lane| lane.moved_bytes());
        let names: Vec<String> =
            drawn.map(|lane| sentences::lane_name(lane.side, lane.call)).collect();
        let lanes = match names.len() {
            0 => "No bytes were recorded".to_owned(),
            _ => format!("Lanes, aligned on the offset of the bytes: {}", names.join(", ")),
        };
        let words =
            sentences::unrecorded(stream).into_iter().chain(sentences::about_stream(stream));
        let words: String = words.map(|sentence| sentence + ".\n").collect();
        format!("{}. {lanes}.\n{words}", stream.name())
    };
    streams.iter().map(about).collect::<String>().trim_end().to_owned()
}

/// The rules with the colours of one theme filled in: not every program that shows an SVG supports CSS variables.
fn themed(colours: &str, rules: &str) -> String {
    let mut rules = rules.to_owned();
    for colour in colours.lines() {
        if let Some((name, value)) = colour.trim().trim_end_matches(';').split_once(": ") {
            rules = rules.replace(&format!("var({name})"), value);
        }
    }
    rules
}

/// Text as XML. What XML can't hold has been escaped before, by [`columns::visible`] or [`bytes::text`](crate::bytes::text).
pub(crate) fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// FNV-1a: several pictures in one HTML page must not share the names of their titles.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, as WCAG 2 defines it.
    fn luminance(colours: &str, name: &str) -> f64 {
        let (_, rest) = colours.split_once(&format!("--{name}: #")).unwrap();
        let linear = |at: usize| {
            let value = f64::from(u8::from_str_radix(&rest[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(0) + 0.7152 * linear(2) + 0.0722 * linear(4)
    }

    #[test]
    fn text_and_borders_stand_out_from_what_is_behind_them() {
        let behind = ["paper", "unknown", "m0", "m1", "m2", "m3", "f0", "f1", "f2", "f3"];
        // WCAG 2.2: 1.4.3 for text, 1.4.11 for anything else that carries meaning.
        let front = [("ink", 4.5), ("quiet", 4.5), ("odd", 3.0), ("focus", 3.0)];
        // The arrows and lifelines of a ladder, whose words are on the plain background.
        let lines = [("paper", ("line", 3.0))];
        for (theme, colours) in [("light", LIGHT), ("dark", DARK)] {
            for (behind, (front, least)) in
                behind.iter().flat_map(|behind| front.map(|front| (*behind, front))).chain(lines)
            {
                let (one, other) = (luminance(colours, behind), luminance(colours, front));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= least, "{theme}: {front} on {behind}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn no_colour_is_left_a_variable() {
        for colours in [LIGHT, DARK] {
            let themed = themed(colours, &(RULES.to_owned() + LADDER));
            assert!(!themed.contains("var("), "{themed}");
        }
    }
}
