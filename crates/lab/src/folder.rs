//! Finds the submissions in a folder.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::harmless::shown_name;

/// A folder to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the report calls it: `alice/echo`. No two are called alike (see [`shown_name`]).
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
}

/// The submissions in `dir`, in the order of their names.
///
/// 1. A folder with a `lab.toml` is a submission. If `dir` has one, it is the only one.
/// 2. Otherwise every folder in `dir` belongs to one student, who has handed in that folder or, if it has no `lab.toml`,
///    those in it that have: `alice/echo`, `alice/frames`.
/// 3. A student's folder without any is listed too: its report says what is missing. So is `dir` if it holds no folder.
///
/// Folders whose names begin with a dot are not looked at, and links are not followed: they could lead to the submission
/// of somebody else.
///
/// # Errors
/// When `dir` cannot be read.
pub fn find(dir: &Path) -> io::Result<Vec<Found>> {
    let students = folders(dir)?;
    if has_lab_file(dir) || students.is_empty() {
        let whole = dir.canonicalize()?;
        let name = whole.file_name().map_or_else(|| "submission".to_owned(), shown_name);
        return Ok(vec![Found { name, folder: dir.to_owned() }]);
    }
    let mut found = Vec::new();
    for student in students {
        let folder = dir.join(&student);
        let student = shown_name(&student);
        // One that cannot be read is judged like one that holds nothing: the report says why.
        let mut labs =
            if has_lab_file(&folder) { Vec::new() } else { folders(&folder).unwrap_or_default() };
        labs.retain(|lab| has_lab_file(&folder.join(lab)));
        if labs.is_empty() {
            found.push(Found { name: student, folder });
            continue;
        }
        found.extend(labs.iter().map(|lab| Found {
            name: format!("{student}/{}", shown_name(lab)),
            folder: folder.join(lab),
        }));
    }
    Ok(found)
}

fn has_lab_file(folder: &Path) -> bool {
    // One that is there but cannot be used is reported when it is read.
    !fs::symlink_metadata(folder.join("lab.toml"))
        .is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

fn folders(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.file_type()?.is_dir() {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;

    fn names(files: &[&str]) -> Vec<String> {
        let scratch = Scratch::new().unwrap();
        let dir = scratch.path().join("class");
        fs::create_dir(&dir).unwrap();
        for file in files {
            let file = dir.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        find(&dir).unwrap().into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn a_submission_is_named_by_its_folder() {
        assert_eq!(names(&["lab.toml", "src/lab.toml"]), ["class"]);
        assert_eq!(names(&["bob/lab.toml", "alice/lab.toml"]), ["alice", "bob"]);
        assert_eq!(
            names(&["alice/frames/lab.toml", "alice/echo/lab.toml", "alice/notes/a.txt"]),
            ["alice/echo", "alice/frames"]
        );
    }

    #[test]
    fn one_without_a_lab_file_is_not_skipped() {
        assert_eq!(names(&["alice/lab.toml", "bob/echo.py"]), ["alice", "bob"]);
        assert_eq!(names(&["echo.py"]), ["class"]);
    }

    #[test]
    fn hidden_folders_and_links_are_left_alone() {
        assert_eq!(names(&[".git/lab.toml", "alice/lab.toml"]), ["alice"]);
        let scratch = Scratch::new().unwrap();
        fs::create_dir_all(scratch.path().join("alice/echo")).unwrap();
        fs::write(scratch.path().join("alice/echo/lab.toml"), "").unwrap();
        fs::create_dir(scratch.path().join("mallory")).unwrap();
        std::os::unix::fs::symlink("../alice/echo", scratch.path().join("mallory/echo")).unwrap();
        let found = find(scratch.path()).unwrap();
        let names: Vec<_> = found.into_iter().map(|found| found.name).collect();
        assert_eq!(names, ["alice/echo", "mallory"]);
    }

    #[test]
    fn folders_that_differ_in_bytes_that_are_no_text_have_names_that_differ() {
        use std::os::unix::ffi::OsStrExt;
        let scratch = Scratch::new().unwrap();
        for name in [&b"caf\xe8"[..], b"caf\xe9", b"caf\\xe9", b"-j"] {
            let folder = scratch.path().join(std::ffi::OsStr::from_bytes(name));
            fs::create_dir_all(folder.join("echo")).unwrap();
            fs::write(folder.join("echo/lab.toml"), "").unwrap();
        }
        let found = find(scratch.path()).unwrap();
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["-j/echo", "caf\\x5cxe9/echo", "caf\\xe8/echo", "caf\\xe9/echo"]);
        let alone = find(&found[3].folder).unwrap();
        assert_eq!(alone[0].name, "echo");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(find(Path::new("/no/such/folder")).is_err());
    }
}
