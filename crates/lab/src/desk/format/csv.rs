//! CSV for a grade book, one row for each submission: RFC 4180, so lines end with CR LF.

use crate::desk::grade::{Graded, Grading};
use crate::verdict::{Outcome, escape};

pub(super) fn render(grading: &Grading) -> String {
    let mut csv = String::from("submission,lab,score,max_score,failed,error,seconds\r\n");
    for graded in &grading.submissions {
        csv.push_str(&row(graded));
    }
    csv
}

fn row(graded: &Graded) -> String {
    let failed: Vec<&str> = graded
        .cases
        .iter()
        .filter(|case| case.outcome != Outcome::Passed)
        .map(|case| case.id.as_str())
        .collect();
    let error = graded.error.as_deref().and_then(|error| error.lines().next());
    let cells = [
        cell(&graded.name),
        cell(graded.lab.as_deref().unwrap_or_default()),
        graded.score().to_string(),
        graded.max_score().to_string(),
        cell(&failed.join(" ")),
        cell(error.unwrap_or_default()),
        format!("{:.3}", graded.seconds),
    ];
    cells.join(",") + "\r\n"
}

/// A spreadsheet treats a cell that begins with one of these as a formula, and would run whatever a student has named a
/// folder. With an apostrophe in front, it is text.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

fn cell(text: &str) -> String {
    let mut text = escape(text);
    // Some spreadsheets skip leading blanks.
    if text.trim_start().starts_with(FORMULA) {
        text.insert(0, '\'');
    }
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, samples};
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn it_is_as_it_was() {
        samples::golden(Format::Csv, "grades.csv");
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell(" @SUM(A1)"), "' @SUM(A1)");
        assert_eq!(cell("-2"), "'-2");
        assert_eq!(cell("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(cell("a\tb\r\n"), "a\\tb\\r\\n");
    }

    #[test]
    fn another_reader_sees_the_same_cells() {
        let Some(python) = stage::python() else { return };
        let script = "import csv, io, json, sys\n\
            text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')\n\
            print(json.dumps(list(csv.reader(text, strict=True))))";
        let mut child = Command::new(python)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let csv = render(&samples::grading());
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), csv.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let rows: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[0].join(","), "submission,lab,score,max_score,failed,error,seconds");
        assert_eq!(rows[1], ["alice", "echo", "3", "3", "", "", "0.750"]);
        assert_eq!(rows[2], ["bob", "echo", "1", "3", "cut-everywhere", "", "0.750"]);
        assert_eq!(rows[3][0], format!("'{}", escape(samples::HOSTILE)));
        assert!(rows[3][5].starts_with("there is no =1+1,\"]]>"));
        assert_eq!(rows[4][5], "the build command ended with exit code 1: cc");
    }
}
