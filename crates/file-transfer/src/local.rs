//! The file that is to be sent.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::{Checksum, Offer, Progress, checksum_of};

/// Opens a file, and finds out what the receiver must know before the first byte. For the checksum it's read once.
///
/// # Errors
/// When it cannot be read, or its name isn't text.
pub fn look_at(path: &Path) -> io::Result<(File, Offer)> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("expected a name in UTF-8"))?.to_owned();
    let mut checksum = Checksum::default();
    let mut progress = Progress::new(format!("checking {name}"), size);
    // What was read counts, not what the metadata say.
    let size = checksum_of(&mut file, &mut checksum, &mut progress)?;
    Ok((file, Offer { name, size, sha256: checksum.finish() }))
}
