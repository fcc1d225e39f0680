//! A private place for a run's trace files and Unix sockets.

use crate::StageError;
use crate::running::registry;
use ending::Tied;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// Room for a socket's name below it: the path of a Unix socket has at most 103 bytes on macOS, 107 on Linux.
const LONGEST: usize = 70;

/// A temporary directory that only this user can enter (mode 0700), removed with everything in it when dropped, or when
/// this process ends in any other way.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    /// What removes it when this process is killed; dropped after it has been removed.
    _tied: Tied,
}

impl Scratch {
    /// Makes the directory, at a path of at most 80 bytes.
    ///
    /// # Errors
    /// [`StageError::Scratch`] when the system refuses, the watchdog too ([`ending::tie_folder`]).
    pub fn new() -> Result<Scratch, StageError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let parent = Some(env::temp_dir()).filter(|path| path.as_os_str().len() <= LONGEST - 20);
        let parent = parent.unwrap_or_else(|| PathBuf::from("/tmp"));
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("stage-{}-{number}", process::id()));
            // Tied before it exists: otherwise a `kill -9` in between would leave it. A name with our own number is ours.
            let tied = ending::tie_folder(&path);
            let _tied =
                tied.map_err(|source| StageError::Scratch { path: path.clone(), source })?;
            // Made, never taken over: one that is already there is somebody else's, or was left by a run that was killed.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    registry().scratch.push(path.clone());
                    return Ok(Scratch { path, _tied });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(StageError::Scratch { path, source }),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        registry().scratch.retain(|path| *path != self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_private_unique_short_and_gone_afterwards() {
        let (one, two) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(one.path(), two.path());
        assert!(one.path().as_os_str().len() <= LONGEST);
        assert_eq!(fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir(one.path().join("inner")).unwrap();
        fs::write(one.path().join("inner/file"), "text").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
        assert!(two.path().exists());
    }
}
