//! What a drawn picture consists of.

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

/// Something to draw, with its class in the style sheet.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Shape {
    /// Class, left, top, width, height.
    Rect(String, usize, usize, usize, usize),
    /// Class, left, baseline, length, text.
    Text(&'static str, usize, usize, usize, String),
    /// Class, path.
    Path(&'static str, String),
    /// Lane, call of that lane, and what the box of this call consists of.
    Call(usize, usize, Vec<Shape>),
}

impl Shape {
    /// Where it ends. A path runs along what is filled.
    pub fn right(&self) -> usize {
        match self {
            Shape::Rect(_, x, _, width, _) | Shape::Text(_, x, _, width, _) => x + width,
            Shape::Path(..) => 0,
            Shape::Call(_, _, shapes) => shapes.iter().map(Shape::right).max().unwrap_or(0),
        }
    }
}

/// The first of these that fits, if a cell is `cell` pixels wide.
pub(crate) fn fitting(words: &[String], cell: usize, room: usize) -> String {
    words.iter().find(|words| columns::width(words) * cell <= room).cloned().unwrap_or_default()
}

/// A text in the middle of its room.
pub(crate) fn centre(
    shapes: &mut Vec<Shape>,
    class: &'static str,
    x: usize,
    room: usize,
    y: usize,
    cell: usize,
    shown: &str,
) {
    let left = x + room.saturating_sub(columns::width(shown) * cell) / 2;
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
        // Blanks at the ends show nothing, and some programs would drop them.
        let (blank, word) = (run.len() - run.trim_start_matches(' ').len(), run.trim_matches(' '));
        if !word.is_empty() {
            let left = x + blank * cell;
            shapes.push(Shape::Text(class, left, y, columns::width(word) * cell, word.to_owned()));
        }
        x += columns::width(&run) * cell;
    }
}
