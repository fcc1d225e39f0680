//! A line that somebody types at a terminal.
//!
//! [`Editor`] knows keys and text, but no terminal: bytes in, and what to show of the line out. [`Terminal`] only
//! fetches the keys and restores the settings.

use std::io::{self, BufRead, ErrorKind, Write};
use std::mem;

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use unicode_width::UnicodeWidthChar;

use crate::prompt_error::PromptError;

/// The tutorial's.
pub(crate) const PROMPT: &str = ">>: ";

const ESC: u8 = 0x1b;

/// Standard input and output, when both are a terminal.
pub(crate) struct Terminal {
    /// Its settings while there's no prompt: whole lines, echo, Ctrl-C is a signal.
    cooked: Termios,
    editor: Editor,
}

impl Terminal {
    pub fn open() -> io::Result<Terminal> {
        Ok(Terminal { cooked: termios::tcgetattr(io::stdin())?, editor: Editor::default() })
    }

    /// The next line, without its end; `None` at the end of the input.
    pub fn read(&mut self) -> Result<Option<String>, PromptError> {
        let _raw = Raw::enter(&self.cooked).map_err(PromptError::Input)?;
        let mut out = io::stdout().lock();
        // An answer may have stopped in the middle of a row, and drawing would erase it. A row of
        // spaces then ends in the next row; if it starts in the first column, it ends where it began.
        let mut shown = format!("{:1$}\r", "", columns());
        loop {
            shown += &self.editor.draw(columns());
            out.write_all(shown.as_bytes())
                .and_then(|()| out.flush())
                .map_err(PromptError::Output)?;

            // What was pasted after the end of this line stays in the buffer, for the next one.
            let mut input = io::stdin().lock();
            let keys = match input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                keys => keys.map_err(PromptError::Input)?,
            };
            let (used, done) =
                if keys.is_empty() { (0, Some(Done::Ended)) } else { self.editor.keys(keys) };
            input.consume(used);

            shown.clear();
            if let Some(done) = done {
                writeln!(out, "{}", self.editor.draw(columns())).map_err(PromptError::Output)?;
                return match done {
                    Done::Entered => Ok(Some(self.editor.take())),
                    Done::Ended => Ok(None),
                    Done::Interrupted => Err(PromptError::Interrupted),
                };
            }
        }
    }
}

/// How wide the terminal is now. Some do not know it and say 0.
fn columns() -> usize {
    match termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 => size.ws_col.into(),
        _ => 80,
    }
}

/// While this exists, each key arrives at once and none is a signal. If a signal from elsewhere ends
/// the process, the terminal stays like this: `stty sane` repairs it.
struct Raw<'a> {
    cooked: &'a Termios,
}

impl Raw<'_> {
    fn enter(cooked: &Termios) -> io::Result<Raw<'_>> {
        let mut raw = cooked.clone();
        raw.local_modes -=
            LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Raw { cooked })
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        // It fails only when the terminal is gone, and then it doesn't matter.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, self.cooked);
    }
}

/// How typing a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Entered,
    Interrupted,
    Ended,
}

/// The line being typed, and those before it.
#[derive(Default)]
struct Editor {
    /// The line up to the cursor.
    before: String,
    /// The line from the cursor on.
    after: String,
    /// The beginning of a key that takes several bytes.
    partial: Vec<u8>,
    history: Vec<String>,
    /// Which line of the history is shown. One past the last: the new line.
    at: usize,
    /// The new line, while one of the history is shown.
    new: String,
}

impl Editor {
    /// Takes keys up to one that ends the line, and says how many bytes that were.
    fn keys(&mut self, bytes: &[u8]) -> (usize, Option<Done>) {
        for (used, byte) in (1..).zip(bytes) {
            if let Some(done) = self.byte(*byte) {
                return (used, Some(done));
            }
        }
        (bytes.len(), None)
    }

    fn byte(&mut self, byte: u8) -> Option<Done> {
        let mut key = mem::take(&mut self.partial);
        // A key that does not go on with this byte is left out.
        let goes_on = match key.first() {
            Some(&ESC) => (b' '..=b'~').contains(&byte),
            _ => byte & 0b1100_0000 == 0b1000_0000,
        };
        if !goes_on {
            key.clear();
        }
        key.push(byte);

        match key.as_slice() {
            [ESC] | [ESC, b'[' | b'O'] | [ESC, b'[', .., b' '..=b'?'] => self.partial = key,
            [ESC, b'[' | b'O', number @ .., last] => self.sequence(number, *last),
            [ESC, ..] => {}
            [control @ (..b' ' | 0x7f)] => return self.control(*control),
            character => match str::from_utf8(character) {
                // Some control characters take two bytes.
                Ok(text) => self.before.extend(text.chars().filter(|char| !char.is_control())),
                Err(error) if error.error_len().is_none() => self.partial = key,
                Err(_) => {}
            },
        }
        None
    }

    fn control(&mut self, byte: u8) -> Option<Done> {
        // Ctrl takes this bit out of a letter.
        match byte | 0x40 {
            b'A' => self.home(),
            b'B' => self.left(),
            b'C' => return Some(Done::Interrupted),
            b'D' if self.before.is_empty() && self.after.is_empty() => return Some(Done::Ended),
            b'D' => self.delete(),
            b'E' => self.end(),
            b'F' => self.right(),
            b'H' | 0x7f => drop(self.before.pop()),
            b'I' => self.before.push('\t'),
            b'J' | b'M' => return Some(Done::Entered),
            b'K' => self.after.clear(),
            b'N' => self.recall(self.at + 1),
            b'P' => self.recall(self.at.saturating_sub(1)),
            b'U' => self.before.clear(),
            b'W' => {
                let word = |char: char| !char.is_whitespace();
                let rest = self.before.trim_end().trim_end_matches(word).len();
                self.before.truncate(rest);
            }
            _ => {}
        }
        None
    }

    /// What the keys without a character send: `ESC [ 3 ~`, `ESC [ A`, `ESC O A`.
    fn sequence(&mut self, number: &[u8], last: u8) {
        match (number, last) {
            (b"", b'A') => self.recall(self.at.saturating_sub(1)),
            (b"", b'B') => self.recall(self.at + 1),
            (b"", b'C') => self.right(),
            (b"", b'D') => self.left(),
            (b"", b'H') | (b"1" | b"7", b'~') => self.home(),
            (b"", b'F') | (b"4" | b"8", b'~') => self.end(),
            (b"3", b'~') => self.delete(),
            _ => {}
        }
    }

    fn left(&mut self) {
        if let Some(char) = self.before.pop() {
            self.after.insert(0, char);
        }
    }

    fn right(&mut self) {
        if !self.after.is_empty() {
            self.before.push(self.after.remove(0));
        }
    }

    fn home(&mut self) {
        self.after.insert_str(0, &mem::take(&mut self.before));
    }

    fn end(&mut self) {
        self.before += &mem::take(&mut self.after);
    }

    fn delete(&mut self) {
        if !self.after.is_empty() {
            self.after.remove(0);
        }
    }

    /// Shows another line of the history; the new one waits below the last.
    fn recall(&mut self, at: usize) {
        if at == self.at || at > self.history.len() {
            return;
        }
        self.end();
        if self.at == self.history.len() {
            self.new = mem::take(&mut self.before);
        }
        self.before = self.history.get(at).unwrap_or(&self.new).clone();
        self.at = at;
    }

    /// Takes the line, and keeps it in the history.
    fn take(&mut self) -> String {
        self.end();
        let line = mem::take(&mut self.before);
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            self.history.push(line.clone());
        }
        self.at = self.history.len();
        line
    }

    /// What to write to show the line again, in one row: as much around the cursor as fits.
    fn draw(&self, columns: usize) -> String {
        let room = columns.saturating_sub(PROMPT.len() + 1);
        // In a long line you see what Delete would remove.
        let behind = width(&self.after).min(room / 4);
        let hidden = self.before.len() - fitting(self.before.chars().rev(), room - behind);
        let left = &self.before[hidden..];
        let right = &self.after[..fitting(self.after.chars(), room - width(left))];
        // A tab would leave a gap whose width depends on where it begins.
        let text = format!("{left}{right}").replace('\t', " ");
        let cursor = PROMPT.len() + width(left);
        // Erase to the end of the row, go back to its beginning, then this many columns to the right.
        format!("\r{PROMPT}{text}\x1b[K\r\x1b[{cursor}C")
    }
}

/// How many bytes of these characters fit in this many columns.
fn fitting(chars: impl Iterator<Item = char>, mut room: usize) -> usize {
    let fits = chars.map_while(|char| {
        room = room.checked_sub(char_width(char))?;
        Some(char.len_utf8())
    });
    fits.sum()
}

fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// In columns of the terminal: a Chinese character takes two.
fn char_width(char: char) -> usize {
    char.width().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: &str = "\x1b[A";
    const DOWN: &str = "\x1b[B";
    const RIGHT: &str = "\x1b[C";
    const LEFT: &str = "\x1b[D";
    const HOME: &str = "\x1b[H";
    const END: &str = "\x1bOF";
    const DELETE: &str = "\x1b[3~";

    /// The line as the keys leave it, with `|` where the cursor is.
    fn typed(editor: &mut Editor, keys: &[u8]) -> String {
        assert_eq!(editor.keys(keys), (keys.len(), None), "{}", keys.escape_ascii());
        format!("{}|{}", editor.before, editor.after)
    }

    #[test]
    fn keys_edit_the_line() {
        for (keys, line) in [
            ("echo hi".to_owned(), "echo hi|"),
            (format!("ac{LEFT}b"), "ab|c"),
            (format!("bc{HOME}a{END}d"), "abcd|"),
            (format!("ab{LEFT}{LEFT}{LEFT}{RIGHT}{DELETE}"), "a|"),
            ("abc\x7f\x08".into(), "a|"),
            ("abc\x01x\x05y\x02z\x06\x06".into(), "xabczy|"),
            ("echo a b\x02\x02\x0b".into(), "echo a|"),
            ("echo a\x15ls".into(), "ls|"),
            ("echo one two\x17".into(), "echo one |"),
            ("ab\x02\x04".into(), "a|"),
            ("你好\x7f们".into(), "你们|"),
            (format!("{LEFT}{RIGHT}{DELETE}\x7f\x17"), "|"),
            ("a\x1b[1;5Cb\x1b[20~c\x1bxd\u{9b}".into(), "abcd|"),
            ("a\tb".into(), "a\tb|"),
        ] {
            assert_eq!(typed(&mut Editor::default(), keys.as_bytes()), line, "{keys:?}");
            // In whatever pieces the terminal hands them over.
            let mut editor = Editor::default();
            keys.bytes().for_each(|byte| _ = typed(&mut editor, &[byte]));
            assert_eq!(
                format!("{}|{}", editor.before, editor.after),
                line,
                "{keys:?} byte by byte"
            );
        }
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        assert_eq!(typed(&mut Editor::default(), b"a\xffb\xe4\xbdc\x1b[\x07d"), "abcd|");
    }

    #[test]
    fn a_line_ends() {
        for (keys, used, done) in [
            (&b"ls\rpwd\r"[..], 3, Done::Entered),
            (b"\n", 1, Done::Entered),
            (b"ls\x03", 3, Done::Interrupted),
            (b"\x04", 1, Done::Ended),
        ] {
            assert_eq!(Editor::default().keys(keys), (used, Some(done)), "{keys:?}");
        }
    }

    #[test]
    fn the_history_keeps_what_was_entered_and_what_is_being_typed() {
        let mut editor = Editor::default();
        for line in ["one", "two", "two", "  "] {
            typed(&mut editor, line.as_bytes());
            assert_eq!(editor.take(), line);
        }
        for (keys, line) in [
            (format!("new{UP}"), "two|"),
            (UP.into(), "one|"),
            (UP.into(), "one|"),
            (DOWN.into(), "two|"),
            (DOWN.into(), "new|"),
            (DOWN.into(), "new|"),
            ("\x10\x10\x0e".into(), "two|"),
        ] {
            assert_eq!(typed(&mut editor, keys.as_bytes()), line, "{keys:?}");
        }
        // A line of the history that was changed is a new one.
        typed(&mut editor, b"!");
        assert_eq!(editor.take(), "two!");
        assert_eq!(editor.history, ["one", "two", "two!"]);
    }

    #[test]
    fn the_row_shows_what_is_around_the_cursor() {
        let shown = |keys: &str, columns| {
            let mut editor = Editor::default();
            typed(&mut editor, keys.as_bytes());
            editor.draw(columns)
        };
        assert_eq!(shown("hi", 80), "\r>>: hi\x1b[K\r\x1b[6C");
        assert_eq!(shown(&format!("你好{LEFT}"), 80), "\r>>: 你好\x1b[K\r\x1b[6C");
        assert_eq!(shown("0123456789", 10), "\r>>: 56789\x1b[K\r\x1b[9C");
        assert_eq!(shown(&format!("0123456789{HOME}"), 10), "\r>>: 01234\x1b[K\r\x1b[4C");
        assert_eq!(shown("你好你好", 10), "\r>>: 你好\x1b[K\r\x1b[8C");
        let back = format!("0123456789{LEFT}{LEFT}{LEFT}");
        assert_eq!(shown(&back, 17), "\r>>: 0123456789\x1b[K\r\x1b[11C");
        assert_eq!(shown(&back, 13), "\r>>: 12345678\x1b[K\r\x1b[10C");
        assert_eq!(shown("too narrow", 3), "\r>>: \x1b[K\r\x1b[4C");
    }
}
