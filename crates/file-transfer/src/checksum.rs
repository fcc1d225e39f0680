//! SHA-256, of what has been seen so far.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::Progress;

/// A checksum under way: bytes in, in whatever pieces.
#[derive(Clone, Debug, Default)]
pub struct Checksum(Sha256);

impl Checksum {
    /// These bytes come next.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// All bytes have been seen: the checksum as 64 hexadecimal digits.
    pub fn finish(self) -> String {
        self.0.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // a String takes everything
            text
        })
    }
}

/// Reads a file to its end, and returns how many bytes that were.
///
/// # Errors
/// When it cannot be read.
pub fn checksum_of(
    file: &mut File,
    checksum: &mut Checksum,
    progress: &mut Progress,
) -> io::Result<u64> {
    let (mut buffer, mut size) = (vec![0; 64 << 10], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(size),
            n => {
                checksum.update(&buffer[..n]);
                size += n as u64;
            }
        }
        progress.show(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sha_256_however_the_bytes_come() {
        let mut checksum = Checksum::default();
        for piece in ["", "a", "bc"] {
            checksum.update(piece.as_bytes());
        }
        // FIPS 180-4's example.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(checksum.finish(), abc);
    }
}
