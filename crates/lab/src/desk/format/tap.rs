//! The Test Anything Protocol, version 14: <https://testanything.org/tap-version-14-specification.html>.

use std::fmt::Write;

use super::test_list::{LONGEST, Test, all_tests};
use crate::desk::grade::Grading;
use crate::verdict::escape;

pub(super) fn render(grading: &Grading) -> String {
    let tests = all_tests(grading);
    let mut tap = format!("TAP version 14\n1..{}\n", tests.len());
    for (number, test) in (1..).zip(&tests) {
        point(&mut tap, number, test);
    }
    tap
}

fn point(tap: &mut String, number: usize, test: &Test<'_>) {
    let ok = if test.passed() { "ok" } else { "not ok" };
    // Writing into a String cannot fail.
    let _ = writeln!(tap, "{ok} {number} - {}", description(&test.name()));
    let _ = writeln!(tap, "  ---\n  points: {}\n  max_points: {}", test.score(), test.max_score());
    let _ = writeln!(tap, "  duration_ms: {:.0}", test.seconds() * 1000.0);
    if !test.passed() {
        let _ = writeln!(tap, "  message: {}\n  output:", quoted(&test.message()));
        for line in test.output(LONGEST).lines() {
            let _ = writeln!(tap, "    - {}", quoted(line));
        }
    }
    tap.push_str("  ...\n");
}

/// A `#` would begin a directive: with `# SKIP`, a test counts as passed.
fn description(text: &str) -> String {
    escape(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// A double-quoted YAML string. YAML undoes the escapes of JSON (YAML 1.2, section 5.7). Control characters that JSON
/// would leave alone are escaped first.
fn quoted(line: &str) -> String {
    serde_json::to_string(&escape(line)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Format, samples};
    use super::*;

    #[test]
    fn it_is_as_it_was() {
        samples::golden(Format::Tap, "report.tap");
    }

    /// Accepts exactly the part of the specification that we use, and panics on everything else.
    fn parse(tap: &str) -> Vec<(bool, String, Vec<String>)> {
        let mut lines = tap.lines();
        assert_eq!(lines.next(), Some("TAP version 14"));
        let plan: usize = lines.next().unwrap().strip_prefix("1..").unwrap().parse().unwrap();
        let mut points = Vec::new();
        while let Some(line) = lines.next() {
            let ok = !line.starts_with("not ");
            let rest = line.strip_prefix("not ").unwrap_or(line).strip_prefix("ok ").unwrap();
            let (number, name) = rest.split_once(" - ").unwrap();
            assert_eq!(number.parse::<usize>().unwrap(), points.len() + 1);
            let bare = name.replace("\\\\", "").replace("\\#", "");
            assert!(!bare.contains(['\\', '#']), "{name}");
            assert_eq!(lines.next(), Some("  ---"));
            let block: Vec<String> =
                lines.by_ref().take_while(|line| *line != "  ...").map(str::to_owned).collect();
            for line in &block {
                let value =
                    line.strip_prefix("    - ").or_else(|| line.split_once(": ").map(|p| p.1));
                match value {
                    Some(value) => {
                        assert!(serde_json::from_str::<serde_json::Value>(value).is_ok(), "{line}")
                    }
                    None => assert_eq!(line, "  output:"),
                }
                assert!(!line.contains(char::is_control));
            }
            points.push((ok, name.to_owned(), block));
        }
        assert_eq!(points.len(), plan);
        points
    }

    #[test]
    fn hostile_text_stays_text() {
        let points = parse(&render(&samples::grading()));
        let oks: Vec<bool> = points.iter().map(|point| point.0).collect();
        assert_eq!(oks, [true, true, true, false, false, false, false]);
        assert!(points[4].1.contains("\\\\n\\# SKIP"), "{}", points[4].1);
        assert_eq!(points[0].2, ["  points: 1", "  max_points: 1", "  duration_ms: 250"]);
        assert_eq!(points[3].2[3], "  message: \"the stream ended after 3 of 5 bytes\"");
    }
}
