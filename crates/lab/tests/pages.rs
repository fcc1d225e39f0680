//! The pages of the labs: what they list is what there is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod marks;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use lab::labs::LABS;
use lab::progress::possible;
use marks::between_the_marks;

#[test]
fn the_table_of_the_labs_is_the_list_of_the_labs() {
    let mut table = "\n| lab | points | the program to write |\n|---|--:|---|\n".to_owned();
    for lab in LABS {
        let (name, points) = (lab.name, possible(lab));
        // Some tasks hold a bar or a brace; only the bar means something in a table.
        let task = lab.task.replace('|', "\\|");
        let link = if page(name).exists() {
            format!("[`{name}`]({name}.md)")
        } else {
            format!("`{name}`")
        };
        writeln!(table, "| {link} | {points} | {task} |").unwrap();
    }
    table.push('\n');
    between_the_marks("index.md", "labs", &table);
}

/// A student has nothing else to go by: each rule that can fail stands there.
#[test]
fn the_page_of_a_lab_names_each_case_with_its_points() {
    let mut missing = String::new();
    for lab in LABS {
        let Ok(text) = fs::read_to_string(page(lab.name)) else {
            writeln!(missing, "docs/src/labs/{}.md", lab.name).unwrap();
            continue;
        };
        for case in lab.cases {
            let name = format!("`{}`", case.id);
            let mut rows = text.lines().filter(|line| line.contains(&name));
            let points = case.points.to_string();
            let told =
                |row: &str| row.split(|c: char| !c.is_ascii_digit()).any(|word| word == points);
            if !rows.any(told) {
                writeln!(missing, "{} {}: {} points", lab.name, case.id, points).unwrap();
            }
        }
    }
    assert!(missing.is_empty(), "not on a page:\n{missing}");
}

fn page(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/src/labs/{name}.md"))
}
