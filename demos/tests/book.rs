//! The book's pages are shown by a repository browser and by mdBook, and neither of them numbers the chapters here. So the
//! numbers are in the pages, and these tests check them. What the built book must show is tested in tests/browser/book.js.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod pages;

use pages::{book, files};
use std::fs;
use std::path::Path;

#[test]
fn the_contents_and_the_titles_agree() {
    let mut wrong = Vec::new();
    for entry in contents() {
        let title = title(&entry.file);
        let (number, _) = numbered(&title);
        let rest = title.strip_prefix(&entry.text);
        // The contents may leave out the end of a long title.
        let agrees = rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        if !agrees || number != entry.number {
            wrong.push(format!(
                "{}: \"{title}\" is number {} there: \"{}\"",
                entry.file, entry.number, entry.text
            ));
        }
    }
    assert!(wrong.is_empty(), "SUMMARY.md differs from the pages:\n{}", wrong.join("\n"));
}

#[test]
fn a_link_that_names_a_chapter_has_its_number() {
    let mut wrong = Vec::new();
    let mut named = 0;
    for page in files(&book(), "md") {
        // A link may run over the end of a line.
        let text = fs::read_to_string(&page).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (words, target) in links(&text) {
            let words = words.to_lowercase();
            let Some(number) = words.strip_prefix("chapter ") else { continue };
            let target = target.split('#').next().unwrap_or_default();
            let file = page.parent().unwrap().join(target);
            named += 1;
            if numbered(&title_of(&file)).0 != number {
                wrong.push(format!("{}: [chapter {number}]({target})", page.display()));
            }
        }
    }
    assert!(named > 90, "found only {named} of them");
    assert!(wrong.is_empty(), "another number:\n{}", wrong.join("\n"));
}

#[test]
fn the_pages_have_nothing_that_only_mdbook_understands() {
    let mut found = Vec::new();
    for page in files(&book(), "md") {
        let text = fs::read_to_string(&page).unwrap();
        found.extend(
            only_for_mdbook(&text).into_iter().map(|line| format!("{}: {line}", page.display())),
        );
    }
    assert!(found.is_empty(), "a repository browser would show it as it is:\n{}", found.join("\n"));
}

#[test]
fn what_only_mdbook_understands_is_recognised() {
    let page = "{{#include x}}\n# A {#a}\nword\n: meaning\n```rust,ignore\nlet a = 1;\n# hidden\n#[attribute]\n```\n```text\n# shown\n: so\n```\n";
    assert_eq!(
        only_for_mdbook(page),
        ["{{#include x}}", "# A {#a}", ": meaning", "```rust,ignore", "# hidden"]
    );
}

/// An entry of SUMMARY.md.
struct Entry {
    /// From its place in the list: `10.1`. Empty for what isn't a chapter.
    number: String,
    text: String,
    file: String,
}

fn contents() -> Vec<Entry> {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
    let (mut chapter, mut part) = (0, 0);
    let mut are_chapters = true;
    let mut entries = Vec::new();
    for line in summary.lines() {
        are_chapters &= !line.starts_with("# Labs");
        let Some((text, file)) = links(line).pop() else { continue };
        let number = match line.split('[').next() {
            Some("- ") if are_chapters => {
                (chapter, part) = (chapter + 1, 0);
                chapter.to_string()
            }
            Some("  - ") if are_chapters => {
                part += 1;
                format!("{chapter}.{part}")
            }
            _ => String::new(),
        };
        entries.push(Entry { number, text, file });
    }
    assert!(entries.len() > 50, "SUMMARY.md lists {} pages", entries.len());
    entries
}

/// `10.1. One write`, without the marks of code, which the contents can't have.
fn title(file: &str) -> String {
    title_of(&book().join(file))
}

fn title_of(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    text.lines().next().unwrap_or_default().trim_start_matches("# ").replace('`', "")
}

/// `10.1` and `One write`.
fn numbered(title: &str) -> (&str, &str) {
    match title.split_once(". ") {
        Some((number, rest)) if number.chars().all(|char| char.is_ascii_digit() || char == '.') => {
            (number, rest)
        }
        _ => ("", title),
    }
}

/// The words and targets of the links in a text.
fn links(text: &str) -> Vec<(String, String)> {
    let ends = text.match_indices("](");
    ends.filter_map(|(at, _)| {
        let words = text[..at].rsplit('[').next()?;
        let target = text[at + 2..].split(')').next()?;
        Some((words.to_owned(), target.to_owned()))
    })
    .collect()
}

/// The lines with an include, an attribute, a definition, a hidden line of Rust, or more than a language where a block begins.
fn only_for_mdbook(text: &str) -> Vec<String> {
    let mut block: Option<&str> = None;
    let mut found = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let is_its_own = if let Some(language) = trimmed.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language) };
            language.contains([',', '{'])
        } else if let Some(language) = block {
            language.starts_with("rust") && (trimmed == "#" || trimmed.starts_with("# "))
        } else {
            line.contains("{{#")
                || line.starts_with(": ")
                || line.starts_with('#') && line.contains("{#")
        };
        if is_its_own {
            found.push(line.to_owned());
        }
    }
    found
}
