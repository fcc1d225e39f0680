//! Where the pages are that the tests read.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the whole repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the book's Markdown.
pub fn book() -> PathBuf {
    root().join("docs/src")
}

/// All files with this extension in a folder and in those below it.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true if path.ends_with("target") => Vec::new(),
        true => files(&path, extension),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}
