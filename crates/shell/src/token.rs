//! The secret that a server and its clients beyond loopback share: the content of a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::screen::MAX_RAW_REQUEST;

/// The shortest token, in bytes: 16 random characters cannot be guessed over a network.
const SHORTEST: usize = 16;

/// The token in `file`, without the line break at its end.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, TokenError> {
    let mut token = Vec::new();
    // The longest with its line break, and one byte more to see that there is more. Not the whole
    // file: it may have no end.
    let most = MAX_RAW_REQUEST as u64 + 3;
    File::open(file)
        .and_then(|file| file.take(most).read_to_end(&mut token))
        .map_err(|error| TokenError::Unreadable(file.into(), error))?;
    for end in [b'\n', b'\r'] {
        token.pop_if(|last| *last == end);
    }
    match token.len() {
        ..SHORTEST => Err(TokenError::TooShort(file.into(), token.len())),
        SHORTEST..=MAX_RAW_REQUEST => Ok(token),
        _ => Err(TokenError::TooLong(file.into())),
    }
}

/// Why a token file cannot be used.
#[derive(Debug)]
pub enum TokenError {
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
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
            Self::TooShort(..) | Self::TooLong(_) => None,
        }
    }
}
