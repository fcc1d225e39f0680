//! The table: ratios first, since only they mean anything on another machine.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Section, verdict};
use crate::rounds::{Ratio, Row, Spread, Value};

/// Everything as text, at most 100 columns wide; `how` says how it was measured.
pub fn table(how: &str, sections: &[Section]) -> String {
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let mut text = format!(
        "{how}\nMedian of the rounds (least to most). A ratio above 1: the first of the two is better.\n"
    );
    for row in rows().filter(|row| row.has_goal()) {
        goals(&mut text, row);
    }
    text.push_str("\n\nAll ratios\n");
    for row in rows().filter(|row| !row.ratios.is_empty()) {
        ratios(&mut text, row);
    }
    text.push_str("\n\nThe numbers behind them, and what has no ratio\n");
    for row in rows() {
        values(&mut text, row);
    }
    text
}

/// The part of a row that has a goal.
fn goals(text: &mut String, row: &Row) {
    let _ = writeln!(text, "\n  {}", row.what);
    for Ratio { name, spread, goal, .. } in &row.ratios {
        line(text, name, spread, "", *goal, Ordering::Greater);
    }
    for Value { name, spread, goal } in &row.values {
        line(text, name, spread, row.unit, *goal, Ordering::Less);
    }
}

fn line(
    text: &mut String,
    name: &str,
    spread: &Spread,
    unit: &str,
    goal: Option<f64>,
    more: Ordering,
) {
    if let Some(goal) = goal {
        let sign = if more == Ordering::Greater { '≥' } else { '≤' };
        let verdict = verdict(spread.median, goal, more);
        let spread = format!("{spread} {unit}");
        let _ = writeln!(text, "    {name:34} {spread:42}  {sign} {goal} {verdict}");
    }
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
