//! Lines out of a stream, however it is cut.
//!
//! `proto::lines` can't say that a line is waiting without taking it, and a chat has to know that: because of the pace, a
//! line that has come may have to wait.

/// The longest line that is accepted, in bytes, without its end.
pub const MAX_LINE: usize = 1024;

/// A line had no end after as many bytes as one may have. Where the next one begins can't be known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// What has come and was not taken: lines, and the beginning of one.
#[derive(Debug)]
pub struct Lines {
    buffer: Vec<u8>,
    most: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Lines::with_limit(MAX_LINE)
    }
}

impl Lines {
    /// For lines of at most this many bytes.
    pub fn with_limit(most: usize) -> Lines {
        Lines { buffer: Vec::new(), most }
    }

    /// These bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether [`take`](Self::take) has something to say without more bytes.
    pub fn has_next(&self) -> bool {
        self.buffer.contains(&b'\n') || self.buffer.len() > self.most
    }

    /// How many bytes of lines there are that weren't taken.
    pub fn rest(&self) -> usize {
        self.buffer.len()
    }

    /// Takes the next line, without its end; `None` if it isn't whole yet. What isn't text in it is replaced, and what a
    /// terminal would obey is escaped: other people's terminals show it.
    ///
    /// # Errors
    /// When it's too long.
    pub fn take(&mut self) -> Result<Option<String>, TooLong> {
        match self.buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) if end <= self.most => {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
                Ok(Some(columns::visible(&String::from_utf8_lossy(line))))
            }
            None if self.buffer.len() <= self.most => Ok(None),
            _ => Err(TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines) -> Vec<String> {
        std::iter::from_fn(|| lines.take().unwrap()).collect()
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let stream = "ann\nhello\r\n\n你好\nrest".as_bytes();
        for size in 1..=stream.len() {
            let mut lines = Lines::default();
            let mut came = Vec::new();
            for piece in stream.chunks(size) {
                lines.push(piece);
                came.extend(all(&mut lines));
            }
            assert_eq!(came, ["ann", "hello", "", "你好"], "pieces of {size}");
            assert!(!lines.has_next());
            lines.push(b"\n");
            assert!(lines.has_next());
            assert_eq!(all(&mut lines), ["rest"]);
        }
    }

    #[test]
    fn the_limit_is_on_the_line_not_on_what_came() {
        let longest = "x".repeat(MAX_LINE);
        let mut lines = Lines::default();
        lines.push(format!("{longest}\n{longest}\n{longest}").as_bytes());
        assert_eq!(all(&mut lines), [&*longest, &*longest]);
        assert!(!lines.has_next());
        lines.push(b"x");
        assert!(lines.has_next());
        assert_eq!(lines.take(), Err(TooLong));
        lines.push(b"\n");
        assert_eq!(lines.take(), Err(TooLong));
    }

    #[test]
    fn a_terminal_obeys_nothing_of_it() {
        let mut lines = Lines::default();
        lines.push(b"\x1b[2Jcaf\xe9\n");
        assert_eq!(lines.take(), Ok(Some("\\u{1b}[2Jcaf\u{fffd}".into())));
    }
}
