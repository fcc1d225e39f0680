//! The table: ratios first, since only they mean something on another machine.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Section, verdict};
use crate::rounds::{Ratio, Row, Value};

/// Everything as text, at most 100 columns wide; `how` says how it was measured.
pub fn table(how: &str, sections: &[Section]) -> String {
    let mut text = format!(
        "{how}\nMedian of the rounds (least to most). A ratio above 1: the first of the two is better.\n"
    );
    for Section { title, rows, .. } in sections {
        let _ = writeln!(text, "\n{title}");
        let compared = rows.iter().filter(|row| !row.ratios.is_empty());
        compared.for_each(|row| ratios(&mut text, row));
    }
    text.push_str("\n\nThe numbers behind them, and what has no ratio\n");
    for row in sections.iter().flat_map(|section| &section.rows) {
        values(&mut text, row);
    }
    text
}

fn ratios(text: &mut String, row: &Row) {
    let _ = writeln!(text, "\n  {:66}  best  goal", row.what);
    for Ratio { name, spread, best, goal } in &row.ratios {
        let goal = goal.map(|goal| {
            let verdict = verdict(spread.median, goal, Ordering::Greater);
            format!("≥ {goal} {verdict}")
        });
        let line = format!(
            "    {name:34} {:28}  {best:5.2}  {}",
            spread.to_string(),
            goal.unwrap_or_default()
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn values(text: &mut String, row: &Row) {
    let _ = writeln!(text, "\n  {}, {}", row.what, row.unit);
    for Value { name, spread, goal } in &row.values {
        let goal = goal.map(|goal| {
            let verdict = verdict(spread.median, goal, Ordering::Less);
            format!("≤ {goal} {verdict}")
        });
        let line = format!("    {name:34} {:34}  {}", spread.to_string(), goal.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
