//! JUnit's XML, in the form that Jenkins and most CI systems read: a testsuite for each submission, a testcase for each
//! case.
//!
//! There is no standard. This follows the JUnit schema of Jenkins' xUnit plug-in (`junit-10.xsd`).

use std::fmt::Write;

use super::test_list::{LONGEST, Test, all_tests};
use crate::desk::grade::{Graded, Grading};
use crate::verdict::{escape, escape_lines};

pub(super) fn render(grading: &Grading) -> String {
    let tests = all_tests(grading);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a String cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites name=\"lab\" {}>",
        totals(&tests.iter().collect::<Vec<_>>(), grading.seconds)
    );
    for graded in &grading.submissions {
        let own: Vec<&Test<'_>> =
            tests.iter().filter(|test| std::ptr::eq(test.graded, graded)).collect();
        suite(&mut xml, graded, &own);
    }
    xml + "</testsuites>\n"
}

fn totals(tests: &[&Test<'_>], seconds: f64) -> String {
    let errors = tests.iter().filter(|test| test.graded.error.is_some()).count();
    let failures = tests.iter().filter(|test| !test.passed()).count() - errors;
    format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\"",
        tests.len()
    )
}

fn suite(xml: &mut String, graded: &Graded, tests: &[&Test<'_>]) {
    let name = attribute(&graded.name);
    let totals = totals(tests, graded.seconds);
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" {totals} skipped=\"0\">");
    for test in tests {
        let case = match (test.case, &graded.lab) {
            (Some(case), Some(lab)) => format!("{lab}/{}", case.id),
            _ => "lab.toml".to_owned(),
        };
        let _ = write!(
            xml,
            "    <testcase classname=\"{name}\" name=\"{}\" time=\"{:.3}\"",
            attribute(&case),
            test.seconds()
        );
        if test.passed() {
            xml.push_str("/>\n");
            continue;
        }
        let (element, kind) = match graded.error {
            Some(_) => ("error", "not-judged"),
            None => ("failure", "broken-rule"),
        };
        let _ = writeln!(
            xml,
            ">\n      <{element} type=\"{kind}\" message=\"{}\">{}</{element}>\n    </testcase>",
            attribute(&test.message()),
            text(&test.output(LONGEST))
        );
    }
    // In the schema this comes after the test cases.
    let _ = writeln!(
        xml,
        "    <system-out>{} of {} points</system-out>\n  </testsuite>",
        graded.score(),
        graded.max_score()
    );
}

/// XML 1.0 can't hold most control characters, not even as references, so they are written as Rust escapes them. Every
/// `>` is written as a reference, so `]]>` can't occur.
fn text(text: &str) -> String {
    references(&escape_lines(text))
}

fn attribute(text: &str) -> String {
    references(&escape(text))
}

fn references(text: &str) -> String {
    let mut xml = String::new();
    for char in text.chars() {
        match char {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            char => xml.push(char),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::super::{Format, samples};
    use super::*;
    use roxmltree::{Document, Node};

    #[test]
    fn it_is_as_it_was() {
        samples::golden(Format::Junit, "junit.xml");
    }

    fn number(node: Node<'_, '_>, name: &str) -> usize {
        node.attribute(name).unwrap().parse().unwrap()
    }

    fn count(node: Node<'_, '_>, name: &str) -> usize {
        node.descendants().filter(|node| node.has_tag_name(name)).count()
    }

    #[test]
    fn hostile_text_survives_and_the_numbers_are_right() {
        let xml = render(&samples::grading());
        let document = Document::parse(&xml).unwrap();
        let root = document.root_element();
        assert!(root.has_tag_name("testsuites"));
        for node in root.descendants().filter(|n| n.tag_name().name().starts_with("testsuite")) {
            assert_eq!(number(node, "tests"), count(node, "testcase"));
            assert_eq!(number(node, "failures"), count(node, "failure"));
            assert_eq!(number(node, "errors"), count(node, "error"));
            assert!(node.attribute("time").unwrap().parse::<f64>().is_ok());
        }
        assert_eq!((number(root, "failures"), number(root, "errors")), (1, 3));
        let suites: Vec<_> = root.children().filter(Node::is_element).collect();
        assert_eq!(suites.len(), 4);
        assert_eq!(suites[2].attribute("name").unwrap(), escape(samples::HOSTILE));
        let error = suites[2].descendants().find(|node| node.has_tag_name("error")).unwrap();
        assert_eq!(error.attribute("type"), Some("not-judged"));
        assert!(error.text().unwrap().contains("]]>&'<\\u{1b}[31m"));
    }

    #[test]
    fn elements_stand_where_the_schema_has_them() {
        let xml = render(&samples::grading());
        let document = Document::parse(&xml).unwrap();
        for suite in document.root_element().children().filter(Node::is_element) {
            let names: Vec<_> =
                suite.children().filter(Node::is_element).map(|n| n.tag_name().name()).collect();
            let (last, cases) = names.split_last().unwrap();
            assert_eq!(*last, "system-out");
            assert!(!cases.is_empty() && cases.iter().all(|name| *name == "testcase"));
        }
        for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
            assert!(case.attribute("classname").is_some() && case.attribute("name").is_some());
            assert!(case.children().filter(Node::is_element).count() <= 1);
        }
    }
}
