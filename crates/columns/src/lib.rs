//! Makes text fit the terminal: how wide the terminal is, how wide a text is, where a line breaks, and what must be
//! escaped.
//!
//! A column is the width of one Latin letter. A Chinese character takes two, a combining accent none.
//!
//! ```
//! assert_eq!(columns::width("你好ab"), 6);
//! assert_eq!(columns::wrap("the peer is gone", 0, 2, 10), ["the peer", "is gone"]);
//! ```

mod visible;

pub use visible::{visible, visible_bytes};

use std::iter;

#[cfg(unix)]
use rustix::termios::tcgetwinsize;
#[cfg(unix)]
use std::{env, os::fd::AsFd};
use unicode_width::UnicodeWidthChar;

/// Nothing is made narrower than this: below it tables and pictures would fall apart.
pub const NARROWEST: usize = 60;
/// Nothing is made wider than this: the eye loses the line.
pub const WIDEST: usize = 120;
/// How wide a line is in a pipe or a file. clap wraps `--help` at the same width.
pub const IN_A_PIPE: usize = 100;

/// How wide a line written to `out` may be, 60 to 120.
///
/// That's the width of the terminal. Without a terminal, or if it doesn't know its width, COLUMNS
/// decides if it is exported, as for `--help`; otherwise it's 100.
#[cfg(unix)]
pub fn of(out: impl AsFd) -> usize {
    let terminal = tcgetwinsize(out).map_or(0, |size| usize::from(size.ws_col));
    let exported = || env::var("COLUMNS").ok()?.parse().ok();
    let columns = if terminal > 0 { Some(terminal) } else { exported() };
    columns.unwrap_or(IN_A_PIPE).clamp(NARROWEST, WIDEST)
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(|char| char.width().unwrap_or(0)).sum()
}

/// As much of the beginning as fits.
pub fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, char)| {
        used += char.width().unwrap_or(0);
        used > columns
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The whole text if it fits, or else its beginning and an ellipsis.
pub fn cut(text: &str, columns: usize) -> String {
    match width(text) <= columns {
        true => text.to_owned(),
        false => format!("{}…", head(text, columns.saturating_sub(1))),
    }
}

/// A text in lines, broken between words and at its own line breaks. The first line has `first` columns less, because
/// something is in front of it, the others have `indent` columns less; the lines are returned without these. A word that
/// is wider than a whole line is broken too.
pub fn wrap(text: &str, first: usize, indent: usize, columns: usize) -> Vec<String> {
    // A character may take two.
    let room = columns.saturating_sub(indent).max(2);
    let firsts = iter::once(columns.saturating_sub(first)).chain(iter::repeat(room));
    let lines = text.split('\n').zip(firsts).flat_map(|(line, first)| {
        fill(line.split(' ').flat_map(|word| pieces(word, room)), first, room)
    });
    lines.collect()
}

/// Words in lines, as many as fit in each: `first` columns in the first line and `room` in the others. A
/// word that is wider gets a line of its own.
pub fn fill<'a>(words: impl Iterator<Item = &'a str>, first: usize, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut left = first;
    let mut begun = false;
    for word in words {
        let wide = width(word);
        let line = lines.len() - 1;
        if begun && wide < left {
            lines[line] += " ";
            lines[line] += word;
            left -= wide + 1;
        } else if !begun && (wide <= left || first >= room) {
            lines[line] += word;
            left = left.saturating_sub(wide);
        } else {
            let end = lines[line].trim_end().len();
            lines[line].truncate(end);
            lines.push(word.to_owned());
            left = room.saturating_sub(wide);
        }
        begun = true;
    }
    lines
}

/// A word that is wider than a line, in pieces.
fn pieces(mut word: &str, room: usize) -> Vec<&str> {
    let mut all = Vec::new();
    while width(word) > room {
        let (piece, rest) = word.split_at(head(word, room).len());
        all.push(piece);
        word = rest;
    }
    all.push(word);
    all
}

/// A row of a table: each cell with the width of its column. A cell that doesn't fit goes on the next line; the last one
/// stays in its column if that has half of the line.
///
/// ```
/// let cells = [("sent", 10), ("1000 of 1000 datagrams", 0)];
/// assert_eq!(columns::row(&cells, 60), "sent      1000 of 1000 datagrams");
/// assert_eq!(columns::row(&cells, 30), "sent      1000 of 1000\n          datagrams");
/// assert_eq!(columns::row(&cells, 19), "sent\n    1000 of 1000\n    datagrams");
/// ```
pub fn row(cells: &[(&str, usize)], columns: usize) -> String {
    let mut lines = vec![String::new()];
    // Where the last cell began.
    let mut start = 0;
    for (cell, column) in cells {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        let used = width(line);
        if used == 0 || used + width(cell).max(*column) <= columns {
            *line += &pad(cell, *column);
            start = used;
            continue;
        }
        let beside = *column == 0 && columns.saturating_sub(used) * 2 >= columns;
        let under = if start + width(cell) <= columns { start.max(BELOW) } else { BELOW };
        let indent = if beside { used } else { under };
        let mut more = wrap(cell, indent, indent, columns).into_iter();
        if beside {
            line.extend(more.next());
        }
        lines.extend(more.map(|line| format!("{:indent$}{line}  ", "")));
        start = indent;
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

/// How far a cell below its row is indented at least.
const BELOW: usize = 4;

/// A text and the spaces that fill its column, at least two.
pub fn pad(text: &str, column: usize) -> String {
    format!("{text}{:1$}", "", column.saturating_sub(width(text)).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_and_kept() {
        assert_eq!(width("你好ab"), 6);
        assert_eq!(head("你好", 3), "你");
        assert_eq!(cut("0123456789", 10), "0123456789");
        assert_eq!(cut("01234567890", 10), "012345678…");
        assert_eq!(cut("你好你好你好", 10), "你好你好…");
    }

    #[test]
    fn lines_break_between_words() {
        let check = |first, indent, columns, expected: &[&str]| {
            assert_eq!(wrap("one two three", first, indent, columns), expected);
        };
        check(2, 2, 20, &["one two three"]);
        check(2, 2, 15, &["one two three"]);
        check(2, 2, 14, &["one two", "three"]);
        check(5, 2, 12, &["one two", "three"]);
        check(6, 2, 12, &["one", "two three"]);
        check(10, 2, 12, &["", "one two", "three"]);
        assert_eq!(wrap("你好 你好", 0, 0, 8), ["你好", "你好"]);
        assert_eq!(wrap("a  table", 0, 0, 20), ["a  table"]);
        assert_eq!(wrap("one\ntwo three", 12, 2, 12), ["", "one", "two three"]);
    }

    #[test]
    fn a_word_is_broken_only_where_no_line_is_wide_enough() {
        assert_eq!(wrap("a verylongword b", 0, 2, 12), ["a verylongwo", "rd b"]);
        assert_eq!(wrap("你好", 0, 0, 2), ["你", "好"]);
        assert_eq!(fill(["a", "verylongword", "b"].into_iter(), 5, 5), ["a", "verylongword", "b"]);
    }

    #[test]
    fn a_cell_that_does_not_fit_goes_below() {
        let cells = [("a", 5), ("b", 5), ("the third", 0)];
        assert_eq!(row(&cells, 19), "a    b    the third");
        assert_eq!(row(&cells, 18), "a    b\n     the third");
        assert_eq!(row(&cells, 13), "a    b\n    the third");
        assert_eq!(row(&cells, 12), "a    b\n    the\n    third");
    }
}
