//! What goes over the line between the server's process and one that serves a connection.
//!
//! ```text
//! server's process ── the secret, with its length in front ─▶ connection's process     once, before anything else
//! server's process ◀────────────── WANT ───────────────────── connection's process     a request has come
//! server's process ──── GRANTED, or BUSY, or END ───────────▶ connection's process     one answer to each WANT
//! server's process ◀────────────── DONE ───────────────────── connection's process     its answer is ready
//! ```
//!
//! Each of them is one byte. After END nothing more is granted.

use std::io::{self, Read, Write};

/// The process wants a permit.
pub(super) const WANT: u8 = b'+';
/// It no longer needs its permit.
pub(super) const DONE: u8 = b'-';

/// It has a permit now.
pub(super) const GRANTED: u8 = b'y';
/// It has waited too long, and gets none.
pub(super) const BUSY: u8 = b'n';
/// The server has been told to end.
pub(super) const END: u8 = b'.';

/// Hands over what nobody else may see. Everybody on this machine can read arguments and environment, so it goes over the
/// line.
///
/// # Errors
/// It's longer than 4 KiB; and what write(2) says.
pub(super) fn hand_over(mut line: impl Write, secret: &[u8]) -> io::Result<()> {
    // Nobody reads it yet: it must fit into the line's buffer.
    let length = u16::try_from(secret.len()).ok().filter(|length| *length <= 4096);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    line.write_all(&[&length.to_le_bytes(), secret].concat())
}

/// Takes what was handed over.
///
/// # Errors
/// The line ended before.
pub(super) fn take_over(mut line: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    line.read_exact(&mut length)?;
    let mut secret = vec![0; usize::from(u16::from_le_bytes(length))];
    line.read_exact(&mut secret)?;
    Ok(secret)
}
