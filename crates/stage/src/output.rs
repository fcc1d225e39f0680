//! What a program said: its lines, in the order they came, each with its stream and its time.

use std::time::Instant;

/// What one program may say before it is cut off, unless it is started with a limit of its own: 256 MiB, counted with
/// what it costs to keep a line.
///
/// The largest answer of the course is 16 MiB; a program that says more than this has run away.
pub(crate) const MOST: usize = 256 << 20;

/// What even a line of one byte takes on the heap: without it, `yes` would keep more than it is charged for.
const SMALLEST_ALLOCATION: usize = 24;

/// Where a program said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it says to its user.
    Stdout,
    /// Its log and its errors.
    Stderr,
}

/// One line that a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it said it.
    pub stream: Stream,
    /// The bytes, without the newline.
    pub text: Vec<u8>,
    /// Whether the newline has come. Only the last line of a stream can be without.
    pub whole: bool,
    /// When its first byte was read here. Lines of different programs compare, to within the time a thread takes to wake.
    pub when: Instant,
}

/// The lines of both streams, as they come.
pub(crate) struct Output {
    pub lines: Vec<Line>,
    /// The line of each stream that still waits for its newline, as an index into `lines`.
    open: [Option<usize>; 2],
    closed: [bool; 2],
    cost: usize,
    most: usize,
}

impl Output {
    /// Keeps lines until they cost more than `most` bytes.
    pub fn new(most: usize) -> Output {
        Output { lines: Vec::new(), open: [None; 2], closed: [false; 2], cost: 0, most }
    }

    /// Adds what one read brought. `false`: the program has said more than we keep.
    #[must_use]
    pub fn add(&mut self, stream: Stream, bytes: &[u8], when: Instant) -> bool {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let at = match self.open[stream as usize].take() {
                Some(at) => at,
                None => {
                    self.lines.push(Line { stream, text: Vec::new(), whole: false, when });
                    self.cost += size_of::<Line>() + SMALLEST_ALLOCATION;
                    self.lines.len() - 1
                }
            };
            let line = &mut self.lines[at];
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            line.text.extend_from_slice(text);
            line.whole = text.len() < piece.len();
            if !line.whole {
                self.open[stream as usize] = Some(at);
            }
        }
        self.cost += bytes.len();
        self.cost <= self.most
    }

    pub fn close(&mut self, stream: Stream) {
        self.closed[stream as usize] = true;
    }

    pub fn is_closed(&self) -> bool {
        self.closed == [true, true]
    }

    /// Every byte of one stream, as the program wrote it.
    pub fn bytes(&self, stream: Stream) -> Vec<u8> {
        let mut all = Vec::new();
        for line in self.lines.iter().filter(|line| line.stream == stream) {
            all.extend_from_slice(&line.text);
            if line.whole {
                all.push(b'\n');
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces in the order they were read, and the lines that must come of them (`|` marks a newline that came).
    fn check(pieces: &[(Stream, &str)], expected: &[(Stream, &str)]) {
        let mut output = Output::new(MOST);
        let now = Instant::now();
        for (stream, piece) in pieces {
            assert!(output.add(*stream, piece.as_bytes(), now));
        }
        let show = |line: &Line| {
            String::from_utf8_lossy(&line.text).into_owned() + if line.whole { "|" } else { "" }
        };
        let lines: Vec<_> = output.lines.iter().map(|line| (line.stream, show(line))).collect();
        assert_eq!(
            lines,
            expected.iter().map(|(stream, text)| (*stream, text.to_string())).collect::<Vec<_>>()
        );
        for stream in [Stream::Stdout, Stream::Stderr] {
            let said: String =
                pieces.iter().filter(|piece| piece.0 == stream).map(|piece| piece.1).collect();
            assert_eq!(output.bytes(stream), said.as_bytes(), "the bytes of {stream:?}");
        }
    }

    #[test]
    fn lines_come_together_from_pieces() {
        use Stream::{Stderr, Stdout};
        check(&[], &[]);
        check(&[(Stdout, "one\n")], &[(Stdout, "one|")]);
        check(
            &[(Stdout, "o"), (Stdout, "ne"), (Stdout, "\n\ntwo")],
            &[(Stdout, "one|"), (Stdout, "|"), (Stdout, "two")],
        );
        // Each stream has its own open line: the log does not cut a line of the answer in two.
        check(
            &[(Stdout, "an"), (Stderr, "log\n"), (Stdout, "swer\n")],
            &[(Stdout, "answer|"), (Stderr, "log|")],
        );
    }
}
