//! The kill matrix: each wrong program of the zoo fails at the case that is there for its mistake. docs/src/labs/zoo.md
//! shows the other cases that it fails at.
//!
//! ```text
//! $ cargo build -p lab --examples                            (`cargo test -p lab` does this, `--test` doesn't)
//! $ LAB_SEEDS=30 cargo test -p lab --test zoo                with 30 seeds
//! $ LAB_ONLY=echo,frames cargo test -p lab --test zoo        the programs of these labs, without the page
//! $ cargo test -p lab --test zoo -- --ignored                every program at every case, compared with the page
//! $ REWRITE=1 cargo test -p lab --test zoo -- --ignored      the same, written to the page
//! ```

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may fail it")]

mod marks;
mod programs;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use lab::labs::{self, Case, LABS, Lab};
use lab::{Outcome, Report};
use marks::{between_the_marks, shown_between_the_marks};
use programs::{check, example, failures, files, python, script, seeds, side_by_side, wanted};

/// How many checks run at the same time. They spend most of that time waiting for something that a wrong program
/// doesn't do.
const AT_ONCE: usize = 6;

/// A wrong program.
struct Beast {
    file: String,
    /// What is wrong with it, in the words of its first paragraph.
    mistake: String,
    lab: &'static Lab,
    /// The case that is there for it.
    case: &'static Case,
    command: Vec<String>,
}

#[test]
fn every_wrong_program_fails_at_the_case_for_its_mistake_whatever_the_seed() {
    let Some(zoo) = zoo() else { return };
    for seed in seeds(1) {
        let reports = side_by_side(AT_ONCE, &zoo, |beast| {
            check(beast.lab, &beast.command, seed, Some(beast.case.id))
        });
        let passed = zoo.iter().zip(&reports).filter(|(_, report)| report.passed());
        let survivors: Vec<String> = passed
            .map(|(beast, _)| format!("{} passes {} with seed {seed}", beast.file, beast.case.id))
            .collect();
        assert!(survivors.is_empty(), "{}", survivors.join("\n"));
        writeln!(io::stdout(), "seed {seed}: {} programs", zoo.len()).unwrap();
        // This test doesn't find out at which other cases it fails.
        if seed == 0 && is_whole() {
            let page = shown_between_the_marks("zoo.md", "matrix").replace("| ✗ ", "| · ");
            let wanted = matrix(&zoo, &reports);
            assert!(page == wanted, "zoo.md lists other programs, cases or mistakes:\n{wanted}");
        }
    }
}

#[test]
#[ignore = "it plays every program against every case, which takes some ten minutes"]
fn the_page_shows_at_which_cases_each_program_fails() {
    let Some(zoo) = zoo() else { return };
    let mut reports =
        side_by_side(AT_ONCE, &zoo, |beast| check(beast.lab, &beast.command, 0, None));
    let mut survivors = Vec::new();
    for (beast, report) in zoo.iter().zip(&reports) {
        if !killed(report, beast.case.id) {
            let others = failures(report).join("\n  ");
            survivors.push(format!("{} passes {}\n  {others}", beast.file, beast.case.id));
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
    if is_whole() {
        play_again_what_differs(&zoo, &mut reports);
        between_the_marks("zoo.md", "matrix", &matrix(&zoo, &reports));
    }
}

/// Whether all labs are played: the page needs the whole matrix.
fn is_whole() -> bool {
    std::env::var_os("LAB_ONLY").is_none()
}

/// If no wrong program was written for a case, we don't know whether the case catches anything.
#[test]
fn every_case_has_a_wrong_program_that_it_is_there_for() {
    let Some(zoo) = zoo() else { return };
    let mut idle = String::new();
    let labs = LABS.iter().filter(|lab| wanted(lab));
    for (lab, case) in labs.flat_map(|lab| lab.cases.iter().map(move |case| (lab, case))) {
        if !zoo.iter().any(|beast| beast.lab.name == lab.name && beast.case.id == case.id) {
            writeln!(idle, "no program of the zoo is there for {} {}", lab.name, case.id).unwrap();
        }
    }
    assert!(idle.is_empty(), "{idle}");
}

/// `None` if there is no Python, which half of the programs need.
fn zoo() -> Option<Vec<Beast>> {
    let python = python()?;
    let zoo = files("zoo").into_iter().filter_map(|path| beast(&path, &python));
    Some(zoo.filter(|beast| wanted(beast.lab)).collect())
}

/// The program in a file, if it has a line `lab: NAME, case: ID`. The others belong to experiments.
fn beast(path: &Path, python: &Path) -> Option<Beast> {
    let text = fs::read_to_string(path).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
    let lines =
        text.lines().take_while(|line| !line.starts_with("use ") && *line != "import socket");
    let plain =
        lines.map(|line| line.trim_start_matches("//!").trim_start_matches("\"\"\"").trim());
    let head: Vec<&str> = plain.collect();
    let meant = head.iter().find_map(|line| line.strip_prefix("lab: "))?;
    let (name, id) = meant.split_once(", case: ").unwrap_or_else(|| panic!("{file}: {meant}"));
    let lab = labs::find(name).unwrap_or_else(|| panic!("{file}: no lab is called {name}"));
    let case = lab.cases.iter().find(|case| case.id == id);
    let case = case.unwrap_or_else(|| panic!("{file}: {name} has no case {id}"));
    let mistake: Vec<&str> = head.iter().take_while(|line| !line.is_empty()).copied().collect();
    let mistake = mistake.join(" ");
    assert!(mistake.starts_with("Wrong: "), "{file} opens with what is wrong, not {mistake:?}");
    assert!(text.contains("here: "), "{file} marks no line with `here: `");
    assert!(text.lines().count() <= 100, "{file} has over 100 lines");
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let command = if file.ends_with(".py") {
        script(python, &format!("zoo/{file}"))
    } else {
        example(&format!("zoo-{}", stem.replace('_', "-")))
    };
    Some(Beast { file, mistake: mistake["Wrong: ".len()..].to_owned(), lab, case, command })
}

/// On a busy machine, a correct answer may come too late. So if a row differs from the page, it is played again, alone;
/// if it differs three times, the page is wrong.
fn play_again_what_differs(zoo: &[Beast], reports: &mut [Report]) {
    if std::env::var_os("REWRITE").is_some() {
        return;
    }
    let page = shown_between_the_marks("zoo.md", "matrix");
    for (beast, report) in zoo.iter().zip(reports) {
        for _ in 0..2 {
            if !page.contains(&row(beast, report)) {
                *report = check(beast.lab, &beast.command, 0, None);
            }
        }
    }
}

fn killed(report: &Report, case: &str) -> bool {
    report.cases.iter().any(|found| found.id == case && found.outcome != Outcome::Passed)
}

/// A table for each lab, with a row for each program. Below it, what is wrong with each.
fn matrix(zoo: &[Beast], reports: &[Report]) -> String {
    let mut page = String::new();
    for lab in LABS {
        let of_lab = || zoo.iter().zip(reports).filter(|(beast, _)| beast.lab.name == lab.name);
        if of_lab().next().is_none() {
            continue;
        }
        let ids: Vec<String> = lab.cases.iter().map(|case| format!("`{}`", case.id)).collect();
        writeln!(page, "\n## {}\n\n| program | {} |", lab.name, ids.join(" | ")).unwrap();
        writeln!(page, "|---|{}", ":-:|".repeat(ids.len())).unwrap();
        for (beast, report) in of_lab() {
            writeln!(page, "{}", row(beast, report)).unwrap();
        }
        page.push('\n');
        for (beast, _) in of_lab() {
            writeln!(page, "- `{}`: {}", beast.file, beast.mistake).unwrap();
        }
    }
    page.push('\n');
    page
}

fn row(beast: &Beast, report: &Report) -> String {
    let cell = |case: &Case| match killed(report, case.id) {
        true if case.id == beast.case.id => "**✗**",
        true => "✗",
        false => "·",
    };
    let cells: Vec<&str> = beast.lab.cases.iter().map(cell).collect();
    format!("| [`{0}`](../../../crates/lab/zoo/{0}) | {1} |", beast.file, cells.join(" | "))
}
