//! A failed case in words, for a terminal or a report.

use crate::report::{CaseReport, Outcome};

/// All that a student needs to understand a failed case, a line each; nothing for one that passed.
pub fn explain(case: &CaseReport) -> Vec<String> {
    let Outcome::Failed(failure) = &case.outcome else { return Vec::new() };
    let mut lines = vec![format!("rule:     {}", case.rule), format!("happened: {}", failure.what)];
    lines.push("steps:".to_owned());
    let last = failure.steps.len();
    for (number, step) in (1..).zip(&failure.steps) {
        let mark = if number == last { "  ← here" } else { "" };
        lines.push(format!("  {number}. {step}{mark}"));
    }
    if !failure.bytes.is_empty() {
        lines.push("bytes:".to_owned());
        lines.extend(failure.bytes.iter().map(|line| format!("  {line}")));
    }
    if !failure.said.is_empty() {
        lines.push("the program said:".to_owned());
        lines.extend(failure.said.iter().map(|line| format!("  {line}")));
    }
    lines.push(format!("schedule: {}", failure.schedule));
    lines.push(format!("again:    {}", failure.replay));
    lines.push(format!("hint:     {}", failure.hint));
    lines
}
