//! However a stream is cut, the decoder finds the same messages.
//!
//! A network may cut a stream anywhere. In memory we can try every way, instead of hoping that one turns up. `faults.rs`
//! has the table of all faults and the tests that cover them.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "so a test fails")]

mod whole;

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read};
use std::num::NonZeroUsize;

use proto::ack::KnownLength;
use proto::fixed::{self, FixedFraming};
use proto::json::{self, Header, JsonFraming, LENGTH_KEY};
use proto::lines::{self, LinesFraming};
use proto::prefix::{self, BigEndianFraming, PrefixFraming};
use proto::{Decoder, Framing, ReadError};
use whole::read_frame;

type Message<F> = (<F as Framing>::Head, Vec<u8>);

/// `n` bytes, no two neighbours of which are equal.
fn body(n: usize) -> Vec<u8> {
    (0..n).map(|i| i as u8).collect()
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&prefix::encode_head(body.len()).unwrap()[..], body].concat()
}

fn prefixed(bodies: &[Vec<u8>]) -> (Vec<u8>, Vec<Message<PrefixFraming>>) {
    let mut stream = Vec::new();
    for body in bodies {
        stream.extend(framed(body));
    }
    (stream, bodies.iter().map(|body| ((), body.clone())).collect())
}

fn headed(bodies: &[Vec<u8>]) -> (Vec<u8>, Vec<Message<JsonFraming>>) {
    let mut stream = Vec::new();
    let mut messages = Vec::new();
    for body in bodies {
        let header = Header { data_len: body.len(), ..Header::default() };
        stream.extend(json::encode_head(&header, LENGTH_KEY).unwrap());
        stream.extend_from_slice(body);
        messages.push((header, body.clone()));
    }
    (stream, messages)
}

/// Each frame is the line with its end, or the whole record.
fn lined(bodies: &[Vec<u8>]) -> (Vec<u8>, Vec<Message<LinesFraming>>) {
    let lines: Vec<_> = bodies.iter().map(|body| lines::encode(body)).collect();
    (lines.concat(), lines.into_iter().map(|line| ((), line)).collect())
}

fn of_one_size(bodies: &[Vec<u8>], size: NonZeroUsize) -> (Vec<u8>, Vec<Message<FixedFraming>>) {
    let records: Vec<_> = bodies.iter().map(|body| fixed::encode(body, size).unwrap()).collect();
    (records.concat(), records.into_iter().map(|record| ((), record)).collect())
}

fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

/// One read: as much of `piece` as the decoder has room for. Returns how much that was.
fn read<F: Framing>(decoder: &mut Decoder<F>, piece: &[u8]) -> usize {
    let space = decoder.space();
    let n = piece.len().min(space.len());
    space[..n].copy_from_slice(&piece[..n]);
    decoder.filled(n);
    n
}

/// The pieces arrive one after the other, and after each one the decoder is asked until it needs more.
///
/// Afterwards the decoder is at a boundary again, so the next check may use the same one.
fn check<'p, F>(
    decoder: &mut Decoder<F>,
    pieces: impl IntoIterator<Item = &'p [u8]>,
    expected: &[Message<F>],
) where
    F: Framing<Head: PartialEq + Debug>,
{
    let mut expected = expected.iter();
    for mut piece in pieces {
        while !piece.is_empty() {
            let n = read(decoder, piece);
            piece = &piece[n..];
            while let Some(frame) = decoder.decode().unwrap() {
                let (head, body) = expected.next().expect("a message that nobody sent");
                assert_eq!((&frame.head, frame.body), (head, &body[..]));
            }
        }
    }
    assert_eq!(expected.next(), None, "a message that did not arrive");
    assert_eq!(decoder.unread(), b"");
    assert_eq!(decoder.check_end(), Ok(()));
}

/// Every split into two and into three pieces, including those with empty pieces.
fn every_split<F>(framing: F, stream: &[u8], expected: &[Message<F>])
where
    F: Framing<Head: PartialEq + Debug>,
{
    let mut decoder = Decoder::new(framing);
    for second in 0..=stream.len() {
        for first in 0..=second {
            let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
            check(&mut decoder, pieces, expected);
        }
    }
}

/// All 65,536 ways to cut the 17 bytes from `at` on: bit `i` of `cuts` is a cut after byte `i`.
fn every_cut<F>(framing: F, stream: &[u8], at: usize, expected: &[Message<F>])
where
    F: Framing<Head: PartialEq + Debug>,
{
    let mut decoder = Decoder::new(framing);
    for cuts in 0..=u16::MAX {
        let mut rest = stream;
        let mut gone = 0;
        let ends = (0..16).filter(|bit| cuts >> bit & 1 == 1).map(|bit| at + bit + 1);
        let pieces = ends.chain([stream.len()]).map(|end| {
            let (piece, after) = rest.split_at(end - gone);
            (rest, gone) = (after, end);
            piece
        });
        check(&mut decoder, pieces, expected);
    }
}

#[test]
fn every_split_of_every_frame_up_to_64_bytes() {
    for n in 0..=60 {
        let (stream, messages) = prefixed(&[body(n)]);
        assert_eq!(stream.len(), 4 + n);
        every_split(PrefixFraming::default(), &stream, &messages);
    }
    for n in 0..=60 {
        let length = i32::try_from(n).unwrap().to_be_bytes();
        every_split(
            BigEndianFraming::default(),
            &[&length[..], &body(n)].concat(),
            &[((), body(n))],
        );
    }
    for n in 0..=45 {
        let (stream, messages) = headed(&[body(n)]);
        assert!(stream.len() <= 64);
        every_split(JsonFraming::default(), &stream, &messages);
    }
}

/// An announced body is a whole stream, so each one needs a new decoder.
#[test]
fn every_split_of_announced_bodies() {
    for n in 1..=16 {
        let body = body(n);
        for (first, second) in
            (0..=n).flat_map(|second| (0..=second).map(move |first| (first, second)))
        {
            let pieces = [&body[..first], &body[first..second], &body[second..]];
            check(&mut Decoder::new(KnownLength::new(n)), pieces, &[((), body.clone())]);
        }
    }
}

#[test]
fn every_split_of_two_frames() {
    let (stream, messages) = prefixed(&[body(9), body(7)]);
    every_split(PrefixFraming::default(), &stream, &messages);
    let (stream, messages) = headed(&[body(9), body(7)]);
    every_split(JsonFraming::default(), &stream, &messages);
    let (stream, messages) = lined(&[body(9), body(17)]);
    every_split(LinesFraming::default(), &stream, &messages);
    let (stream, messages) = of_one_size(&[body(9), body(7)], size(10));
    every_split(FixedFraming { size: size(10) }, &stream, &messages);
}

#[test]
fn every_way_to_cut_17_bytes() {
    let (stream, messages) = prefixed(&[body(5), body(0), body(0)]);
    assert_eq!(stream.len(), 17);
    every_cut(PrefixFraming::default(), &stream, 0, &messages);

    // The shortest message with a JSON header has 18 bytes. So the 17 bytes are a window: on the
    // beginning, on the boundary between two messages, on the end.
    let (stream, messages) = headed(&[body(1), body(0)]);
    assert_eq!(stream.len(), 19 + 18);
    for at in [0, 10, 20] {
        every_cut(JsonFraming::default(), &stream, at, &messages);
    }

    // Line feeds and a CR inside messages; an empty one; a CRLF, which another peer may send.
    let (mut stream, mut messages) = lined(&[b"a\n\rb".to_vec(), b"".to_vec(), b"\n".to_vec()]);
    stream.extend(b"\r\nxyz\r\n");
    messages.extend([((), b"\r\n".to_vec()), ((), b"xyz\r\n".to_vec())]);
    assert_eq!(stream.len(), 18);
    for at in [0, 1] {
        every_cut(LinesFraming::default(), &stream, at, &messages);
    }

    let (stream, messages) = of_one_size(&[body(2), body(4), body(0)], size(6));
    assert_eq!(stream.len(), 18);
    for at in [0, 1] {
        every_cut(FixedFraming { size: size(6) }, &stream, at, &messages);
    }
}

#[test]
fn byte_by_byte() {
    let bodies = [body(0), body(1), body(300), body(20_000), body(70_000), body(2)];
    let (stream, messages) = prefixed(&bodies);
    check(&mut Decoder::new(PrefixFraming::default()), stream.chunks(1), &messages);
    let (stream, messages) = headed(&bodies);
    check(&mut Decoder::new(JsonFraming::default()), stream.chunks(1), &messages);
    let (stream, messages) = lined(&bodies);
    check(&mut Decoder::new(LinesFraming::new(80_000)), stream.chunks(1), &messages);
    let bodies = bodies.map(|body| body.into_iter().map(|byte| byte | 1).collect());
    let (stream, messages) = of_one_size(&bodies, size(70_000));
    check(&mut Decoder::new(FixedFraming { size: size(70_000) }), stream.chunks(1), &messages);
}

#[test]
fn everything_at_once() {
    let bodies: Vec<_> = (0..700).map(body).collect();
    let (stream, messages) = prefixed(&bodies);
    check(&mut Decoder::new(PrefixFraming::default()), [&stream[..]], &messages);
    let (stream, messages) = headed(&bodies);
    check(&mut Decoder::new(JsonFraming::default()), [&stream[..]], &messages);
    let (stream, messages) = lined(&bodies);
    check(&mut Decoder::new(LinesFraming::default()), [&stream[..]], &messages);
}

/// Hands out at most `most` bytes for each read, and fails once after `at` bytes.
struct Flaky<'a> {
    stream: &'a [u8],
    most: usize,
    at: usize,
    error: Option<ErrorKind>,
}

impl Read for Flaky<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.at == 0
            && let Some(kind) = self.error.take()
        {
            return Err(kind.into());
        }
        let mut n = space.len().min(self.most).min(self.stream.len());
        if self.error.is_some() {
            n = n.min(self.at);
            self.at -= n;
        }
        space[..n].copy_from_slice(&self.stream[..n]);
        self.stream = &self.stream[n..];
        Ok(n)
    }
}

/// `kind` at every place of the stream, in reads of several sizes: the same messages, and the error
/// is seen `seen` times.
fn interrupt<F>(framing: F, stream: &[u8], expected: &[Message<F>], kind: ErrorKind, seen: usize)
where
    F: Framing<Head: PartialEq + Debug> + Clone,
{
    for most in [1, 2, 3, usize::MAX] {
        for at in 0..=stream.len() {
            let mut from = Flaky { stream, most, at, error: Some(kind) };
            let mut decoder = Decoder::new(framing.clone());
            let (mut messages, mut errors) = (Vec::new(), 0);
            loop {
                match read_frame(&mut from, &mut decoder) {
                    Ok(Some(frame)) => messages.push((frame.head, frame.body.to_vec())),
                    Ok(None) => break,
                    Err(ReadError::Io(error)) if error.kind() == kind => errors += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!((&messages[..], errors), (expected, seen), "{kind:?} at {at}");
        }
    }
}

#[test]
fn interrupted_anywhere_is_retried() {
    let (stream, messages) = prefixed(&[body(5), body(0), body(20)]);
    interrupt(PrefixFraming::default(), &stream, &messages, ErrorKind::Interrupted, 0);
    let (stream, messages) = headed(&[body(5), body(0), body(20)]);
    interrupt(JsonFraming::default(), &stream, &messages, ErrorKind::Interrupted, 0);
}

#[test]
fn would_block_and_time_outs_anywhere_lose_nothing() {
    for kind in [ErrorKind::WouldBlock, ErrorKind::TimedOut] {
        let (stream, messages) = prefixed(&[body(5), body(0), body(20)]);
        interrupt(PrefixFraming::default(), &stream, &messages, kind, 1);
        let (stream, messages) = headed(&[body(5), body(0), body(20)]);
        interrupt(JsonFraming::default(), &stream, &messages, kind, 1);
    }
}

#[test]
fn trailing_bytes_stay_untouched() {
    let (stream, _) = prefixed(&[body(5), body(7)]);
    for more in 0..=stream.len() - 9 {
        let mut decoder = Decoder::new(PrefixFraming::default());
        assert_eq!(read(&mut decoder, &stream[..9 + more]), 9 + more);
        assert!(matches!(decoder.decode(), Ok(Some(frame)) if frame.body == body(5)));
        assert_eq!(decoder.unread(), &stream[9..9 + more]);
    }
}

#[test]
fn the_end_of_a_long_message_is_the_end_of_the_room() {
    let (stream, _) = prefixed(&[body(100_000), body(100_000)]);
    let mut decoder = Decoder::new(PrefixFraming::default());
    let mut rest = &stream[..];
    while matches!(decoder.decode(), Ok(None)) {
        rest = &rest[read(&mut decoder, rest)..];
    }
    assert_eq!(rest.len(), 100_004, "the reads stopped at the boundary");
    assert_eq!(decoder.unread(), b"");
}

/// Even if there was more room before the length of the message was known.
#[test]
fn the_room_shrinks_to_a_long_message() {
    let mut decoder = Decoder::new(PrefixFraming::default());
    for _ in 0..10 {
        let n = decoder.space().len();
        decoder.filled(n); // all zeros: empty messages
        while decoder.decode().unwrap().is_some() {}
    }
    assert!(decoder.space().len() > 200_000);
    read(&mut decoder, &framed(&body(100_000))[..1000]);
    assert_eq!(decoder.decode(), Ok(None));
    assert_eq!(decoder.space().len(), 100_004 - 1000);
}

/// A long message is handed out where it was read, without being moved: all of them are in the same place.
#[test]
fn long_messages_are_not_moved() {
    let (stream, _) = prefixed(&vec![body(65_536); 20]);
    let mut from = Flaky { stream: &stream, most: 65_536, at: 0, error: None };
    let mut decoder = Decoder::new(PrefixFraming::default());
    let mut places = Vec::new();
    while let Some(frame) = read_frame(&mut from, &mut decoder).unwrap() {
        places.push(frame.body.as_ptr());
    }
    assert_eq!(places.len(), 20);
    assert!(places[4..].iter().all(|place| *place == places[4]), "{places:?}");
}

/// Reads that fill the room get more of it, up to 256 KiB: one read then returns thousands of small messages.
#[test]
fn the_room_grows_with_the_reads() {
    let mut decoder = Decoder::new(PrefixFraming::default());
    let mut rooms = Vec::new();
    for _ in 0..9 {
        let n = decoder.space().len();
        rooms.push(n / 1024);
        decoder.filled(n);
        while let Some(frame) = decoder.decode().unwrap() {
            assert_eq!(frame.body, b"", "all zeros: empty messages");
        }
    }
    assert_eq!(rooms, [2, 4, 8, 16, 32, 64, 128, 256, 256]);
}

/// An event loop may read everything there is before it asks the decoder.
#[test]
fn reading_on_without_asking_is_fine() {
    let bodies: Vec<_> = (0..9).map(|i| body(i * 10_000)).collect();
    let (stream, messages) = prefixed(&bodies);
    for asked_at in [0, 4, 9, 30_000, 100_000] {
        let mut decoder = Decoder::new(PrefixFraming::default());
        let mut expected = messages.iter();
        let (mut rest, mut asked) = (&stream[..], false);
        while !rest.is_empty() {
            let n = read(&mut decoder, &rest[..rest.len().min(1000)]);
            assert!(n > 0, "no room");
            rest = &rest[n..];
            // Asked once, in the middle of a message, so that its head is known.
            if !asked && stream.len() - rest.len() >= asked_at {
                asked = true;
                while let Some(frame) = decoder.decode().unwrap() {
                    assert_eq!(frame.body, expected.next().unwrap().1);
                }
            }
        }
        while let Some(frame) = decoder.decode().unwrap() {
            assert_eq!(frame.body, expected.next().unwrap().1);
        }
        assert_eq!(expected.next(), None);
        assert_eq!(decoder.check_end(), Ok(()));
    }
}
