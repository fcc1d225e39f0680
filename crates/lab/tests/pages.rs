//! The pages of the labs list exactly what there is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod marks;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use lab::labs::{Case, LABS, Lab, Rule};
use marks::between_the_marks;

#[test]
fn the_table_of_the_labs_is_the_list_of_the_labs() {
    let mut table = "\n| lab | points | the program to write |\n|---|--:|---|\n".to_owned();
    for lab in LABS {
        let (name, points) = (lab.name, lab.max_score());
        // Some tasks contain a bar or a brace. In a table, only the bar has a meaning.
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

/// What a program must do, which cases look at which side of it, and how many points they give: a student has nothing
/// else to go by.
#[test]
fn the_page_of_a_lab_lists_its_rules_and_its_cases() {
    for lab in LABS {
        let page = format!("{}.md", lab.name);
        between_the_marks(&page, "rules", &rules(lab));
        between_the_marks(&page, "cases", &cases(lab));
    }
}

fn rules(lab: &Lab) -> String {
    let mut list = "\n".to_owned();
    for rule in lab.rules {
        writeln!(list, "- **`{}`**: {}", rule.id, rule.text).unwrap();
        for side in rule.sides {
            let cases = proving(lab, rule, side);
            let cases: Vec<String> = cases.iter().map(|case| format!("`{}`", case.id)).collect();
            writeln!(list, "  - {side}: {}", cases.join(", ")).unwrap();
        }
    }
    list + "\n"
}

fn cases(lab: &Lab) -> String {
    let mut table = "\n| case | points | what it asks |\n|---|--:|---|\n".to_owned();
    for case in lab.cases {
        writeln!(table, "| `{}` | {} | {} |", case.id, case.points, case.rule).unwrap();
    }
    writeln!(table, "\nTogether {} points.\n", lab.max_score()).unwrap();
    table
}

/// A side of a rule that no case tests shows up here.
#[test]
fn each_side_of_a_rule_has_a_case_and_each_case_proves_a_rule() {
    let mut wrong = String::new();
    for lab in LABS {
        for rule in lab.rules {
            let again = lab.rules.iter().filter(|other| other.id == rule.id).count();
            if again > 1 || rule.sides.is_empty() {
                writeln!(wrong, "{} {}: it stands there twice, or has no side", lab.name, rule.id)
                    .unwrap();
            }
            for side in rule.sides {
                if proving(lab, rule, side).is_empty() {
                    writeln!(wrong, "{} {}: no case for \"{side}\"", lab.name, rule.id).unwrap();
                }
            }
        }
        for case in lab.cases {
            let known = |(id, side): &(&str, &str)| {
                lab.rules.iter().any(|rule| rule.id == *id && rule.sides.contains(side))
            };
            if case.proves.is_empty() || !case.proves.iter().all(known) {
                let (name, id, proves) = (lab.name, case.id, case.proves);
                writeln!(wrong, "{name} {id}: proves no rule of its lab: {proves:?}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whatever a page asks of a program is a rule, or names one: a student has nothing else to go by.
#[test]
fn whatever_a_page_asks_is_a_rule() {
    const ASKS: [&str; 5] = ["must", "at most", "at least", "any", "up to"];
    let mut wrong = String::new();
    for lab in LABS {
        let text = fs::read_to_string(page(lab.name)).unwrap();
        for block in asking(&text) {
            let words =
                format!(" {} ", block.replace(|c: char| !c.is_alphanumeric() && c != '`', " "));
            let asks = ASKS.iter().any(|word| words.contains(&format!(" {word} ")));
            let named = lab.rules.iter().any(|rule| block.contains(&format!("`{}`", rule.id)));
            if asks && !named {
                writeln!(wrong, "{}: {block}", lab.name).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "these ask something, and name no rule:\n{wrong}");
}

/// The paragraphs, list items and rows of a page that say what a program has to do: without the parts that the tests
/// above write, without code, and without anything from "How to begin" on.
fn asking(page: &str) -> Vec<String> {
    let (mut blocks, mut block) = (Vec::new(), String::new());
    let (mut code, mut written) = (false, false);
    for line in page.lines().take_while(|line| *line != "## How to begin") {
        let line = line.trim();
        code ^= line.starts_with("```");
        written = (written || line.starts_with("<!-- ")) && !line.starts_with("<!-- end ");
        let new = ["", "- ", "|", "#", "```"].iter().any(|start| match *start {
            "" => line.is_empty(),
            start => line.starts_with(start),
        });
        if new && !block.is_empty() {
            blocks.push(std::mem::take(&mut block));
        }
        if !code && !written && !line.starts_with("```") && !line.starts_with("<!--") {
            block.push_str(line);
            block.push(' ');
        }
    }
    blocks
}

fn proving(lab: &Lab, rule: &Rule, side: &str) -> Vec<&'static Case> {
    lab.cases.iter().filter(|case| case.proves.contains(&(rule.id, side))).collect()
}

fn page(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/src/labs/{name}.md"))
}
