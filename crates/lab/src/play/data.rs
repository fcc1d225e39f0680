//! The data that is sent. The seed selects it, so a replay sends the same.

use super::trial::Trial;

impl Trial<'_> {
    /// A number from `least` to `most`, both included, selected by the seed.
    pub fn number(&mut self, least: u64, most: u64) -> u64 {
        self.network.chance.between(least, most)
    }

    /// Lower-case letters, selected by the seed.
    pub fn text(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.network.chance.between(b'a'.into(), b'z'.into()) as u8).collect()
    }

    /// Bytes of all values, selected by the seed.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        while bytes.len() < length {
            bytes.extend_from_slice(&self.network.chance.draw().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
