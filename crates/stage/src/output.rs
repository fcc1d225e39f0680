//! What a program printed: its lines, in the order they arrived, each with its stream and its time.

use std::mem::take;
use std::time::Instant;

/// How much one program may print before it is cut off, unless it is started with a limit of its own: 256 MiB, including
/// what it costs to keep a line.
///
/// The largest answer of the course is 16 MiB; a program that prints more than this has run away.
pub(crate) const MOST: usize = 256 << 20;

/// What even a line of one byte takes on the heap: if this weren't counted, `yes` would use more than its limit.
const SMALLEST_ALLOCATION: usize = 24;

/// What it costs to keep an empty line.
const LINE: usize = size_of::<Line>() + SMALLEST_ALLOCATION;

/// Where a program printed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it says to its user.
    Stdout,
    /// Its log and its errors.
    Stderr,
}

/// One line that a program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it was printed.
    pub stream: Stream,
    /// The bytes, without the newline.
    pub text: Vec<u8>,
    /// Whether the newline has arrived. Only the last line of a stream can lack it.
    pub whole: bool,
    /// When its first byte was read here. Lines of different programs compare, to within the time a thread takes to wake.
    pub when: Instant,
}

/// How much of a program's output is kept, in bytes, including what it costs to keep a line.
#[derive(Clone, Copy, Debug)]
pub enum Keep {
    /// All of it. A program that prints more than this has run away: its pipe is closed.
    UpTo(usize),
    /// The latest of each stream. A program may print as much as it likes; the older part is forgotten.
    Latest(usize),
}

/// The lines of both streams, as they arrive.
pub(crate) struct Output {
    pub lines: Vec<Line>,
    /// The streams whose earlier lines were forgotten.
    pub forgot: [bool; 2],
    /// The line of each stream that still waits for its newline, as an index into `lines`.
    open: [Option<usize>; 2],
    closed: [bool; 2],
    cost: [usize; 2],
    keep: Keep,
}

impl Output {
    pub fn new(keep: Keep) -> Output {
        let (open, closed) = ([None; 2], [false; 2]);
        Output { lines: Vec::new(), forgot: [false; 2], open, closed, cost: [0; 2], keep }
    }

    /// Adds what one read returned. `false`: the program has printed more than it may.
    #[must_use]
    pub fn add(&mut self, stream: Stream, bytes: &[u8], when: Instant) -> bool {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let at = match self.open[stream as usize].take() {
                Some(at) => at,
                None => {
                    self.lines.push(Line { stream, text: Vec::new(), whole: false, when });
                    self.cost[stream as usize] += LINE;
                    self.lines.len() - 1
                }
            };
            let line = &mut self.lines[at];
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            line.text.extend_from_slice(text);
            self.cost[stream as usize] += text.len();
            line.whole = text.len() < piece.len();
            if !line.whole {
                self.open[stream as usize] = Some(at);
            }
        }
        match self.keep {
            Keep::UpTo(most) => self.cost.iter().sum::<usize>() <= most,
            Keep::Latest(most) => {
                if self.cost[stream as usize] > most {
                    self.forget(stream, most / 2);
                }
                true
            }
        }
    }

    /// Forgets the oldest lines of a stream until the rest costs at most this much. Half at a time, so that this is rare.
    fn forget(&mut self, stream: Stream, most: usize) {
        self.forgot[stream as usize] = true;
        let open = self.open;
        let mut kept = Vec::new();
        for (at, mut line) in take(&mut self.lines).into_iter().enumerate() {
            let cost = &mut self.cost[line.stream as usize];
            let still_open = open[line.stream as usize] == Some(at);
            if line.stream == stream && *cost > most {
                // A line that is still open keeps its place, and starts again.
                *cost -= line.text.len();
                line.text.clear();
                if !still_open {
                    *cost -= LINE;
                    continue;
                }
            }
            if still_open {
                self.open[line.stream as usize] = Some(kept.len());
            }
            kept.push(line);
        }
        self.lines = kept;
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

    /// Pieces in the order they were read, and the lines that they must make (`|` marks a newline that arrived).
    fn check(pieces: &[(Stream, &str)], expected: &[(Stream, &str)]) {
        let mut output = Output::new(Keep::UpTo(MOST));
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

    #[test]
    fn of_a_program_that_talks_much_the_latest_lines_are_kept() {
        let (most, now) = (10_000, Instant::now());
        let mut output = Output::new(Keep::Latest(most));
        for number in 0..5_000 {
            let stream = if number % 3 == 0 { Stream::Stderr } else { Stream::Stdout };
            assert!(output.add(stream, format!("line {number}\n").as_bytes(), now));
            assert!(output.cost.iter().all(|cost| *cost <= most));
        }
        assert!(output.forgot == [true; 2] && output.lines.len() > 40);
        for (stream, third) in [(Stream::Stderr, true), (Stream::Stdout, false)] {
            let said = (0..5_000).rev().filter(|number| (number % 3 == 0) == third);
            let lines = output.lines.iter().rev().filter(|line| line.stream == stream);
            for (line, number) in lines.clone().zip(said) {
                assert_eq!(line.text, format!("line {number}").into_bytes());
            }
            let cost = |line: &Line| LINE + line.text.len();
            assert_eq!(lines.map(cost).sum::<usize>(), output.cost[stream as usize]);
        }
    }

    #[test]
    fn a_line_without_an_end_is_forgotten_too() {
        let (most, now) = (10_000, Instant::now());
        let mut output = Output::new(Keep::Latest(most));
        assert!(output.add(Stream::Stderr, b"open", now));
        for _ in 0..5_000 {
            assert!(output.add(Stream::Stdout, b"no end ", now));
            assert!(output.cost.iter().all(|cost| *cost <= most));
        }
        assert!(output.add(Stream::Stdout, b"\n", now) && output.add(Stream::Stderr, b"!\n", now));
        // The other stream has lost nothing.
        assert_eq!(output.bytes(Stream::Stderr), b"open!\n");
        assert_eq!(output.forgot, [true, false]);
    }
}
