//! Finds the submissions in a folder.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::verdict::shown_name;

/// How many levels below a student's own folder a submission may lie: `ann/echo` is one, `ann/ann-main/echo` two, because
/// unpacking a zip file often adds a folder.
const DEEPEST: usize = 2;

/// Folders that tools make beside the work, spelled the way the tools spell them. A name that a student might choose is
/// not in the list, even if a tool uses it (`bin`). Names that begin with a dot (`.git`, `.venv`, `.idea`) don't need
/// to be in it.
const MADE_BY_TOOLS: [&str; 9] = [
    "__MACOSX",     // zip on a Mac
    "__pycache__",  // Python
    "build",        // CMake, Gradle, setuptools
    "dist",         // Python and JavaScript packaging
    "env",          // a Python virtual environment
    "lost+found",   // the top of a file system
    "node_modules", // npm
    "target",       // Cargo, Maven
    "venv",         // a Python virtual environment
];

/// A folder to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the report calls it: `alice/echo`. No two have the same name (see [`shown_name`]).
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
}

/// What there is to judge.
#[derive(Debug, Default)]
pub struct Submissions {
    /// In the order of their names.
    pub found: Vec<Found>,
    /// The names of the other folders that we looked at.
    pub passed_over: Vec<String>,
}

/// Whose work a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A class: each folder in it belongs to one student.
    Class,
    /// One student.
    Student,
}

/// The submissions in `dir`.
///
/// 1. A folder with a `lab.toml` is a submission. If `dir` has one, it is the only one.
/// 2. A student's submissions are those closest to the top: the student's folder if it has a `lab.toml`, or the folders
///    in it that have one, or else those one level further down. The folders beside them are skipped.
/// 3. In a class, a student's folder without a submission is listed too, and its report says what is missing. Only a
///    folder made by a tool is skipped.
/// 4. If there is no submission at all, `dir` itself is listed.
///
/// The folders inside a folder made by a tool are not looked at. Links are not followed: they could lead to somebody
/// else's submission.
///
/// # Errors
/// When `dir` cannot be read.
pub fn find_submissions(dir: &Path, owner: Owner) -> io::Result<Submissions> {
    let folders = folders(dir, "")?;
    let name = dir.canonicalize()?.file_name().map_or_else(|| "submission".to_owned(), shown_name);
    let whole = Found { name, folder: dir.to_owned() };
    if whole.has_lab_file() {
        return Ok(Submissions { found: vec![whole], ..Submissions::default() });
    }
    let mut all = match owner {
        Owner::Student => nearest(folders, DEEPEST - 1),
        Owner::Class => of_class(folders),
    };
    if all.found.is_empty() {
        all.found.push(whole);
    }
    Ok(all)
}

fn of_class(students: Vec<Found>) -> Submissions {
    let mut all = Submissions::default();
    for student in students {
        let theirs = nearest(vec![student.clone()], DEEPEST);
        if theirs.found.is_empty() && !made_by_a_tool(&student.folder) {
            all.found.push(student);
        } else {
            all.add(theirs);
        }
    }
    all
}

/// The folders that have a `lab.toml`. If none has one, the closest such folders inside each of them, at most this many
/// levels further down.
fn nearest(folders: Vec<Found>, levels: usize) -> Submissions {
    let (found, others): (Vec<_>, Vec<_>) = folders.into_iter().partition(Found::has_lab_file);
    let search = found.is_empty() && levels > 0;
    let mut all = Submissions { found, ..Submissions::default() };
    for other in others {
        let inside =
            if search { nearest(other.folders(), levels - 1) } else { Submissions::default() };
        if inside.found.is_empty() {
            all.passed_over.push(other.name);
        } else {
            all.add(inside);
        }
    }
    all
}

impl Submissions {
    fn add(&mut self, more: Submissions) {
        self.found.extend(more.found);
        self.passed_over.extend(more.passed_over);
    }
}

impl Found {
    fn has_lab_file(&self) -> bool {
        // If there is a file that can't be used, that is reported when it is read.
        !fs::symlink_metadata(self.folder.join("lab.toml")).is_err_and(|error| {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        })
    }

    /// The folders in it that can be a student's. A folder that can't be read counts as empty here; the report says
    /// why.
    fn folders(&self) -> Vec<Found> {
        if made_by_a_tool(&self.folder) {
            return Vec::new();
        }
        folders(&self.folder, &format!("{}/", self.name)).unwrap_or_default()
    }
}

/// Whether the folder's name says that a tool made it, not a student.
pub(crate) fn made_by_a_tool(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".") || MADE_BY_TOOLS.iter().any(|made| name == *made)
}

/// The folders in `dir`, in the order of their names. The prefix goes before each name.
fn folders(dir: &Path, prefix: &str) -> io::Result<Vec<Found>> {
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name());
        }
    }
    names.sort();
    let found = |name: &OsString| Found {
        name: format!("{prefix}{}", shown_name(name)),
        folder: dir.join(name),
    };
    Ok(names.iter().map(found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;

    /// What is found in a folder `class` with these files, and what is skipped.
    fn search(owner: Owner, files: &str) -> (String, String) {
        let scratch = Scratch::new().unwrap();
        let dir = scratch.path().join("class");
        fs::create_dir(&dir).unwrap();
        for file in files.split_whitespace() {
            let file = dir.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let all = find_submissions(&dir, owner).unwrap();
        let names: Vec<_> = all.found.into_iter().map(|found| found.name).collect();
        (names.join(" "), all.passed_over.join(" "))
    }

    fn check(owner: Owner, rows: &[(&str, &str, &str)]) {
        for (files, found, passed_over) in rows {
            let expected = ((*found).to_owned(), (*passed_over).to_owned());
            assert_eq!(search(owner, files), expected, "{files}");
        }
    }

    #[test]
    fn a_submission_is_named_by_its_folder() {
        for owner in [Owner::Class, Owner::Student] {
            check(
                owner,
                &[
                    ("lab.toml src/lab.toml docs/a", "class", ""),
                    ("bob/lab.toml alice/lab.toml", "alice bob", ""),
                    ("alice/frames/lab.toml alice/echo/lab.toml", "alice/echo alice/frames", ""),
                ],
            );
        }
    }

    #[test]
    fn a_student_without_a_lab_file_is_listed_whatever_lies_beside() {
        check(
            Owner::Class,
            &[
                ("alice/lab.toml bob/echo.py", "alice bob", ""),
                ("alice/echo/lab.toml docs/a bin/a", "alice/echo bin docs", ""),
                ("alice/target/lab.tom bob/.git/a", "alice bob", ""),
                ("echo.py", "class", ""),
            ],
        );
    }

    #[test]
    fn what_tools_make_is_no_student_and_is_named() {
        check(
            Owner::Class,
            &[
                (
                    "__MACOSX/ann/._lab.toml .git/config ann/lab.toml node_modules/a venv/a",
                    "ann",
                    ".git __MACOSX node_modules venv",
                ),
                (
                    "build/a dist/a env/a lost+found/a target/a __pycache__/a .idea/a .venv/a bob/a",
                    "bob",
                    ".idea .venv __pycache__ build dist env lost+found target",
                ),
                ("echo.py target/a", "class", "target"),
            ],
        );
    }

    #[test]
    fn with_a_lab_file_in_it_a_folder_is_a_submission_whatever_it_is_called() {
        for owner in [Owner::Class, Owner::Student] {
            check(owner, &[("ann/lab.toml target/lab.toml .bob/lab.toml", ".bob ann target", "")]);
        }
    }

    #[test]
    fn what_tools_make_is_not_searched() {
        check(
            Owner::Class,
            &[
                (
                    "ann/lab.toml .Trash/ann/lab.toml target/package/lab.toml",
                    "ann",
                    ".Trash target",
                ),
                ("ann/target/package/lab.toml", "ann", ""),
            ],
        );
    }

    #[test]
    fn beside_a_students_submission_other_folders_are_passed_over_by_name() {
        check(
            Owner::Student,
            &[
                ("echo/lab.toml docs/a __MACOSX/a .git/a", "echo", ".git __MACOSX docs"),
                ("echo/lab.toml old/echo/lab.toml", "echo", "old"),
                ("work/echo/lab.toml work/docs/a notes/a", "work/echo", "notes work/docs"),
                ("echo/echo.py docs/a", "class", "docs echo"),
            ],
        );
        check(
            Owner::Class,
            &[
                (
                    "alice/echo/lab.toml alice/notes/a alice/.git/a",
                    "alice/echo",
                    "alice/.git alice/notes",
                ),
                ("alice/echo/lab.toml alice/old/echo/lab.toml", "alice/echo", "alice/old"),
            ],
        );
    }

    #[test]
    fn one_more_folder_around_the_submissions_does_no_harm_two_do() {
        check(
            Owner::Class,
            &[
                ("ann/ann-main/lab.toml ann/__MACOSX/a", "ann/ann-main", "ann/__MACOSX"),
                (
                    "ann/ann-main/echo/lab.toml ann/ann-main/docs/a ann/notes/a",
                    "ann/ann-main/echo",
                    "ann/ann-main/docs ann/notes",
                ),
                ("ann/ann/ann/echo/lab.toml", "ann", ""),
            ],
        );
        check(Owner::Student, &[("ann-main/echo/lab.toml", "ann-main/echo", "")]);
        check(Owner::Student, &[("ann/ann-main/echo/lab.toml", "class", "ann")]);
    }

    #[test]
    fn links_are_not_followed() {
        let scratch = Scratch::new().unwrap();
        fs::create_dir_all(scratch.path().join("alice/echo")).unwrap();
        fs::write(scratch.path().join("alice/echo/lab.toml"), "").unwrap();
        fs::create_dir(scratch.path().join("mallory")).unwrap();
        std::os::unix::fs::symlink("../alice/echo", scratch.path().join("mallory/echo")).unwrap();
        let all = find_submissions(scratch.path(), Owner::Class).unwrap();
        let names: Vec<_> = all.found.into_iter().map(|found| found.name).collect();
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
        let found = find_submissions(scratch.path(), Owner::Class).unwrap().found;
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["-j/echo", "caf\\x5cxe9/echo", "caf\\xe8/echo", "caf\\xe9/echo"]);
        let alone = find_submissions(&found[3].folder, Owner::Class).unwrap().found;
        assert_eq!(alone[0].name, "echo");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(find_submissions(Path::new("/no/such/folder"), Owner::Student).is_err());
    }
}
