//! What an experiment looks like: its claim, what each program says, the verdict. For programs that read it, there is one
//! JSON object with the same content.
//!
//! It fits the terminal. Text breaks between words, and a command line where a shell joins it again. What doesn't fit
//! beside its label goes below it.

use crate::command_line::CommandLine;
use crate::record::Record;
use crate::samples::Samples;
use crate::verdict::{Difference, Verdict};
use anstyle::{AnsiColor, Style};
use std::io::{self, IsTerminal, Write};
use std::iter;
use timeline::Stream;

/// The width of the labels, which are aligned to the right.
const LABEL: usize = 9;

/// The column at which the claims begin in the list of experiments.
const ENTRY: usize = 16;

/// The column at which what you type begins, after the terminal's number.
const TYPED: usize = 16;

/// The column at which numbers begin. A median with its spread takes up to 46 more: 80 in all.
const MEASURED: usize = 34;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const YOU: Style = AnsiColor::Green.on_default().bold();
/// The colours of the labels, in the order in which the programs first say something.
const COLOURS: [Style; 4] = [
    AnsiColor::Cyan.on_default(),
    AnsiColor::Yellow.on_default(),
    AnsiColor::Magenta.on_default(),
    AnsiColor::Blue.on_default(),
];

/// Standard output, with colours if a terminal shows them.
pub struct Screen {
    /// Where people read; with `--json`, nowhere.
    out: Box<dyn Write>,
    columns: usize,
    labels: Vec<String>,
    record: Record,
    json: bool,
}

impl Screen {
    pub fn new(json: bool) -> Screen {
        // JSON is the same whatever the terminal.
        match json {
            true => Screen { json, ..Screen::on(Box::new(io::sink()), columns::IN_A_PIPE) },
            false => Screen::on(Box::new(anstream::stdout()), columns::of(io::stdout())),
        }
    }

    fn on(out: Box<dyn Write>, columns: usize) -> Screen {
        Screen { out, columns, labels: Vec::new(), record: Record::default(), json: false }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Opens an experiment.
    pub fn claim(&mut self, name: &str, claim: &str) -> io::Result<()> {
        self.labels.clear();
        self.record = Record::of(name, claim);
        self.heading(name, claim)
    }

    /// Opens an experiment with a question instead of the claim, which would answer it.
    pub fn question(&mut self, name: &str, question: &str) -> io::Result<()> {
        self.heading(name, question)
    }

    fn heading(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.labelled(STRONG, name, ": ", text)
    }

    pub fn choice(&mut self, letter: char, choice: &str) -> io::Result<()> {
        let choice = self.wrap(choice, 5, 5);
        writeln!(self.out, "  {STRONG}{letter}{STRONG:#}  {choice}")
    }

    pub fn your_turn(&mut self, prompt: &str) -> io::Result<()> {
        write!(self.out, "{YOU}{prompt}{YOU:#}")?;
        self.out.flush()
    }

    /// What was predicted, beside what happened.
    pub fn compare(&mut self, predicted: &str, came: &str) -> io::Result<()> {
        let (style, mark) = if predicted == came { (GOOD, '✓') } else { (BAD, '✗') };
        let (label, end) = ("you said: ".len(), "  ✗".chars().count());
        let predicted = self.wrap(predicted, label, label);
        let came = self.wrap(came, label + end, label);
        writeln!(self.out, "you said: {predicted}")?;
        writeln!(self.out, "it was:   {came}  {style}{mark}{style:#}\n")
    }

    /// An entry in the list of experiments. A program that reads the list gets it as one line; on a terminal it takes as
    /// many as it needs.
    pub fn entry(&mut self, name: &str, claim: &str) -> io::Result<()> {
        let claim = match io::stdout().is_terminal() {
            true => self.wrap(claim, ENTRY, ENTRY),
            false => claim.to_owned(),
        };
        writeln!(self.out, "{STRONG}{name:<14}{STRONG:#}  {claim}")
    }

    /// What to type in which terminal.
    pub fn terminal(&mut self, number: usize, command_line: &CommandLine) -> io::Result<()> {
        self.record.terminals.push(command_line.to_string());
        let lines = command_line.lines(TYPED, self.columns).join("\n");
        writeln!(self.out, "{FAINT}  terminal {number}  ${FAINT:#} {lines}")
    }

    /// What to do next in the terminal named above.
    pub fn then(&mut self, what: &str) -> io::Result<()> {
        let what = self.wrap(what, TYPED, TYPED);
        writeln!(self.out, "{:TYPED$}{what}", "")
    }

    /// What else to type there.
    pub fn then_type(&mut self, command_line: &CommandLine) -> io::Result<()> {
        let lines = command_line.lines(TYPED, self.columns).join("\n");
        writeln!(self.out, "{:TYPED$}{lines}", "")
    }

    /// What to type at the prompt of the program there. The program reads line by line, so no line is broken.
    pub fn at_prompt(&mut self, commands: &[&str]) -> io::Result<()> {
        let widest = commands.iter().map(|command| columns::width(command)).max().unwrap_or(0);
        let indent = TYPED.min(self.columns.saturating_sub(">>: ".len() + widest));
        commands.iter().try_for_each(|command| writeln!(self.out, "{:indent$}>>: {command}", ""))
    }

    pub fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// The experiment's own text: each line of it is a paragraph.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.record.text.push(text.to_owned());
        let text = self.wrap(text.strip_suffix('\n').unwrap_or(text), 0, 0);
        writeln!(self.out, "{text}")
    }

    /// The experiment's own table, printed unchanged: it has to fit already.
    pub fn table(&mut self, table: &str) -> io::Result<()> {
        self.record.text.push(table.to_owned());
        self.out.write_all(table.as_bytes())
    }

    /// The byte picture.
    pub fn picture(&mut self, stream: &Stream) -> io::Result<()> {
        let columns = self.columns - 4;
        self.record.pictures.push(stream.text(columns));
        self.out.write_all(stream.coloured(columns).as_bytes())
    }

    /// How often something happened.
    pub fn count(&mut self, what: &str, count: u64, of: u64) -> io::Result<()> {
        self.record.count(what, count, of);
        self.row(what, &format!("{count} of {of}"))
    }

    /// What was measured, repeatedly.
    pub fn measured(&mut self, what: &str, samples: &Samples) -> io::Result<()> {
        self.record.measured(what, samples);
        self.row(what, &samples.to_string())
    }

    /// What was seen, after its name; below the name if there is no room.
    pub fn row(&mut self, what: &str, seen: &str) -> io::Result<()> {
        writeln!(self.out, "{}", columns::row(&[(what, MEASURED), (seen, 0)], self.columns))
    }

    /// The seed of the random choices.
    pub fn seed(&mut self, seed: u64) {
        self.record.seed = Some(seed);
    }

    /// What one process said, beside its label. A line that is too long breaks between words. A word that is too long can't be
    /// ordinary text: only its beginning is shown.
    pub fn says(&mut self, label: &str, said: &[u8]) -> io::Result<()> {
        self.record.says(label, said);
        let style = self.style(label);
        for line in said.strip_suffix(b"\n").unwrap_or(said).split(|byte| *byte == b'\n') {
            self.beside(style, label, &columns::visible_bytes(line))?;
        }
        self.out.flush()
    }

    /// What a person types, beside the label `you`.
    pub fn you(&mut self, typed: &str) -> io::Result<()> {
        self.beside(YOU, "you", typed)
    }

    fn beside(&mut self, style: Style, label: &str, line: &str) -> io::Result<()> {
        let room = self.columns - LABEL - " │ ".chars().count();
        let words: Vec<String> = line.split(' ').map(|word| columns::cut(word, room)).collect();
        let lines = columns::fill(words.iter().map(String::as_str), room, room);
        let labels = iter::once(label).chain(iter::repeat(""));
        for (label, line) in labels.zip(&lines) {
            writeln!(self.out, "{style}{label:>LABEL$} │{style:#} {line}")?;
        }
        Ok(())
    }

    /// Closes an experiment.
    pub fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        if self.json {
            return writeln!(io::stdout(), "{}", self.record.json(verdict));
        }
        self.blank()?;
        match verdict {
            Verdict::AsStated(seen) => self.labelled(GOOD, "✓ as stated:", " ", seen)?,
            Verdict::NotAsStated(differences) => {
                for Difference { expected, came } in differences {
                    let what = format!("expected {expected}, got {came}");
                    self.labelled(BAD, "✗ not as stated:", " ", &what)?;
                }
            }
            Verdict::NotTested(why) => self.labelled(FAINT, "– not tested:", " ", why)?,
            Verdict::Stopped(why) => self.labelled(BAD, "✗ could not be tested:", " ", why)?,
        }
        self.blank()
    }

    /// All verdicts at a glance.
    pub fn verdicts(&mut self, verdicts: &[(&str, Verdict)]) -> io::Result<()> {
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

    fn labelled(&mut self, style: Style, label: &str, gap: &str, text: &str) -> io::Result<()> {
        let text = self.wrap(text, columns::width(label) + gap.len(), 2);
        writeln!(self.out, "{style}{label}{style:#}{gap}{text}")
    }

    /// Wraps a text that begins after `first` columns; its other lines begin after `indent`.
    fn wrap(&self, text: &str, first: usize, indent: usize) -> String {
        columns::wrap(text, first, indent, self.columns).join(&format!("\n{:indent$}", ""))
    }

    fn style(&mut self, label: &str) -> Style {
        let known = self.labels.iter().position(|known| known == label);
        let index = known.unwrap_or_else(|| {
            self.labels.push(label.to_owned());
            self.labels.len() - 1
        });
        COLOURS[index % COLOURS.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::ALL;
    use std::cell::RefCell;
    use std::fs;
    use std::rc::Rc;

    /// The transcripts hold everything that the experiments print. Here it is laid out again for terminals of other widths,
    /// except for the pictures, which timeline tests.
    #[test]
    fn each_experiment_fits_its_terminal() {
        for (one, columns) in ALL.iter().flat_map(|one| [60, 80, 120].map(|columns| (one, columns)))
        {
            let transcript = format!("{}/transcripts/{}.txt", env!("CARGO_MANIFEST_DIR"), one.name);
            let transcript = fs::read_to_string(transcript).unwrap();
            let said = laid_out(columns, |screen| {
                screen.claim(one.name, one.claim)?;
                screen.question(one.name, one.prediction.question)?;
                for choice in one.prediction.choices {
                    screen.choice('a', choice.says)?;
                    screen.compare(choice.says, choice.says)?;
                    screen.text(choice.because)?;
                }
                again(screen, &transcript)
            });
            for line in said.lines() {
                assert!(columns::width(line) <= columns, "{} at {columns}: {line}", one.name);
            }
        }
    }

    /// Shows the parts of a transcript.
    fn again(screen: &mut Screen, transcript: &str) -> io::Result<()> {
        // A command that is too long for a line goes on in the next one, after a backslash.
        let whole = transcript.replace(" \\\n", " ");
        for line in whole.lines().skip_while(|line| !line.is_empty()) {
            let below = line.strip_prefix(&" ".repeat(TYPED));
            let typed = line.strip_prefix("  terminal ").and_then(|line| line.split_once("$ "));
            match (typed.map(|(_, typed)| typed).or(below), line.split_once(" │ ")) {
                (Some(typed), _)
                    if [CommandLine::CARGO, CommandLine::PYTHON]
                        .iter()
                        .any(|begin| typed.starts_with(begin)) =>
                {
                    screen.terminal(1, &CommandLine::parse(typed))?;
                }
                (Some(typed), _) if typed.starts_with(">>: ") => {
                    screen.at_prompt(&[&typed[4..]])?
                }
                (Some(then), _) => screen.then(then)?,
                (None, Some((label, said))) => screen.says(label.trim(), said.as_bytes())?,
                (None, None) if line.contains(['│', '─', '╎']) || line.starts_with("offset") =>
                    {}
                (None, None) => match line.split_at_checked(MEASURED) {
                    Some((what, seen)) if what.ends_with("  ") => {
                        screen.row(what.trim_end(), seen)?
                    }
                    _ => screen.text(line)?,
                },
            }
        }
        Ok(())
    }

    /// What a terminal with this many columns shows, without colours.
    fn laid_out(columns: usize, show: impl FnOnce(&mut Screen) -> io::Result<()>) -> String {
        let out = Out::default();
        show(&mut Screen::on(Box::new(out.clone()), columns)).unwrap();
        let said = String::from_utf8(out.0.take()).unwrap();
        anstream::adapter::strip_str(&said).to_string()
    }

    #[derive(Clone, Default)]
    struct Out(Rc<RefCell<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
