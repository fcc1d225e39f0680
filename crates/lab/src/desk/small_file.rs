//! Reads a small file that somebody else may have put there. It could be a FIFO that nobody writes to, a device, a link
//! to somebody else's file, or a file without end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// A regular file, read to its end.
#[derive(Debug)]
pub(crate) struct SmallFile {
    pub bytes: Vec<u8>,
    /// The metadata of the very file that was read.
    pub metadata: Metadata,
}

/// Reads the file at a path, if it is a regular file of at most `most` bytes. Never waits, and follows no link.
///
/// # Errors
/// What is there instead ("it is a FIFO"), or what the system says.
pub(crate) fn small_file(path: &Path, most: u64) -> io::Result<SmallFile> {
    // We look before we open it: opening a device may already have an effect.
    let found = fs::symlink_metadata(path)?;
    regular(&found)?;
    let file = open(path)?;
    // And again, because it may be a different file by now.
    let metadata = file.metadata()?;
    regular(&metadata)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(SmallFile { bytes, metadata })
}

fn open(path: &Path) -> io::Result<File> {
    // O_NONBLOCK: a FIFO opens at once, without a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn regular(found: &Metadata) -> io::Result<()> {
    let kind = found.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_symlink() => "a link",
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(io::Error::other(format!("it is {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stage::Scratch;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn refused(path: &Path) -> String {
        small_file(path, 10).unwrap_err().to_string()
    }

    #[test]
    fn only_a_small_regular_file_is_read() {
        let scratch = Scratch::new().unwrap();
        let path = |name: &str| scratch.path().join(name);
        fs::write(path("small"), "0123456789").unwrap();
        let read = small_file(&path("small"), 10).unwrap();
        assert_eq!((read.bytes.as_slice(), read.metadata.len()), (&b"0123456789"[..], 10));
        fs::write(path("large"), "0123456789+").unwrap();
        assert_eq!(refused(&path("large")), "it has more than 10 bytes");
        assert_eq!(small_file(&path("none"), 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_regular_file_is_named_and_not_waited_for() {
        let scratch = Scratch::new().unwrap();
        let path = |name: &str| scratch.path().join(name);
        fs::write(path("file"), "").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("nothing", path("dangling")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
        let _socket = UnixListener::bind(path("socket")).unwrap();
        assert_eq!(refused(&path("link")), "it is a link");
        assert_eq!(refused(&path("dangling")), "it is a link");
        assert_eq!(refused(&path("fifo")), "it is a FIFO");
        assert_eq!(refused(&path("socket")), "it is a socket");
        assert_eq!(refused(scratch.path()), "it is a folder");
        assert_eq!(refused(Path::new("/dev/zero")), "it is a device");
    }

    #[test]
    fn a_file_that_became_something_else_meanwhile_is_not_waited_for() {
        let scratch = Scratch::new().unwrap();
        let path = |name: &str| scratch.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
        // As if it had been a regular file when we looked at it.
        let opened = open(&path("fifo")).unwrap();
        assert_eq!(regular(&opened.metadata().unwrap()).unwrap_err().to_string(), "it is a FIFO");
        fs::write(path("file"), "").unwrap();
        symlink("file", path("link")).unwrap();
        assert!(open(&path("link")).is_err());
    }
}
