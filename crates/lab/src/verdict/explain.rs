//! A failed case in words, for a terminal or a report.

use std::iter;

use super::report::{CaseReport, Outcome};

/// Everything a student needs to understand a failed case, line by line; empty for a case that passed.
///
/// The lines fit into this many columns, except what the program itself printed and the command to copy.
///
/// First what happened and which rule that breaks, then the steps, the last of which failed, then the bytes, then what
/// to think about and how to see it again.
pub fn explain(case: &CaseReport, columns: usize) -> Vec<String> {
    let Outcome::Failed(failure) = &case.outcome else { return Vec::new() };
    let mut lines = Vec::new();
    let under = |lines: &mut Vec<String>, label: &str, text: &str| {
        // Further lines are indented like the first.
        lines.extend(wrap(label, columns::width(label), text, columns));
    };
    under(&mut lines, "what happened:  ", &failure.what);
    under(&mut lines, "the rule:       ", &case.rule);
    if !failure.steps.is_empty() {
        lines.push(String::new());
    }
    let last = failure.steps.len();
    for (number, step) in (1..).zip(&failure.steps) {
        let mark = if number == last { "→" } else { " " };
        under(&mut lines, &format!("{mark} {number}. "), step);
    }
    if !failure.bytes.is_empty() {
        lines.push(String::new());
        lines.extend(failure.bytes.iter().flat_map(|line| wrap("", 2, line, columns)));
    }
    lines.push(String::new());
    if !failure.said.is_empty() {
        lines.push("the last lines of the program:".to_owned());
        lines.extend(failure.said.iter().map(|line| format!("  {line}")));
        lines.push(String::new());
    }
    let schedules = ["", "idle"];
    if !schedules.contains(&failure.schedule.as_str()) {
        under(&mut lines, "the network:    ", &failure.schedule);
    }
    if !failure.hint.is_empty() {
        under(&mut lines, "think about:    ", &failure.hint);
    }
    if !failure.replay.is_empty() {
        let (label, replay) = ("this case only:", &failure.replay);
        match label.len() + 1 + columns::width(replay) <= columns {
            true => lines.push(format!("{label} {replay}")),
            false => lines.extend([label.to_owned(), format!("  {replay}")]),
        }
        lines.push("as a picture:   add --picture bytes.svg after `check`".to_owned());
    }
    lines
}

/// The text after a label, on as many lines as it needs. Further lines begin in this column, or further left if a word,
/// such as a digest, is too long for that.
pub fn wrap(label: &str, column: usize, text: &str, columns: usize) -> Vec<String> {
    let widest = text.split(' ').map(columns::width).max().unwrap_or(0);
    let indent = column.min(columns.saturating_sub(widest));
    let lines = columns::wrap(text, columns::width(label), indent, columns);
    let starts = iter::once(label.to_owned()).chain(iter::repeat(" ".repeat(indent)));
    starts.zip(lines).map(|(start, line)| start + &line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::report::Failure;

    fn failed(failure: Failure) -> CaseReport {
        CaseReport {
            id: "cut".into(),
            rule: "a message that comes a byte at a time comes back whole".into(),
            points: 2,
            outcome: Outcome::Failed(Box::new(failure)),
            seconds: 0.1,
        }
    }

    #[test]
    fn a_failure_reads_from_what_happened_to_how_to_see_it_again() {
        let failure = Failure {
            what: "the program closed the connection after 1 of 2 bytes".into(),
            steps: vec!["start: ./echo ADDRESS".into(), "the peer expects \"ab\"".into()],
            bytes: vec!["expected  61 62  |ab|".into()],
            schedule: "cut=1 direction=to-server".into(),
            replay: "scripts/lab.sh check echo --case cut --seed 0 -- ./echo".into(),
            hint: "When does your loop end?".into(),
            said: vec!["stdout: listening on 127.0.0.1:1".into()],
        };
        assert_eq!(
            explain(&failed(failure), 78).join("\n"),
            "\
what happened:  the program closed the connection after 1 of 2 bytes
the rule:       a message that comes a byte at a time comes back whole

  1. start: ./echo ADDRESS
→ 2. the peer expects \"ab\"

expected  61 62  |ab|

the last lines of the program:
  stdout: listening on 127.0.0.1:1

the network:    cut=1 direction=to-server
think about:    When does your loop end?
this case only: scripts/lab.sh check echo --case cut --seed 0 -- ./echo
as a picture:   add --picture bytes.svg after `check`"
        );
    }

    #[test]
    fn long_text_is_wrapped_under_itself_and_a_long_word_is_not_cut() {
        let text = format!("{}end", "word ".repeat(14));
        let lines = wrap("  7. ", 5, &text, 60);
        assert_eq!(lines[0], format!("  7.{}", " word".repeat(11)));
        assert_eq!(lines[1], "     word word word end");
        let digest = "d".repeat(58);
        let lines = wrap("  7. ", 5, &format!("word {digest} end"), 60);
        assert_eq!(lines, ["  7. word".to_owned(), format!("  {digest}"), "  end".to_owned()]);
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let empty = Failure { what: "the checker failed".into(), ..Failure::default() };
        assert_eq!(explain(&failed(empty), 78).len(), 3);
    }
}
