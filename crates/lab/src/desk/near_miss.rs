//! What a folder has in place of a `lab.toml`: a file whose name is nearly right, an archive that is still packed, a
//! `lab.toml` in a folder further down.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use super::folder::made_by_a_tool;
use crate::verdict::{escape, shown_name};

/// How many files and folders we look at. A submission has dozens.
const LOOKED_AT: usize = 1000;
/// How many near misses we name.
const NAMED: usize = 3;

const ARCHIVES: [&str; 8] =
    [".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".7z", ".rar"];

/// What this folder has in place of a `lab.toml`, and what to do about it: a few sentences, closest files first.
pub fn near_misses(folder: &Path) -> Vec<String> {
    files(folder).iter().filter_map(|file| near_miss(file)).take(NAMED).collect()
}

fn near_miss(file: &Path) -> Option<String> {
    let name = shown_name(file.file_name()?);
    let shown = escape(&shown_name(file));
    let lower = name.to_lowercase();
    if ARCHIVES.iter().any(|ending| lower.ends_with(ending)) {
        Some(format!("{shown} is still packed: unpack it"))
    } else if name == "lab.toml" {
        let folder = escape(&shown_name(file.parent()?));
        Some(format!("there is one in {folder}: name or hand in that folder"))
    } else if is_nearly_lab_toml(&lower) {
        Some(format!("{shown} is nearly right: rename it to lab.toml"))
    } else {
        None
    }
}

/// `lab.tml`, `labs.toml`, `lab (1).toml`, `lab.toml.txt`: at most one letter is wrong, and an editor may have added an
/// ending that the desktop hides. A name that begins with a dot was made by a tool (`._lab.toml`).
fn is_nearly_lab_toml(lower: &str) -> bool {
    let name = lower.strip_suffix(".txt").unwrap_or(lower);
    let letters: Vec<char> = name.chars().filter(|char| char.is_alphabetic()).collect();
    let right: Vec<char> = "labtoml".chars().collect();
    let same = letters.iter().zip(&right).take_while(|(one, other)| one == other).count();
    let (letters, right) = (&letters[same..], &right[same..]);
    let same = letters.iter().rev().zip(right.iter().rev());
    let same = same.take_while(|(one, other)| one == other).count();
    !lower.starts_with('.') && letters.len().max(right.len()) - same <= 1
}

/// The files in a folder and further down, as paths from there, those closest to the top first.
fn files(top: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = VecDeque::from([PathBuf::new()]);
    let mut left = LOOKED_AT;
    while let Some(folder) = folders.pop_front() {
        // If a folder can't be read, there is nothing in it to name.
        for entry in fs::read_dir(top.join(&folder)).into_iter().flatten().flatten().take(left) {
            left -= 1;
            let path = folder.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && made_by_a_tool(&path) => {}
                Ok(kind) if kind.is_dir() => folders.push_back(path),
                _ => files.push(path),
            }
        }
    }
    files.sort_by_cached_key(|file| (file.components().count(), file.clone()));
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;

    /// What is said about a folder with these files.
    fn said(files: &[&str]) -> Vec<String> {
        let scratch = Scratch::new().unwrap();
        for file in files {
            let file = scratch.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        near_misses(scratch.path())
    }

    #[test]
    fn a_name_that_is_nearly_right_is_named() {
        for file in [
            "LAB.TOML",
            "Lab.toml",
            "lab (1).toml",
            "lab.tml",
            "lab.tom",
            "lab.toml.TXT",
            "lab.toml.txt",
            "lab.toml~",
            "lab.tomll",
            "lab_toml",
            "labs.toml",
            "lap.toml",
            "sub/Lab.toml",
        ] {
            let expected = format!("{file} is nearly right: rename it to lab.toml");
            assert_eq!(said(&[file]), [expected], "{file}");
        }
    }

    #[test]
    fn an_archive_is_still_packed() {
        for file in ["echo.zip", "ECHO.ZIP", "a.tar.gz", "a.tgz", "a.7z", "lab.tar", "sub/a.zip"] {
            assert_eq!(said(&[file]), [format!("{file} is still packed: unpack it")], "{file}");
        }
    }

    #[test]
    fn a_lab_file_further_down_is_named_by_its_folder() {
        assert_eq!(
            said(&["a/b/c/d/lab.toml"]),
            ["there is one in a/b/c/d: name or hand in that folder"]
        );
    }

    #[test]
    fn other_names_are_no_near_misses() {
        for file in [
            "._lab.toml",
            "Cargo.toml",
            "__MACOSX/echo.zip",
            ".git/lab.toml",
            "lab",
            "lab-progress.toml",
            "lab.html",
            "lab.py",
            "lab.txt",
            "lab.yaml",
            "node_modules/a/lab.toml",
            "pyproject.toml",
            "tar.py",
            "lab.tml/a",
        ] {
            assert!(said(&[file]).is_empty(), "{file}");
        }
    }

    #[test]
    fn the_nearest_come_first_and_not_all_are_named() {
        assert_eq!(
            said(&["b.zip", "a/Lab.toml", "c.zip", "a/b/lab.toml", "echo.py"]),
            [
                "b.zip is still packed: unpack it",
                "c.zip is still packed: unpack it",
                "a/Lab.toml is nearly right: rename it to lab.toml",
            ]
        );
    }

    #[test]
    fn a_name_cannot_paint_over_a_terminal() {
        assert_eq!(said(&["\u{1b}[2J\n.zip"]), ["\\u{1b}[2J\\n.zip is still packed: unpack it"]);
    }

    #[test]
    fn a_folder_that_is_not_there_has_none_and_a_large_one_is_not_read_to_its_end() {
        assert!(near_misses(Path::new("/no/such/folder")).is_empty());
        let scratch = Scratch::new().unwrap();
        for number in 0..LOOKED_AT + 10 {
            fs::write(scratch.path().join(number.to_string()), "").unwrap();
        }
        assert_eq!(files(scratch.path()).len(), LOOKED_AT);
    }
}
