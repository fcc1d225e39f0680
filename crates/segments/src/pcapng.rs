//! A capture as a file: pcapng, which Wireshark writes by default
//! (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>).
//!
//! ```text
//! [ section header ][ interface: bare IP packets ][ packet ][ packet ] …
//!
//! each block:  type u32 | its whole length u32 | body, padded to 4 bytes | its whole length again u32
//! ```

use crate::Recording;
use std::io::{self, Write};

/// A packet begins with its IP header; LINKTYPE_RAW of <https://www.tcpdump.org/linktypes.html>.
const RAW_IP: u16 = 101;

impl Recording {
    /// Writes the packets as a pcapng file, which Wireshark opens.
    ///
    /// # Errors
    /// When writing to `out` fails.
    pub fn write_pcapng(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut section = Vec::new();
        section.extend(0x1a2b_3c4d_u32.to_le_bytes()); // tells the reader our byte order
        section.extend(1_u16.to_le_bytes()); // version 1.0
        section.extend(0_u16.to_le_bytes());
        section.extend((-1_i64).to_le_bytes()); // the length of the section: not given
        block(out, 0x0a0d_0d0a, &section)?;

        let mut interface = Vec::new();
        interface.extend(RAW_IP.to_le_bytes());
        interface.extend(0_u16.to_le_bytes());
        interface.extend(0_u32.to_le_bytes()); // packets are kept whole
        block(out, 1, &interface)?; // times are in microseconds unless an option says otherwise

        for packet in &self.packets {
            let when = self.epoch_us.saturating_add(packet.t_us);
            let length = u32::try_from(packet.bytes.len()).map_err(io::Error::other)?;
            let mut body = Vec::with_capacity(20 + packet.bytes.len());
            body.extend(0_u32.to_le_bytes()); // the one interface there is
            body.extend(((when >> 32) as u32).to_le_bytes());
            body.extend((when as u32).to_le_bytes());
            body.extend(length.to_le_bytes()); // as kept
            body.extend(length.to_le_bytes()); // as it was
            body.extend(&packet.bytes);
            block(out, 6, &body)?;
        }
        out.flush()
    }
}

fn block(out: &mut dyn Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = u32::try_from(12 + body.len() + padding).map_err(io::Error::other)?;
    let mut block = Vec::with_capacity(length as usize);
    block.extend(kind.to_le_bytes());
    block.extend(length.to_le_bytes());
    block.extend(body);
    block.extend(&[0; 3][..padding]);
    block.extend(length.to_le_bytes());
    out.write_all(&block)
}
