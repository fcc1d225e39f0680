//! What was measured, for people, for programs, and for a page.

mod json;
mod svg;
mod table;

pub use json::json;
pub use svg::svg;
pub use table::table;

use std::cmp::Ordering;

use crate::rounds::Row;

/// The rows of one part of the run.
pub struct Section {
    pub name: &'static str,
    pub title: &'static str,
    pub rows: Vec<Row>,
}

/// Whether a goal is met: `more` says on which side of it is good.
fn verdict(value: f64, goal: f64, more: Ordering) -> &'static str {
    match value.total_cmp(&goal) {
        Ordering::Equal => "met",
        order if order == more => "met",
        _ => "missed",
    }
}
