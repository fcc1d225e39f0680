//! What a student sees of a check: a line for each case as it is done, then the first failure in full.

use std::io::{self, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use lab::labs::{LABS, Lab};
use lab::{CaseReport, Outcome, Report, explain};

use crate::{room, wrap};

const PASSED: Style = AnsiColor::Green.on_default();
const FAILED: Style = AnsiColor::Red.on_default();
const BOLD: Style = Style::new().bold();

pub struct Verdict {
    /// In colour only if the terminal supports it and NO_COLOR isn't set.
    out: AutoStream<io::Stdout>,
    /// Whether each failure is explained in full, right below its case.
    all: bool,
    /// The option that asks for the next program in the same language as this one.
    lang: &'static str,
}

impl Verdict {
    pub fn new(all: bool, rust: bool) -> Verdict {
        Verdict { out: anstream::stdout(), all, lang: if rust { " --lang rust" } else { "" } }
    }

    /// Prints the line of a case.
    pub fn tell(&mut self, case: &CaseReport) -> io::Result<()> {
        let points = format!("({} of {} points)", case.score(), case.points);
        if case.outcome == Outcome::Passed {
            writeln!(self.out, "{PASSED}✓{PASSED:#} {} {points}", case.id)?;
        } else {
            let name = format!("✗ {}", case.id);
            let text = wrap(&format!("{name} {points}: "), 4, &case.rule).join("\n");
            writeln!(self.out, "{FAILED}{name}{FAILED:#}{}", &text[name.len()..])?;
            if self.all {
                self.explain(case)?;
                writeln!(self.out)?;
            }
        }
        self.out.flush()
    }

    /// Prints the first failure, the points, and what to do next. `one`: the student asked for a single case.
    pub fn sum_up(&mut self, lab: &Lab, report: &Report, one: bool) -> io::Result<()> {
        let failed: Vec<&CaseReport> =
            report.cases.iter().filter(|case| case.outcome != Outcome::Passed).collect();
        if let Some(first) = failed.first().filter(|_| !self.all) {
            writeln!(self.out, "\n{BOLD}{}, the first that fails:{BOLD:#}", first.id)?;
            self.explain(first)?;
        }
        let (score, max) = (report.score(), report.max_score());
        let name = lab.name;
        match failed.as_slice() {
            [] if one => writeln!(
                self.out,
                "{PASSED}This case passes.{PASSED:#} To check all of them, leave out --case."
            ),
            [] => {
                writeln!(self.out, "\n{PASSED}All {max} points: this program is right.{PASSED:#}")?;
                writeln!(
                    self.out,
                    "How we wrote it:  scripts/lab.sh solution {name}{}",
                    self.lang
                )?;
                match LABS.iter().skip_while(|other| other.name != name).nth(1) {
                    Some(next) => writeln!(
                        self.out,
                        "The next lab:     scripts/lab.sh start {0} my-{0}{1}",
                        next.name, self.lang
                    ),
                    None => writeln!(self.out, "That was the last lab."),
                }
            }
            _ if one => Ok(()),
            [_] => writeln!(
                self.out,
                "\n{BOLD}{score} of {max} points.{BOLD:#} A hint: scripts/lab.sh hint {name}"
            ),
            more => {
                let others = more.len() - 1;
                write!(self.out, "\n{BOLD}{score} of {max} points.{BOLD:#} ")?;
                if self.all {
                    writeln!(self.out, "A hint: scripts/lab.sh hint {name}")
                } else {
                    let failures = if others == 1 { "failure" } else { "failures" };
                    let more = format!(
                        "{others} more {failures}: --case ID explains one, --all all of them."
                    );
                    let points = format!("{score} of {max} points. ");
                    let more = wrap(&points, 2, &more).join("\n");
                    writeln!(self.out, "{}", &more[points.len()..])?;
                    let hint = format!("a hint: scripts/lab.sh hint {name}");
                    writeln!(self.out, "{}", wrap("Fix the first one first; ", 2, &hint).join("\n"))
                }
            }
        }
    }

    fn explain(&mut self, case: &CaseReport) -> io::Result<()> {
        for line in explain(case, room()) {
            let indent = if line.is_empty() { "" } else { "  " };
            writeln!(self.out, "{indent}{line}")?;
        }
        Ok(())
    }
}
