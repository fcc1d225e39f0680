//! A part of a page that a test writes: it stands between two marks.

use std::path::Path;
use std::{env, fs};

/// Compares what stands between the marks `name` of a page under docs/src/labs; with REWRITE=1, writes it there.
pub fn between_the_marks(page: &str, name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/labs").join(page);
    let text = fs::read_to_string(&path).unwrap();
    let (from, to) = (format!("<!-- {name}: "), format!("<!-- end of the {name} -->"));
    let start = text.find(&from).and_then(|at| Some(at + text[at..].find('\n')? + 1));
    let start = start.unwrap_or_else(|| panic!("{page} has no line {from}"));
    let end = text[start..].find(&to).unwrap_or_else(|| panic!("{page} has no line {to}"));
    let shown = &text[start..start + end];
    if env::var_os("REWRITE").is_some() {
        fs::write(&path, [&text[..start], wanted, &text[start + end..]].concat()).unwrap();
    } else {
        assert!(shown == wanted, "docs/src/labs/{page}: REWRITE=1 writes this:\n{wanted}");
    }
}
