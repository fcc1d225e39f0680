//! Sending a message, and what can go wrong when receiving one.

use std::fmt;
use std::io::{self, IoSlice, Write};

use crate::FrameError;

/// Why a read loop ended without a message.
#[derive(Debug)]
pub enum ReadError {
    /// The read failed.
    Io(io::Error),
    /// The bytes broke the agreement, or the stream ended too early.
    Frame(FrameError),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        ReadError::Io(error)
    }
}

impl From<FrameError> for ReadError {
    fn from(error: FrameError) -> Self {
        ReadError::Frame(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => error.fmt(f),
            ReadError::Frame(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

/// A message to send: its pieces in order, and how much of them has been sent.
///
/// All pieces go into **one** vectored write if the socket takes them. Two writes, one for the head and
/// one for the body, send the same bytes, but they can cost 40 ms for each answer on Linux: the second
/// small segment waits for the ACK of the first (Nagle's algorithm, RFC 896), and the peer delays that ACK
/// (RFC 1122, 4.2.3.2).
///
/// ```
/// let body = b"hello";
/// let mut stream = Vec::new();
/// proto::Outgoing::new([&proto::prefix::encode_head(body.len())?[..], body]).write_to(&mut stream)?;
/// assert_eq!(stream, b"\x05\0\0\0hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Outgoing<B, const N: usize> {
    pieces: [B; N],
    /// How many bytes have been sent, of all pieces together.
    sent: usize,
}

impl<B: AsRef<[u8]>, const N: usize> Outgoing<B, N> {
    /// A message of these pieces, of which nothing has been sent yet.
    pub fn new(pieces: [B; N]) -> Self {
        Outgoing { pieces, sent: 0 }
    }

    /// Writes until everything is sent. A write may take only a part of what it is given, so this is a
    /// loop: the one that Python calls `sendall`.
    ///
    /// An interrupted write is repeated. After any other error, such as one that would block, you can
    /// call it again, and it goes on where it stopped.
    ///
    /// # Errors
    /// When a write fails; [`io::ErrorKind::WriteZero`] when it takes no bytes at all.
    pub fn write_to(&mut self, to: &mut impl Write) -> io::Result<()> {
        loop {
            let mut slices = self.pieces.each_ref().map(|piece| IoSlice::new(piece.as_ref()));
            let mut rest = &mut slices[..];
            IoSlice::advance_slices(&mut rest, self.sent);
            if rest.is_empty() {
                return Ok(());
            }
            match to.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
