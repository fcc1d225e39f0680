//! What stands at the server's path before it comes, and whether it still does afterwards.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::connection::wait_writable;
use crate::{Broken, Fault, Trial};

/// The longest path of a Unix socket, in bytes: sun_path less the NUL that ends it. unix(7)
pub(super) const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

pub(super) fn leave_stale(trial: &Trial, path: &Path) -> Result<(), Broken> {
    let name = path.file_name().unwrap_or_default().display();
    trial.step(format!("a socket file that nobody listens on stands at {name}"));
    // Dropped, a listener does not remove its file.
    UnixListener::bind(path).map(drop).map_err(|e| Broken::machine("make a socket", e))
}

pub(super) fn path_of(folder: &Path, length: usize) -> PathBuf {
    let name = length.saturating_sub(folder.as_os_str().len() + 1);
    folder.join("s".repeat(name))
}

/// Which file stands there: its kind, its mode and its number.
pub(super) type Id = (u64, u32);

pub(super) fn id(path: &Path) -> Result<Id, Broken> {
    let found = fs::symlink_metadata(path).map_err(|e| Broken::machine("look at the file", e))?;
    Ok((found.ino(), found.mode()))
}

pub(super) fn same(path: &Path, was: Id) -> Result<(), Broken> {
    let what = match fs::symlink_metadata(path) {
        Ok(found) if (found.ino(), found.mode()) == was => return Ok(()),
        Ok(found) if found.ino() == was.0 => "its mode was changed",
        Ok(found) if found.file_type().is_socket() => "the program put a socket of its own there",
        Ok(_) => "something else stands there now",
        Err(_) => "it is gone: the program removed what was not its own",
    };
    let name = path.file_name().unwrap_or_default().display();
    Err(Broken::new(Fault::Rule, format!("{name}: {what}")))
}

pub(super) fn is_empty(folder: &Path) -> Result<(), Broken> {
    let mut found = fs::read_dir(folder).map_err(|e| Broken::machine("read a directory", e))?;
    match found.next() {
        None => Ok(()),
        Some(entry) => {
            let name = entry.map(|entry| entry.file_name()).unwrap_or_default();
            Err(Broken::new(Fault::Rule, format!("the program left a file: {}", name.display())))
        }
    }
}

/// Writes until nothing more fits, but no more than a program could be expected to keep.
pub(super) fn fill(mut peer: &UnixStream) -> io::Result<()> {
    peer.set_nonblocking(true)?;
    let chunk = [b'x'; 16 << 10];
    for _ in 0..(16 << 20) / chunk.len() {
        match peer.write(&chunk) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                // Full both ways: the program waits for room to write, or it is slow and will have to write later.
                if !wait_writable(&peer, Duration::from_millis(200)) {
                    return Ok(());
                }
            }
            // It closed: it may, the next peer decides.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
