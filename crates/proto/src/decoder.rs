//! The decoder: bytes in, in whatever pieces they come; whole messages out.

use std::mem;

use crate::{FrameError, Part, Progress};

/// The first read is offered 2 KiB: ten thousand clients in the middle of a command cost 20 MiB.
///
/// Less would not be enough. A raw request is whatever one read returns, and a server that refuses
/// requests of more than 1 KiB has to see that one is longer.
const FIRST_ROOM: usize = 2048;
/// The room doubles whenever a read fills it, at most this often: to 256 KiB. One read then returns
/// enough small messages that the cost of the system call hardly matters.
const DOUBLINGS: u8 = 7;
/// If a message is longer than 32 KiB, the room ends where the message ends. Otherwise the read would
/// also return part of the next message, and moving that to the front costs more than another read.
const LONG: usize = 32 * 1024;

/// Where a message begins and ends: how to read its head.
pub trait Framing {
    /// What the head says in addition to the length of the body.
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
    /// The head is not whole yet: this much of its current piece is there.
    NeedMore(Progress),
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

/// A whole message. Its body is in the decoder's buffer, where the read put it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a, H> {
    /// What the head said.
    pub head: H,
    /// The payload, which may be empty.
    pub body: &'a [u8],
}

/// Finds the messages in a stream, however it is cut.
///
/// ```text
///           start          end              limit
///             v             v                 v
/// [ handed out | 05 00 00 00 68 65 |  space()  | ... ]
///               \__ the message under way: 2 of 5 bytes of its body have come
/// ```
///
/// You do the reading, so that the read loop is in your own file:
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
///         None => match stream.read(decoder.space())? {
///             0 => return Ok(decoder.check_end()?), // normal between two messages, an error inside one
///             n => decoder.filled(n),
///         },
///     }
/// };
/// assert_eq!(message, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - **No copy**: the message is handed out where the read put it. Only the beginning of a message is
///   ever moved, and only to make room for the rest.
/// - **Memory grows with the bytes that have arrived**, to at most twice as many plus 256 KiB, and
///   never with the length that was promised. An idle decoder can [free it](Self::release).
/// - **Errors are sticky**: every later call returns the same one.
#[derive(Debug)]
pub struct Decoder<F: Framing> {
    framing: F,
    buffer: Vec<u8>,
    /// The first byte that was not handed out.
    start: usize,
    /// One past the last byte that was read.
    end: usize,
    /// One past the room for the next read. `limit == end`: the next `space` has to make room.
    limit: usize,
    /// The piece of the message that is under way.
    piece: Part,
    /// Where that piece begins, counted from `start`.
    piece_start: usize,
    /// Where it ends, counted from `start`: with fewer unread bytes there is nothing to decode. 0 if we
    /// haven't looked at the message yet.
    wanted: usize,
    /// What the head said, once it is whole.
    head: Option<F::Head>,
    /// The length of the last message, head and body.
    last: usize,
    /// How often the room has doubled.
    doublings: u8,
    failed: Option<FrameError>,
    /// The room for a read after an error: this byte is never looked at.
    nowhere: [u8; 1],
}

impl<F: Framing> Decoder<F> {
    /// A decoder at the beginning of a stream. It has no buffer before the first [`space`](Self::space).
    pub fn new(framing: F) -> Self {
        Decoder {
            framing,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            limit: 0,
            piece: Part::Length,
            piece_start: 0,
            wanted: 0,
            head: None,
            last: 0,
            doublings: 0,
            failed: None,
            nowhere: [0],
        }
    }

    /// Takes the next message. `None` means that it is not whole yet: read into [`space`](Self::space),
    /// then ask again.
    ///
    /// # Errors
    /// When the bytes break the agreement.
    #[inline]
    pub fn decode(&mut self) -> Result<Option<Frame<'_, F::Head>>, FrameError> {
        // The only work for most reads when a peer sends byte by byte.
        if self.end - self.start < self.wanted {
            return Ok(None);
        }
        self.take()
    }

    /// The part of `decode` that looks at the bytes.
    #[inline]
    fn take(&mut self) -> Result<Option<Frame<'_, F::Head>>, FrameError> {
        if self.head.is_none() {
            self.look()?;
            if self.end - self.start < self.wanted {
                return Ok(None);
            }
        }
        let Some(head) = self.head.take() else { return Ok(None) };
        self.last = mem::take(&mut self.wanted);
        let body = self.start + self.piece_start..self.start + self.last;
        self.start = body.end;
        self.limit = self.end;
        Ok(Some(Frame { head, body: &self.buffer[body] }))
    }

    /// Asks the framing what the unread bytes are.
    #[inline]
    fn look(&mut self) -> Result<(), FrameError> {
        self.check()?;
        let unread = &self.buffer[self.start..self.end];
        match self.framing.head(unread) {
            Ok(Parsed::NeedMore(Progress { part, got, want })) => {
                self.piece = part;
                self.piece_start = unread.len() - got;
                self.wanted = self.piece_start + want;
            }
            Ok(Parsed::Head { head, head_len, body_len }) => {
                self.head = Some(head);
                self.piece = Part::Body;
                self.piece_start = head_len;
                self.wanted = head_len.saturating_add(body_len);
            }
            Err(error) => return Err(self.fail(error)),
        }
        self.limit = self.end; // how much room to offer depends on what we just learned
        Ok(())
    }

    /// Room for the next read. Call [`filled`](Self::filled) after it, to say how much was used.
    ///
    /// It is never empty, since a read of 0 bytes would look like the end of the stream. After an
    /// error, and when there is no memory, it is one byte that is never looked at:
    /// [`decode`](Self::decode) then returns the error.
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        if self.end == self.limit && !self.make_room() {
            return &mut self.nowhere;
        }
        &mut self.buffer[self.end..self.limit]
    }

    /// Moves the unread bytes to the front and grows the buffer, if needed. `false` after an error.
    #[inline(never)]
    fn make_room(&mut self) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let unread = self.end - self.start;
        let room = FIRST_ROOM << self.doublings;
        // How large the buffer must be, counted from `start`.
        let size = if self.wanted > LONG.max(unread) {
            // At most twice what has arrived, and no more than the message needs.
            (unread + 1).next_power_of_two().max(room).max(LONG).min(self.wanted)
        } else if unread == 0 && self.last > LONG {
            // After a long message, the next one is often just as long: make room for whole ones only.
            self.last * (room / self.last).max(1)
        } else {
            self.wanted.max(unread + room)
        };

        if unread == 0 || self.buffer.len() - self.start < size {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, unread);
        }
        if self.buffer.len() < size {
            // `resize` alone would double the Vec: 32 MiB for a message of 16 MiB and 4 bytes.
            if self.buffer.try_reserve_exact(size - self.buffer.len()).is_err() {
                self.fail(FrameError::NoMemory { wanted: size });
                return false;
            }
            self.buffer.resize(size, 0);
        }
        self.limit = self.start + size;
        true
    }

    /// Says that the last read put `n` bytes at the front of [`space`](Self::space).
    ///
    /// # Panics
    /// When `n` is more than `space` offered: no read can have returned that much.
    #[inline]
    pub fn filled(&mut self, n: usize) {
        if self.failed.is_some() {
            return; // the bytes went nowhere
        }
        assert!(n <= self.limit - self.end, "filled({n}) is more than space() offered");
        self.end += n;
        if n >= FIRST_ROOM << self.doublings && self.doublings < DOUBLINGS {
            self.doublings += 1;
        }
    }

    /// Call this at the end of the stream: it checks that the stream ended between two messages.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] if it ended inside one.
    pub fn check_end(&mut self) -> Result<(), FrameError> {
        let unread = self.unread().len();
        if self.head.is_none() && unread >= self.wanted {
            self.look()?;
        }
        let between = self.head.is_none() && unread == 0;
        // A whole message may still be there that `decode` has not been asked for.
        if between || unread >= self.wanted {
            return Ok(());
        }
        Err(self.fail(FrameError::Truncated(self.progress())))
    }

    /// Call this at the end of the stream if you are still waiting for a message, as a client waits for
    /// its answer: it returns the error to report. Call it after [`decode`](Self::decode) returned `None`.
    ///
    /// [`FrameError::Truncated`] if part of the message arrived, [`FrameError::NoAnswer`] if nothing did.
    pub fn unexpected_end(&mut self) -> FrameError {
        match self.check_end() {
            Err(error) => error,
            Ok(()) => self.fail(FrameError::NoAnswer),
        }
    }

    /// How much of the current piece had arrived at the last [`decode`](Self::decode): report it when a
    /// read times out.
    pub fn progress(&self) -> Progress {
        let Decoder { piece: part, piece_start, wanted, .. } = *self;
        // Right after a message `wanted` is 0, and smaller than `piece_start`.
        let [got, want] =
            [self.unread().len().min(wanted), wanted].map(|n| n.saturating_sub(piece_start));
        Progress { part, got, want }
    }

    /// Checks that nothing more has arrived, neither here nor in the kernel, where `waiting` bytes can be read. Call it
    /// before you send the next request: no byte of its answer can be there yet.
    ///
    /// # Errors
    /// [`FrameError::Trailing`] when there are bytes that no length announced.
    pub fn expect_nothing_more(&mut self, waiting: usize) -> Result<(), FrameError> {
        self.check()?;
        match self.unread().len() + waiting {
            0 => Ok(()),
            count => Err(self.fail(FrameError::Trailing { count })),
        }
    }

    /// The error to report when a client is about to send a request, but has already read something, and `waiting` more bytes
    /// can be read. If it is a whole message, the error shows it: a server that refuses a client says so at once, without
    /// waiting for its request.
    pub fn unasked(&mut self, waiting: usize) -> FrameError {
        let count = self.unread().len() + waiting;
        let error = match self.decode() {
            Ok(Some(frame)) if !frame.body.is_empty() => {
                let said = String::from_utf8_lossy(frame.body);
                let said = said.trim_end().escape_debug();
                FrameError::Unasked { bytes: format!("{count} more bytes: \"{said}\"").into() }
            }
            _ => FrameError::Trailing { count },
        };
        self.fail(error)
    }

    /// Frees the buffer if no byte is unread. A server calls this before it waits for a client that may
    /// be idle; the next [`space`](Self::space) allocates 2 KiB.
    pub fn release(&mut self) {
        if self.start == self.end {
            self.buffer = Vec::new();
            (self.start, self.end, self.limit) = (0, 0, 0);
            (self.last, self.doublings) = (0, 0);
        }
    }

    /// The bytes that were read but not handed out yet. They are the beginning of the next message.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    #[inline]
    fn check(&self) -> Result<(), FrameError> {
        match &self.failed {
            None => Ok(()),
            Some(error) => Err(again(error)),
        }
    }

    /// The stream ends here: from now on every call returns this error.
    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.buffer = Vec::new();
        (self.start, self.end, self.limit) = (0, 0, 0);
        (self.wanted, self.head) = (0, None);
        self.failed.insert(error).clone()
    }
}

/// Returns a copy of the error, if there was one. It is a separate function to keep `decode` small and fast.
#[cold]
fn again(error: &FrameError) -> FrameError {
    error.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonFraming;
    use crate::prefix::PrefixFraming;
    use crate::request::RequestFraming;

    const MOST_ROOM: usize = FIRST_ROOM << DOUBLINGS;

    /// A server keeps a decoder for each client, so its size matters.
    #[test]
    fn a_decoder_is_small() {
        assert!(size_of::<FrameError>() <= 24, "{}", size_of::<FrameError>());
        let size = size_of::<Decoder<RequestFraming>>();
        assert!(size <= 120, "{size}");
        assert_eq!(Decoder::new(PrefixFraming::default()).buffer.capacity(), 0);
    }

    /// One read of at most `n` bytes of the stream; returns how many came.
    fn read<F: Framing>(decoder: &mut Decoder<F>, stream: &mut &[u8], n: usize) -> usize {
        let space = decoder.space();
        let n = n.min(space.len()).min(stream.len());
        let (piece, rest) = stream.split_at(n);
        space[..n].copy_from_slice(piece);
        *stream = rest;
        decoder.filled(n);
        n
    }

    #[test]
    fn memory_grows_with_what_came() {
        let lengths = [0, 20, 5_000_000, 3, 40_000, 40_000, 10_000, 1_000_000, 300];
        let stream: Vec<u8> = lengths
            .iter()
            .flat_map(|&n: &i32| [&n.to_le_bytes()[..], &vec![7; n as usize]].concat())
            .collect();
        for size in [1, 1000, 1460, 70_000, usize::MAX] {
            let mut decoder = Decoder::new(PrefixFraming::default());
            let (mut rest, mut came, mut count) = (&stream[..], 0, 0);
            loop {
                while let Some(frame) = decoder.decode().unwrap() {
                    assert_eq!(frame.body.len(), lengths[count] as usize);
                    count += 1;
                }
                match read(&mut decoder, &mut rest, size) {
                    0 => break,
                    n => came += n,
                }
                let capacity = decoder.buffer.capacity();
                assert!(capacity <= 2 * came + MOST_ROOM, "{capacity} after {came}, by {size}");
                assert!(
                    capacity <= 5_000_004 + MOST_ROOM,
                    "a Vec's own growth would keep twice that"
                );
            }
            assert_eq!(count, lengths.len());
        }
    }

    #[test]
    fn a_promise_costs_nothing() {
        fn check<F: Framing>(framing: F, mut head: &[u8]) {
            let mut decoder = Decoder::new(framing);
            let mut came = read(&mut decoder, &mut head, 1000);
            while came < 2_000_000 {
                assert!(matches!(decoder.decode(), Ok(None)));
                came += read(&mut decoder, &mut &[0; 1000][..], 1000);
                let capacity = decoder.buffer.capacity();
                assert!(capacity <= 2 * came + MOST_ROOM, "{capacity} after {came}");
            }
        }
        let most = i32::MAX as usize;
        check(PrefixFraming { max_frame: most }, &i32::MAX.to_le_bytes());
        check(crate::ack::KnownLength::new(usize::MAX), b"");
        check(Endless, b"x");
        let header = b"\x21\0\0\0{\"data_len\": 9223372036854775807}";
        check(JsonFraming { max_frame: usize::MAX, ..JsonFraming::default() }, header);
    }

    /// The lengths of head and body together overflow.
    struct Endless;

    impl Framing for Endless {
        type Head = ();

        fn head(&mut self, _: &[u8]) -> Result<Parsed<()>, FrameError> {
            Ok(Parsed::Head { head: (), head_len: 1, body_len: usize::MAX })
        }
    }

    #[test]
    fn an_idle_decoder_gives_its_memory_back() {
        let stream = [&1_000_000_i32.to_le_bytes()[..], &[7; 1_000_000]].concat();
        let mut decoder = Decoder::new(PrefixFraming::default());
        for _ in 0..2 {
            let mut rest = &stream[..];
            while matches!(decoder.decode(), Ok(None)) {
                decoder.release(); // must do nothing inside a message
                read(&mut decoder, &mut rest, 10_000);
            }
            assert_eq!(rest, b"");
            assert!(decoder.buffer.capacity() >= 1_000_004);
            decoder.release();
            assert_eq!(decoder.buffer.capacity(), 0);
            decoder.release();
            assert!(matches!(decoder.decode(), Ok(None)));
            decoder.release();
            assert_eq!(decoder.space().len(), FIRST_ROOM, "as at the beginning");
        }
    }

    /// A slow message costs no moving, zeroing or allocating for each of its bytes.
    #[test]
    fn the_room_is_used_up_before_more_is_made() {
        let mut decoder = Decoder::new(PrefixFraming::default());
        let stream = [&20_000_i32.to_le_bytes()[..], &[7; 20_000]].concat();
        let (mut rest, mut rooms) = (&stream[..], vec![]);
        while matches!(decoder.decode(), Ok(None)) {
            read(&mut decoder, &mut rest, 1);
            rooms.push(decoder.limit);
        }
        rooms.dedup();
        assert_eq!((rest.len(), rooms), (0, vec![FIRST_ROOM, 20_004]));
    }
}
