//! Where the report of a grading goes. It is written when no program of a submission is running any more. Whatever such
//! a program did before to the file or its name either has no effect or is noticed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

use lab::shown_name;
use rustix::fs::{FileType, fstat};

pub enum Output {
    /// How large it was, if it is a file.
    Stdout(Option<i64>),
    /// The folder, found before any submission ran, and the file's name.
    File(PathBuf, PathBuf),
    /// A FIFO or a terminal, for example: it isn't a file, so it can't be replaced.
    Other(File),
}

impl Output {
    /// Finds out now whether the report can be written there, not after an hour of grading.
    pub fn new(file: Option<&Path>) -> io::Result<Output> {
        match file {
            None => Ok(Output::Stdout(size_of_stdout()?)),
            Some(path) => Output::file(path).map_err(|error| named(path, &error)),
        }
    }

    fn file(path: &Path) -> io::Result<Output> {
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Ok(Output::Other(File::options().write(true).open(path)?));
        }
        let path = if path.exists() { path.canonicalize()? } else { path.to_owned() };
        let name = path.file_name().ok_or(ErrorKind::IsADirectory)?;
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
        let (_, beside) = create_beside(&folder)?;
        fs::remove_file(beside)?;
        Ok(Output::File(folder, name.into()))
    }

    /// Writes the report. The error says what is wrong with the file that is there now.
    pub fn write(self, report: &[u8]) -> io::Result<()> {
        match self {
            Output::Stdout(before) => {
                let meddled = meddled(before)?;
                let mut stdout = io::stdout();
                stdout.write_all(report)?;
                stdout.flush()?;
                meddled.map_or(Ok(()), |why| Err(io::Error::other(why)))
            }
            Output::File(folder, name) => {
                let path = folder.join(name);
                replace(&folder, &path, report).map_err(|error| named(&path, &error))
            }
            Output::Other(mut file) => file.write_all(report),
        }
    }
}

/// A new file in the folder, which nobody else has opened.
fn create_beside(folder: &Path) -> io::Result<(File, PathBuf)> {
    let mut number = 0;
    loop {
        let path = folder.join(format!(".lab-report.{}.{number}", process::id()));
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => number += 1,
            result => return result.map(|file| (file, path)),
        }
    }
}

fn replace(folder: &Path, path: &Path, report: &[u8]) -> io::Result<()> {
    let (mut file, beside) = create_beside(folder)?;
    let written = file.write_all(report).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written
}

fn size_of_stdout() -> io::Result<Option<i64>> {
    let found = fstat(io::stdout())?;
    let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
    Ok(is_file.then_some(found.st_size))
}

/// Whether somebody has changed the file that is our standard output: `lab grade class >grades.csv`.
fn meddled(before: Option<i64>) -> io::Result<Option<&'static str>> {
    let (Some(before), found) = (before, fstat(io::stdout())?) else { return Ok(None) };
    if found.st_nlink == 0 {
        return Ok(Some(
            "the report is lost: the file that standard output was sent to has been removed or replaced, and the file \
             that now has its name isn't the report. Grade again with --output",
        ));
    }
    if found.st_size != before {
        return Ok(Some(
            "don't trust the report: something else has written into the file that standard output was sent to. Grade \
             again with --output",
        ));
    }
    Ok(None)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", shown_name(path)))
}
