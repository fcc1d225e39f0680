//! SHA-256 of a file.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::Progress;

/// Reads a file to its end, and returns how many bytes that were, and their checksum as 64 hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub fn checksum_of(mut file: impl Read, mut progress: Progress) -> io::Result<(u64, String)> {
    let (mut checksum, mut buffer, mut size) = (Sha256::new(), vec![0; 64 << 10], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => {
                checksum.update(&buffer[..n]);
                size += n as u64;
            }
        }
        progress.show(size);
    }
    let text = checksum.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    });
    Ok((size, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sha_256_however_the_bytes_come() {
        let pieces = b"a".chain(&b""[..]).chain(&b"bc"[..]);
        let (size, text) = checksum_of(pieces, Progress::new("checking abc", 3)).unwrap();
        // FIPS 180-4's example.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((size, &*text), (3, abc));
    }
}
