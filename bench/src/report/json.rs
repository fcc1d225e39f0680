//! The same for programs: one JSON object for each row.

use serde_json::{Value as Json, json};

use super::Section;
use crate::rounds::{Ratio, Spread, Value};

pub fn json(sections: &[Section]) -> String {
    let rows =
        sections.iter().flat_map(|section| section.rows.iter().map(|row| (section.name, row)));
    rows.map(|(part, row)| {
        let ratios: Vec<Json> = row.ratios.iter().map(ratio).collect();
        let values: Vec<Json> = row.values.iter().map(value).collect();
        let line = json!({
            "part": part, "what": row.what, "unit": row.unit, "ratios": ratios, "values": values,
        });
        format!("{line}\n")
    })
    .collect()
}

fn ratio(Ratio { name, spread, best, goal }: &Ratio) -> Json {
    let Spread { median, least, most } = spread;
    json!({ "name": name, "median": median, "least": least, "most": most, "best": best, "at_least": goal })
}

fn value(Value { name, spread, goal }: &Value) -> Json {
    let Spread { median, least, most } = spread;
    json!({ "name": name, "median": median, "least": least, "most": most, "at_most": goal })
}
