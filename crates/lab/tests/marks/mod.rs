//! A part of a page that a test writes: everything between two marks.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Compares the text between the marks `name` of a page under docs/src/labs; with REWRITE=1, writes it there.
pub fn between_the_marks(page: &str, name: &str, wanted: &str) {
    let (head, shown, tail) = cut(page, name);
    if env::var_os("REWRITE").is_some() {
        fs::write(path(page), [&head, wanted, &tail].concat()).unwrap();
    } else {
        assert!(shown == wanted, "docs/src/labs/{page}: REWRITE=1 writes this:\n{wanted}");
    }
}

/// The text between the marks.
#[allow(dead_code, reason = "not every test that has this module needs it")]
pub fn shown_between_the_marks(page: &str, name: &str) -> String {
    cut(page, name).1
}

/// The text before, between and after the marks.
fn cut(page: &str, name: &str) -> (String, String, String) {
    let text = fs::read_to_string(path(page)).unwrap();
    let (from, to) = (format!("<!-- {name}: "), format!("<!-- end of the {name} -->"));
    let start = text.find(&from).and_then(|at| Some(at + text[at..].find('\n')? + 1));
    let start = start.unwrap_or_else(|| panic!("{page} has no line {from}"));
    let end = text[start..].find(&to).unwrap_or_else(|| panic!("{page} has no line {to}"));
    let (shown, tail) = text[start..].split_at(end);
    (text[..start].to_owned(), shown.to_owned(), tail.to_owned())
}

fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/labs").join(page)
}
