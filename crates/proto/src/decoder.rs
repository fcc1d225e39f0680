//! The decoder: bytes in, in whatever pieces they come; whole messages out.

use std::ops::Range;

use crate::{FrameError, Part};

/// The smallest room offered to a read, and how far it grows while reads keep filling it.
///
/// 8 KiB is cheap for a thousand idle connections. At 256 KiB a read takes so many small frames at
/// once that the system call no longer counts.
const CHUNK: Range<usize> = 8 * 1024..256 * 1024;
/// From this length on, a message is read to its end and no further: one more read costs less than
/// moving the part of it that came with the message before. 32 KiB.
const LONG: usize = 32 * 1024;
/// A buffer larger than this goes back to the allocator once messages are small again: 1 MiB.
const KEEP: usize = 1024 * 1024;

/// Where a message begins and ends: how to read its head.
pub trait Framing {
    /// What the head says besides how long the body is.
    type Head;

    /// Reads the head at the front of `bytes`, which begins at a message boundary.
    ///
    /// # Errors
    /// When these bytes cannot be a head, whatever comes after them.
    fn head(&mut self, bytes: &[u8]) -> Result<Parsed<Self::Head>, FrameError>;
}

/// What the bytes at the front of a message are so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<H> {
    /// Not yet a whole head.
    NeedMore {
        /// The piece of the head that is not whole.
        part: Part,
        /// How many bytes of that piece are there.
        got: usize,
        /// How many it has.
        want: usize,
    },
    /// A whole head.
    Head {
        /// What it says.
        head: H,
        /// Its own length in bytes.
        head_len: usize,
        /// The length in bytes of the body that follows.
        body_len: usize,
    },
}

/// A whole message. The body lies in the decoder's buffer, where the read put it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a, H> {
    /// What the head said.
    pub head: H,
    /// The payload, which may be empty.
    pub body: &'a [u8],
}

/// Finds messages in a stream, however it is cut.
///
/// ```text
///      start            end
///        v               v
/// [ done |05 00 00 00 h e|        space()        ]
///         \__ a frame so far                       "needs more": 5 bytes of body, 2 are there
/// ```
///
/// The caller does the reading, so that the read loop stands in the caller's file:
///
/// ```
/// use proto::{Decoder, prefix::PrefixFraming};
/// use std::io::Read;
///
/// let mut stream = [5, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'].as_slice();
/// let mut decoder = Decoder::new(PrefixFraming::default());
/// let message = loop {
///     match decoder.decode()? {
///         Some(frame) => break frame.body,
///         None => {
///             let n = stream.read(decoder.space())?;
///             if n == 0 {
///                 return Ok(decoder.finish()?); // the end: normal between messages, an error inside one
///             }
///             decoder.filled(n);
///         }
///     }
/// };
/// assert_eq!(message, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - **No copy**: a read puts the bytes where the message is handed out. Only the beginning of a
///   message that a read cut off is moved, when the buffer's end is reached.
/// - **Memory grows with the bytes that have come**, never with the length that was promised.
/// - **Errors are sticky**: every later call returns the same one.
#[derive(Debug)]
pub struct Decoder<F: Framing> {
    framing: F,
    buffer: Vec<u8>,
    /// The first byte that was not handed out.
    start: usize,
    /// One past the last byte that was read.
    end: usize,
    /// The message whose head is read and whose body is not whole.
    pending: Option<Pending<F::Head>>,
    failed: Option<FrameError>,
    /// How much room the next read is offered.
    chunk: usize,
    /// The length of the last message, head and body.
    last: usize,
    /// Where a read may go when there is no memory at all.
    nowhere: [u8; 16],
}

#[derive(Debug)]
struct Pending<H> {
    head: H,
    head_len: usize,
    /// Head and body.
    total: usize,
}

impl<F: Framing> Decoder<F> {
    /// A decoder at the beginning of a stream.
    pub fn new(framing: F) -> Self {
        Decoder {
            framing,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            pending: None,
            failed: None,
            chunk: CHUNK.start,
            last: 0,
            nowhere: [0; 16],
        }
    }

    /// Takes the next message; `None` while no whole one is there: read into [`space`](Self::space), then ask again.
    ///
    /// # Errors
    /// When the bytes break the agreement; then every later call returns the same error.
    #[inline]
    pub fn decode(&mut self) -> Result<Option<Frame<'_, F::Head>>, FrameError> {
        let (_, got, want) = self.progress()?;
        let Some(pending) = self.pending.take_if(|_| got >= want) else { return Ok(None) };
        let body = self.start + pending.head_len..self.start + pending.total;
        self.start = body.end;
        self.last = pending.total;
        Ok(Some(Frame { head: pending.head, body: &self.buffer[body] }))
    }

    /// Room for the next read; say with [`filled`](Self::filled) how much of it was used.
    ///
    /// Never empty. If there's no memory for it, whatever is read is lost, and [`decode`](Self::decode)
    /// returns [`FrameError::NoMemory`]. While a long message is under way the room ends with it, so that the next one
    /// begins at the front of the buffer and neither is ever moved.
    pub fn space(&mut self) -> &mut [u8] {
        let unread = self.end - self.start;
        // How much of the buffer this needs, counted from the first byte that was not handed out.
        let size = match &self.pending {
            // The powers of two, up to the promise: at most twice what has come.
            Some(Pending { total, .. }) if *total > LONG.max(unread) => {
                (unread + 1).next_power_of_two().max(self.chunk).min(*total)
            }
            _ => unread + self.chunk,
        };

        if unread == 0 && self.buffer.len() > KEEP && self.last < self.buffer.len() / 4 {
            self.buffer = Vec::new();
            (self.start, self.end) = (0, 0);
        }
        if unread == 0 || self.buffer.len() - self.start < size {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, unread);
        }
        if self.buffer.len() < size {
            // By itself a Vec grows to twice its size: a message of 16 MiB would keep 32.
            if self.buffer.try_reserve_exact(size - self.buffer.len()).is_err() {
                return self.give_up(size);
            }
            self.buffer.resize(size, 0);
        }
        let limit = self.start + size;
        &mut self.buffer[self.end..limit]
    }

    /// There's no memory for that much room: this stream is over, and whatever is read now is lost.
    #[cold]
    fn give_up(&mut self, wanted: usize) -> &mut [u8] {
        self.fail(FrameError::NoMemory { wanted });
        (self.start, self.end) = (0, 0);
        if self.buffer.is_empty() { &mut self.nowhere } else { &mut self.buffer }
    }

    /// Says that the last read put `n` bytes at the front of [`space`](Self::space).
    ///
    /// # Panics
    /// When `n` is more than the buffer has room for: no read can have put so much there.
    pub fn filled(&mut self, n: usize) {
        if self.failed.is_some() {
            return; // nobody will ask for these bytes
        }
        assert!(n <= self.buffer.len() - self.end, "filled({n}) is more than space() offered");
        self.end += n;
        if n >= self.chunk {
            self.chunk = (self.chunk * 2).min(CHUNK.end);
        }
    }

    /// The stream has ended: was that between messages?
    ///
    /// # Errors
    /// [`FrameError::Truncated`] inside a message; or the error that [`decode`](Self::decode) gave.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        let (part, got, want) = self.progress()?;
        let between = self.pending.is_none() && self.unread().is_empty();
        // A whole message that nobody has asked for yet is no truncation.
        if between || got >= want {
            return Ok(());
        }
        Err(self.fail(FrameError::Truncated { part, got, want }))
    }

    /// The piece of the next message that is under way, how many bytes of it are there, and how many
    /// it has. A body may be there with more than it has: with the bytes of later messages.
    #[inline]
    fn progress(&mut self) -> Result<(Part, usize, usize), FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let unread = &self.buffer[self.start..self.end];
        let pending = match &self.pending {
            Some(pending) => pending,
            None => match self.framing.head(unread) {
                Ok(Parsed::NeedMore { part, got, want }) => return Ok((part, got, want)),
                Ok(Parsed::Head { head, head_len, body_len }) => {
                    self.pending.insert(Pending { head, head_len, total: head_len + body_len })
                }
                Err(error) => return Err(self.fail(error)),
            },
        };
        let Pending { head_len, total, .. } = pending;
        Ok((Part::Body, unread.len() - head_len, total - head_len))
    }

    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.failed = Some(error.clone());
        error
    }

    /// Gives the buffer back if nothing is unread.
    pub fn release(&mut self) {
        if self.start == self.end {
            self.buffer = Vec::new();
            (self.start, self.end) = (0, 0);
        }
    }

    /// The bytes that were read and not handed out: the beginning of the next message.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The bytes of memory that the buffer occupies.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}
