//! A failed case in words, for a terminal or a report.

use super::report::{CaseReport, Outcome};

/// How wide a line may be: a terminal of 80 columns, less the two by which the desk indents. What the program itself
/// printed keeps its lines.
const WIDTH: usize = 78;

/// All that a student needs to understand a failed case, a line each; nothing for one that passed.
///
/// First what happened and which rule that breaks; then the steps, of which the last one failed; then the bytes; then what
/// to think about, and how to see it again.
pub fn explain(case: &CaseReport) -> Vec<String> {
    let Outcome::Failed(failure) = &case.outcome else { return Vec::new() };
    let mut lines = Vec::new();
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
        lines.extend(failure.bytes.iter().cloned());
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
        // Not wrapped: it is there to be copied.
        lines.push(format!("this case only: {}", failure.replay));
    }
    lines
}

/// Adds the text behind its label; further lines stand under the first.
fn under(lines: &mut Vec<String>, label: &str, text: &str) {
    lines.extend(wrap(label, label.chars().count(), text));
}

/// The text behind a label, in as many lines as it needs; further lines begin in this column. A long word is not cut.
pub fn wrap(label: &str, column: usize, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = label.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        let long = word.chars().count();
        let wide = line.chars().count() + 1 + long > WIDTH;
        if wide && !empty {
            // One that is too long for this column, a digest for example, begins before it.
            let column = column.min(WIDTH.saturating_sub(long));
            lines.push(std::mem::replace(&mut line, " ".repeat(column)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
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
            picture: String::new(),
        };
        assert_eq!(
            explain(&failed(failure)).join("\n"),
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
this case only: scripts/lab.sh check echo --case cut --seed 0 -- ./echo"
        );
    }

    #[test]
    fn long_text_is_wrapped_under_itself_and_a_long_word_is_not_cut() {
        let digest = "d".repeat(76);
        let text = format!("{} {digest} {} end", "word ".repeat(14).trim_end(), "x".repeat(100));
        let mut lines = wrap("  7. ", 5, &text);
        assert_eq!(lines.remove(1), format!("  {digest}"));
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(lines[0].starts_with("  7. word word") && lines[0].chars().count() <= WIDTH);
        assert_eq!(lines[1], "x".repeat(100));
        assert_eq!(lines[2], "     end");
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let empty = Failure { what: "the checker failed".into(), ..Failure::default() };
        assert_eq!(explain(&failed(empty)).len(), 3);
    }
}
