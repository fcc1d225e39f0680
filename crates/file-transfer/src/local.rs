//! The file that is to be sent.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::{Offer, Progress, checksum_of};

/// Finds out what the receiver must know before the first byte. For the checksum the file is read once.
///
/// # Errors
/// When it cannot be read, isn't a regular file, or its name isn't text.
pub fn look_at(path: &Path) -> io::Result<Offer> {
    let about = path.metadata()?;
    // A device has no end, and to open a pipe waits for somebody who writes into it. Neither can be read twice.
    if !about.is_file() {
        return Err(io::Error::other("expected a regular file"));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("expected a name in UTF-8"))?.to_owned();
    let progress = Progress::new(&format!("checking {name}"), about.len());
    // What was read counts, not what the metadata say.
    let (size, sha256) = checksum_of(File::open(path)?, progress)?;
    Ok(Offer { name, size, sha256 })
}
