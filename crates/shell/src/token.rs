//! The secret that a server and its clients beyond loopback share: the content of a file.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::refusal::MAX_RAW_REQUEST;

/// The shortest token, in bytes: 16 random characters cannot be guessed over a network.
const SHORTEST: usize = 16;

/// The token in `file`, without the line break at its end. As ssh does with a private key, it
/// refuses a file that others can read or change.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, TokenError> {
    let mut token = Vec::new();
    // The longest with its line break, and one byte more to see that there is more. Not the whole
    // file: it may have no end.
    let most = MAX_RAW_REQUEST as u64 + 3;
    let unreadable = |error| TokenError::Unreadable(file.into(), error);
    // Without blocking: a FIFO would make us wait for a writer.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened =
        OpenOptions::new().read(true).custom_flags(flags).open(file).map_err(unreadable)?;
    // Check the open file, not its name: the name may mean another file a moment later.
    let found = opened.metadata().map_err(unreadable)?;
    if !found.is_file() {
        return Err(unreadable(io::Error::other("it isn't a regular file")));
    }
    if found.mode() & 0o077 != 0 {
        return Err(TokenError::Exposed(file.into(), found.mode() & 0o777));
    }
    if !is_trusted(found.uid(), rustix::process::geteuid().as_raw()) {
        return Err(TokenError::NotOurs(file.into()));
    }
    opened.take(most).read_to_end(&mut token).map_err(unreadable)?;
    for end in [b'\n', b'\r'] {
        token.pop_if(|last| *last == end);
    }
    match token.len() {
        ..SHORTEST => Err(TokenError::TooShort(file.into(), token.len())),
        SHORTEST..=MAX_RAW_REQUEST => Ok(token),
        _ => Err(TokenError::TooLong(file.into())),
    }
}

/// Whether a file of this owner can hold our secret: it must be our own, or root's.
fn is_trusted(owner: u32, us: u32) -> bool {
    owner == us || owner == 0
}

/// Why a token file cannot be used.
#[derive(Debug)]
pub enum TokenError {
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// Others can read or change it: its mode.
    Exposed(PathBuf, u32),
    /// It belongs to another user, who can read and change it.
    NotOurs(PathBuf),
    /// It has only this many bytes.
    TooShort(PathBuf, usize),
    /// It does not fit in one raw request.
    TooLong(PathBuf),
}

impl fmt::Display for TokenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let make_one = "make one with `head -c 24 /dev/urandom | base64`";
        match self {
            Self::Unreadable(file, error) => {
                write!(out, "cannot read the token file {}: {error}", file.display())
            }
            Self::Exposed(file, mode) => {
                let file = file.display();
                write!(
                    out,
                    "others can use the token file {file} (mode {mode:04o}): chmod 600 {file}"
                )
            }
            Self::NotOurs(file) => {
                write!(out, "the token file {} belongs to another user: {make_one}", file.display())
            }
            Self::TooShort(file, len) => {
                write!(
                    out,
                    "the token in {} has {len} bytes, and needs {SHORTEST}: {make_one}",
                    file.display()
                )
            }
            Self::TooLong(file) => {
                write!(
                    out,
                    "the token in {} has more than {MAX_RAW_REQUEST} bytes: {make_one}",
                    file.display()
                )
            }
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(_, error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_is_ours_or_root_s() {
        assert!(is_trusted(1000, 1000) && is_trusted(0, 1000) && is_trusted(0, 0));
        assert!(!is_trusted(1001, 1000) && !is_trusted(1000, 0));
    }
}
