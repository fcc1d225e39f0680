//! What an experiment looks like: its claim, a lane for each program, the verdict; or, for a program that reads it, one
//! JSON object with the same in it. Claims, pictures and lanes have at most 100 columns; a command line is broken where a
//! shell puts it together again, and an argument that is longer stays whole.

use crate::numbers::Samples;
use crate::record::Record;
use crate::typed::Typed;
use crate::verdict::Verdict;
use crate::wrap;
use anstyle::{AnsiColor, Style};
use std::io::{self, IsTerminal, Write};

/// How wide pictures and lanes may be.
pub const WIDTH: usize = 100;

/// The widest label of a lane; shorter ones stand to its right.
const LABEL: usize = 9;

/// The column at which the claims stand in the list of experiments.
const ENTRY: usize = 16;

/// The column at which what is typed stands, behind the terminal's number.
const TYPED: usize = 16;

/// The column behind which numbers stand.
const MEASURED: usize = 40;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const YOU: Style = AnsiColor::Green.on_default().bold();
/// Of lanes, in the order in which they first say something.
const LANES: [Style; 4] = [
    AnsiColor::Cyan.on_default(),
    AnsiColor::Yellow.on_default(),
    AnsiColor::Magenta.on_default(),
    AnsiColor::Blue.on_default(),
];

/// Standard output, with colour where a terminal shows it.
pub struct Screen {
    /// Where people read; nowhere, when a program does.
    out: Box<dyn Write>,
    lanes: Vec<String>,
    record: Record,
    json: bool,
}

impl Screen {
    pub fn new(json: bool) -> Screen {
        let out: Box<dyn Write> =
            if json { Box::new(io::sink()) } else { Box::new(anstream::stdout()) };
        Screen { out, lanes: Vec::new(), record: Record::default(), json }
    }

    /// Opens an experiment.
    pub fn claim(&mut self, name: &str, claim: &str) -> io::Result<()> {
        self.lanes.clear();
        self.record = Record::of(name, claim);
        self.heading(name, claim)
    }

    /// Opens an experiment with a question, in place of the claim that would answer it.
    pub fn question(&mut self, name: &str, question: &str) -> io::Result<()> {
        self.heading(name, question)
    }

    fn heading(&mut self, name: &str, text: &str) -> io::Result<()> {
        let text = wrap::prose(text, name.len() + ": ".len(), 2, WIDTH);
        writeln!(self.out, "{STRONG}{name}{STRONG:#}: {text}")
    }

    pub fn choice(&mut self, letter: char, choice: &str) -> io::Result<()> {
        writeln!(self.out, "  {STRONG}{letter}{STRONG:#}  {choice}")
    }

    pub fn your_turn(&mut self, prompt: &str) -> io::Result<()> {
        write!(self.out, "{YOU}{prompt}{YOU:#}")?;
        self.out.flush()
    }

    /// What was predicted, beside what came.
    pub fn compare(&mut self, predicted: &str, came: &str) -> io::Result<()> {
        let (style, mark) = if predicted == came { (GOOD, '✓') } else { (BAD, '✗') };
        writeln!(self.out, "you said: {predicted}")?;
        writeln!(self.out, "it was:   {came}  {style}{mark}{style:#}\n")
    }

    /// A line of the list of experiments. A program that reads the list gets it as one line; a terminal as many as it
    /// takes.
    pub fn entry(&mut self, name: &str, claim: &str) -> io::Result<()> {
        let claim = match columns() {
            Some(columns) => wrap::prose(claim, ENTRY, ENTRY, columns.min(WIDTH)),
            None => claim.to_owned(),
        };
        writeln!(self.out, "{STRONG}{name:<14}{STRONG:#}  {claim}")
    }

    /// What to type in which terminal.
    pub fn terminal(&mut self, number: usize, typed: &Typed) -> io::Result<()> {
        self.record.terminals.push(typed.to_string());
        let mut lines = typed.lines(WIDTH - TYPED);
        if lines.len() > 1 {
            lines = typed.lines(WIDTH - TYPED - 2);
        }
        let lines = lines.join(&format!("\n{:TYPED$}  ", ""));
        writeln!(self.out, "{FAINT}  terminal {number}  ${FAINT:#} {lines}")
    }

    /// What to do next in the terminal named above.
    pub fn then(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "                {line}")
    }

    pub fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text of the experiment's own, as it is.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.record.text.push(text.to_owned());
        self.out.write_all(text.as_bytes())
    }

    /// The byte picture.
    pub fn picture(&mut self, text: &str) -> io::Result<()> {
        self.record.pictures.push(text.to_owned());
        self.out.write_all(text.as_bytes())
    }

    /// How often something happened.
    pub fn count(&mut self, what: &str, count: u64, of: u64) -> io::Result<()> {
        self.record.count(what, count, of);
        writeln!(self.out, "{what:<MEASURED$}  {count} of {of}")
    }

    /// What was measured, repeatedly.
    pub fn measured(&mut self, what: &str, samples: &Samples) -> io::Result<()> {
        self.record.measured(what, samples);
        writeln!(self.out, "{what:<MEASURED$}  {samples}")
    }

    /// What random choices began with.
    pub fn seed(&mut self, seed: u64) {
        self.record.seed = Some(seed);
    }

    /// What one process said, behind its label, a line for each of its lines.
    pub fn lane(&mut self, label: &str, said: &[u8]) -> io::Result<()> {
        self.record.lane(label, said);
        let style = self.style(label);
        for line in said.strip_suffix(b"\n").unwrap_or(said).split(|byte| *byte == b'\n') {
            let line = shown(line, WIDTH - LABEL - " │ ".len());
            writeln!(self.out, "{style}{label:>LABEL$} │{style:#} {line}")?;
        }
        self.out.flush()
    }

    /// What a person types, in a lane of its own.
    pub fn you(&mut self, typed: &str) -> io::Result<()> {
        writeln!(self.out, "{YOU}{:>LABEL$} │ {typed}{YOU:#}", "you")
    }

    /// Closes an experiment.
    pub fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        if self.json {
            return writeln!(io::stdout(), "{}", self.record.json(verdict));
        }
        self.blank()?;
        match verdict {
            Verdict::AsStated(seen) => {
                let seen = wrap::prose(seen, "✓ as stated: ".chars().count(), 2, WIDTH);
                writeln!(self.out, "{GOOD}✓ as stated:{GOOD:#} {seen}")?
            }
            Verdict::NotAsStated(differences) => {
                for one in differences {
                    writeln!(
                        self.out,
                        "{BAD}✗ not as stated:{BAD:#} expected {}, came {}",
                        one.expected, one.came
                    )?;
                }
            }
            Verdict::NotTested(why) => writeln!(self.out, "{FAINT}– not tested:{FAINT:#} {why}")?,
            Verdict::Stopped(why) => {
                writeln!(self.out, "{BAD}✗ could not be tested:{BAD:#} {why}")?
            }
        }
        self.blank()
    }

    /// All verdicts at a glance.
    pub fn table(&mut self, verdicts: &[(&str, Verdict)]) -> io::Result<()> {
        for (name, verdict) in verdicts {
            let (style, mark) = match verdict {
                Verdict::AsStated(_) => (GOOD, '✓'),
                Verdict::NotTested(_) => (FAINT, '–'),
                Verdict::NotAsStated(_) | Verdict::Stopped(_) => (BAD, '✗'),
            };
            writeln!(self.out, "{style}{mark}{style:#} {name:<14}  {}", verdict.word())?;
        }
        let stated = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::AsStated(_)));
        writeln!(self.out, "{} of {} as stated", stated.count(), verdicts.len())
    }

    fn style(&mut self, label: &str) -> Style {
        let known = self.lanes.iter().position(|lane| lane == label);
        let index = known.unwrap_or_else(|| {
            self.lanes.push(label.to_owned());
            self.lanes.len() - 1
        });
        LANES[index % LANES.len()]
    }
}

/// How wide the terminal is that shows standard output; `None` when it is none.
fn columns() -> Option<usize> {
    let out = io::stdout();
    if !out.is_terminal() {
        return None;
    }
    // A terminal that does not know its width says 0.
    let columns = rustix::termios::tcgetwinsize(out).map_or(0, |size| size.ws_col);
    Some(if columns == 0 { WIDTH } else { usize::from(columns) })
}

/// Bytes as a terminal may show them, in at most `columns`: control characters and what is not UTF-8 are escaped.
pub fn shown(bytes: &[u8], columns: usize) -> String {
    let mut all = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char.is_control() {
                true => all.extend(char.escape_default()),
                false => all.push(char),
            }
        }
        chunk.invalid().iter().for_each(|byte| all.push_str(&format!("\\x{byte:02x}")));
    }
    // As `wrap::width` counts.
    let mut used = 0;
    let wide = all.char_indices().find(|(_, char)| {
        used += if char.is_ascii() { 1 } else { 2 };
        used > columns - 1
    });
    if let Some((end, _)) = wide.filter(|(end, _)| all[*end..].chars().count() > 1) {
        all.truncate(end);
        all.push('…');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_cannot_disturb_the_terminal() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(shown(bytes, 10), expected);
        check(b"hello", "hello");
        check(b"0123456789", "0123456789");
        check(b"01234567890", "012345678…");
        check("你好".as_bytes(), "你好");
        check(&"你好".as_bytes()[..4], "你\\xe5");
        check(b"\x1b[31m", "\\u{1b}[31m");
        check("你好你好你好".as_bytes(), "你好你好…");
    }
}
