//! The file in which progress is recorded. It may be in a folder that anybody can write to, such as `/tmp`. So we read
//! it only if it is a small regular file of ours, and never replace anybody else's file.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{process, thread};

use rustix::process::geteuid;

use super::small_file::{SmallFile, small_file};
use crate::verdict::shown_name;

/// The file's name.
pub const PROGRESS_FILE: &str = "lab-progress.toml";

/// Nine labs have nine short tables. Anything longer than this wasn't written by us.
const MOST: u64 = 64 << 10;

/// How long we wait for another `lab` that is writing at the moment. Anybody who can read the folder could hold its
/// lock for longer.
const LOCK: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct ProgressFile {
    folder: PathBuf,
    /// The user who has to own it.
    user: u32,
}

/// What is at the path of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Nothing,
    Ours(Vec<u8>),
    /// Something else; the text says what.
    Other(String),
}

impl ProgressFile {
    pub fn in_folder(folder: &Path) -> ProgressFile {
        ProgressFile { folder: folder.to_owned(), user: geteuid().as_raw() }
    }

    /// The file in the nearest folder, from this one upwards, that has one of ours, or else a new file in this folder.
    pub fn nearest(here: &Path) -> ProgressFile {
        let user = geteuid().as_raw();
        let ours = |folder: &&Path| {
            let found = fs::symlink_metadata(folder.join(PROGRESS_FILE));
            found.is_ok_and(|found| found.is_file() && found.uid() == user)
        };
        let folder = here.ancestors().find(ours).unwrap_or(here).to_owned();
        ProgressFile { folder, user }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join(PROGRESS_FILE)
    }

    /// Locks the folder, not the file: each write replaces the file with a new one.
    pub fn lock(&self) -> io::Result<File> {
        self.lock_within(LOCK)
    }

    fn lock_within(&self, within: Duration) -> io::Result<File> {
        let (folder, deadline) = (File::open(&self.folder)?, Instant::now() + within);
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(folder),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(
                        ErrorKind::TimedOut,
                        format!("another program keeps {} locked", shown_name(&self.folder)),
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    pub fn read(&self) -> io::Result<Kept> {
        match small_file(&self.path(), MOST) {
            Ok(SmallFile { metadata, .. }) if metadata.uid() != self.user => {
                Ok(Kept::Other(format!("it belongs to another user (number {})", metadata.uid())))
            }
            Ok(SmallFile { bytes, .. }) => Ok(Kept::Ours(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Kept::Nothing),
            // This message is ours, not the system's: it says what is there instead.
            Err(error) if error.raw_os_error().is_none() => Ok(Kept::Other(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Renames the file to the first free name.
    pub fn set_aside(&self) -> io::Result<PathBuf> {
        for number in 1..=999 {
            let kept = self.folder.join(format!("lab-progress.damaged-{number}.toml"));
            match move_to_free(&self.path(), &kept) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                result => return result.map(|()| kept),
            }
        }
        Err(io::Error::other("999 damaged files are here already"))
    }

    /// Replaces the whole file, under the lock. `before` is what was read there.
    pub fn write(&self, text: &str, before: &Kept) -> io::Result<()> {
        if let Kept::Other(what) = before {
            return Err(io::Error::other(what.clone()));
        }
        let (mut file, beside) = self.create_beside()?;
        let written = file.write_all(text.as_bytes()).and_then(|()| match before {
            Kept::Nothing => move_to_free(&beside, &self.path()),
            _ => fs::rename(&beside, self.path()),
        });
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    /// A new file. If somebody else has put a file or a link there, it is not written to.
    fn create_beside(&self) -> io::Result<(File, PathBuf)> {
        let mut number = 0;
        loop {
            let path = self.folder.join(format!(".{PROGRESS_FILE}.{}.{number}", process::id()));
            match File::create_new(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => {
                    number += 1
                }
                result => return result.map(|file| (file, path)),
            }
        }
    }
}

/// Renames a file without replacing anything.
fn move_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Not every file system supports hard links.
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;
    use std::os::unix::fs::symlink;

    fn file(scratch: &Scratch) -> ProgressFile {
        ProgressFile::in_folder(scratch.path())
    }

    /// The names in the folder, sorted.
    fn names(scratch: &Scratch) -> Vec<String> {
        let entries = fs::read_dir(scratch.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_a_small_regular_file_of_ours_is_read() {
        let scratch = Scratch::new().unwrap();
        let mut file = file(&scratch);
        assert_eq!(file.read().unwrap(), Kept::Nothing);
        fs::write(file.path(), "text").unwrap();
        assert_eq!(file.read().unwrap(), Kept::Ours(b"text".to_vec()));
        file.user += 1;
        let Kept::Other(what) = file.read().unwrap() else {
            panic!("another user's file was read")
        };
        assert_eq!(what, format!("it belongs to another user (number {})", file.user - 1));
        file.user -= 1;
        fs::write(file.path(), "#".repeat(70_000)).unwrap();
        assert_eq!(file.read().unwrap(), Kept::Other("it has more than 65536 bytes".to_owned()));
    }

    #[test]
    fn a_fifo_a_link_and_a_folder_are_neither_read_nor_replaced() {
        let scratch = Scratch::new().unwrap();
        let file = file(&scratch);
        let refused = |what: &str| {
            let kept = file.read().unwrap();
            assert_eq!(kept, Kept::Other(what.to_owned()));
            assert_eq!(file.write("new", &kept).unwrap_err().to_string(), what);
            assert_eq!(names(&scratch), [PROGRESS_FILE]);
        };
        assert!(process::Command::new("mkfifo").arg(file.path()).status().unwrap().success());
        refused("it is a FIFO");
        fs::remove_file(file.path()).unwrap();
        symlink("nowhere", file.path()).unwrap();
        refused("it is a link");
        fs::remove_file(file.path()).unwrap();
        fs::create_dir(file.path()).unwrap();
        refused("it is a folder");
    }

    #[test]
    fn what_somebody_puts_there_meanwhile_is_not_replaced() {
        let scratch = Scratch::new().unwrap();
        let file = file(&scratch);
        let before = file.read().unwrap();
        fs::write(file.path(), "theirs").unwrap();
        assert_eq!(file.write("ours", &before).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "theirs");
        assert_eq!(names(&scratch), [PROGRESS_FILE]);
        // A file that was ours when it was read may be replaced.
        let before = file.read().unwrap();
        file.write("ours", &before).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "ours");
        assert_eq!(names(&scratch), [PROGRESS_FILE]);
    }

    #[test]
    fn a_link_that_waits_where_we_write_is_not_followed() {
        let scratch = Scratch::new().unwrap();
        let file = file(&scratch);
        let victim = scratch.path().join("victim");
        fs::write(&victim, "work").unwrap();
        let trap = format!(".{PROGRESS_FILE}.{}.0", process::id());
        symlink("victim", scratch.path().join(&trap)).unwrap();
        file.write("ours", &Kept::Nothing).unwrap();
        assert_eq!(fs::read_to_string(victim).unwrap(), "work");
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "ours");
        assert_eq!(names(&scratch), [trap.as_str(), PROGRESS_FILE, "victim"]);
    }

    #[test]
    fn a_name_that_is_taken_is_not_replaced_when_a_file_is_set_aside() {
        let scratch = Scratch::new().unwrap();
        let file = file(&scratch);
        fs::write(file.path(), "damaged").unwrap();
        symlink("nowhere", scratch.path().join("lab-progress.damaged-1.toml")).unwrap();
        let kept = file.set_aside().unwrap();
        assert!(kept.ends_with("lab-progress.damaged-2.toml"), "{}", kept.display());
        assert_eq!(fs::read_to_string(kept).unwrap(), "damaged");
        assert!(!file.path().exists());
    }

    #[test]
    fn a_lock_that_somebody_keeps_is_not_waited_for_without_end() {
        let scratch = Scratch::new().unwrap();
        let file = file(&scratch);
        let theirs = file.lock().unwrap();
        let error = file.lock_within(Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("another program keeps "), "{error}");
        drop(theirs);
        file.lock_within(Duration::ZERO).unwrap();
    }

    #[test]
    fn the_nearest_file_of_ours_counts_and_what_is_none_is_passed_over() {
        let scratch = Scratch::new().unwrap();
        let below = scratch.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(ProgressFile::nearest(&below).folder, below);
        fs::write(scratch.path().join(PROGRESS_FILE), "").unwrap();
        symlink("nowhere", scratch.path().join("a").join(PROGRESS_FILE)).unwrap();
        assert_eq!(ProgressFile::nearest(&below).folder, scratch.path());
    }
}
