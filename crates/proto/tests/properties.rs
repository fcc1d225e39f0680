//! What is true of every stream, tried on random ones.
//!
//! On a failure proptest shrinks the input and prints it, together with a line `cc <seed>`; it also writes
//! that line to `properties.proptest-regressions` beside this file. As long as the line is there, every
//! run tries that case first: that is how to replay a seed, here or on another machine. Without a
//! failure there is no such file. `PROPTEST_CASES=10000` tries for longer.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "so a test fails")]

mod whole;

use std::fmt::Debug;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::WithSource;
use proto::ack::KnownLength;
use proto::fixed::FixedFraming;
use proto::json::{self, Header, JsonFraming, LENGTH_KEY, Status};
use proto::lines::{self, LinesFraming};
use proto::prefix::{self, PrefixFraming};
use proto::{Decoder, FrameError, Framing, Part, Progress, ReadError};
use whole::read_frame;

/// Hands out a stream in reads of these sizes, which are repeated.
struct Cut<'a> {
    stream: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl<'a> Cut<'a> {
    fn new(stream: &'a [u8], sizes: &'a [usize]) -> Self {
        Cut { stream, sizes: sizes.iter().cycle() }
    }
}

impl Read for Cut<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        assert!(!space.is_empty(), "a read into no room looks like the end of the stream");
        let size = *self.sizes.next().unwrap_or(&usize::MAX);
        let n = size.min(space.len()).min(self.stream.len());
        space[..n].copy_from_slice(&self.stream[..n]);
        self.stream = &self.stream[n..];
        Ok(n)
    }
}

type Outcome<H> = (Vec<(H, Vec<u8>)>, Result<(), FrameError>);

/// All messages of a stream that arrives in these pieces, and how it ended.
fn decode<F: Framing>(framing: F, stream: &[u8], sizes: &[usize]) -> Outcome<F::Head> {
    let mut decoder = Decoder::new(framing);
    let mut from = Cut::new(stream, sizes);
    let mut messages = Vec::new();
    loop {
        let end = match read_frame(&mut from, &mut decoder) {
            Ok(Some(frame)) => {
                messages.push((frame.head, frame.body.to_vec()));
                None
            }
            Ok(None) => Some(Ok(())),
            Err(ReadError::Frame(error)) => Some(Err(error)),
            Err(ReadError::Io(error)) => panic!("{error}"),
        };
        if let Some(end) = end {
            return (messages, end);
        }
    }
}

/// The same for a prefixed stream, in the simplest way: take all of it at once, and split it.
fn split(mut stream: &[u8], max_frame: usize) -> Outcome<()> {
    let mut messages = Vec::new();
    let truncated = |part, got, want| Err(FrameError::Truncated(Progress { part, got, want }));
    while !stream.is_empty() {
        let Some((prefix, rest)) = stream.split_at_checked(4) else {
            return (messages, truncated(Part::Length, stream.len(), 4));
        };
        let length = prefix.iter().rev().fold(0_i64, |sum, byte| sum * 256 + i64::from(*byte));
        let most = i32::try_from(max_frame).unwrap_or(i32::MAX);
        if length > i64::from(most) {
            let bytes = prefix.try_into().unwrap();
            return (messages, Err(FrameError::BadPrefix { bytes, allowed: 0..=most }));
        }
        let Some((body, rest)) = rest.split_at_checked(length as usize) else {
            return (messages, truncated(Part::Body, rest.len(), length as usize));
        };
        messages.push(((), body.to_vec()));
        stream = rest;
    }
    (messages, Ok(()))
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&prefix::encode_head(body.len()).unwrap()[..], body].concat()
}

/// Sizes of reads: small ones, some around the buffer's size, and some that fill all the room.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size =
        prop_oneof![1..=64_usize, 1..=20_000_usize, 65_000..=300_000_usize, Just(usize::MAX)];
    prop::collection::vec(size, 1..8)
}

/// Bodies: mostly short, with some around the sizes at which the decoder changes its strategy.
fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let length = prop_oneof![8 => 0..300_usize, 2 => 8_000..9_000_usize, 1 => 30_000..70_000_usize];
    prop::collection::vec(
        length.prop_flat_map(|n| any::<u8>().prop_map(move |byte| pattern(byte, n))),
        0..40,
    )
}

/// `n` bytes, in which every piece is different.
fn pattern(from: u8, n: usize) -> Vec<u8> {
    (0..n).map(|i| from.wrapping_add((i ^ i >> 8) as u8)).collect()
}

fn header(data_len: usize) -> impl Strategy<Value = Header> {
    let status = prop_oneof![
        any::<i32>().prop_map(Status::Exit),
        any::<i32>().prop_map(|signal| Status::Signal { signal })
    ];
    (
        option::of(status),
        option::of(0..=data_len),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
    )
        .prop_map(move |(status, stdout_len, truncated, timed_out)| Header {
            data_len,
            status,
            stdout_len,
            truncated,
            timed_out,
        })
}

fn messages() -> impl Strategy<Value = Vec<(Header, Vec<u8>)>> {
    bodies().prop_flat_map(|bodies| {
        bodies.into_iter().map(|body| (header(body.len()), Just(body))).collect::<Vec<_>>()
    })
}

/// Anything: good messages, lengths that are wrong or cut, headers that are wrong, noise.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let noise = || prop::collection::vec(any::<u8>(), 0..40);
    let piece = prop_oneof![
        noise(),
        noise().prop_map(|body| framed(&body)),
        any::<i32>().prop_map(|length| length.to_le_bytes().to_vec()),
        (0..50_i32).prop_map(|length| length.to_le_bytes().to_vec()),
        r#"\{("data_len": ?-?[0-9]{1,3},?|"status":null,?|"x":\[\]){0,3}\}"#
            .prop_map(|text| framed(text.as_bytes())),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn same_however_cut<F>(framing: F, stream: &[u8], cuts: &[usize]) -> Result<(), TestCaseError>
where
    F: Framing<Head: PartialEq + Debug> + Clone,
{
    let expected = decode(framing.clone(), stream, &[usize::MAX]);
    prop_assert_eq!(&decode(framing.clone(), stream, cuts), &expected);
    prop_assert_eq!(&decode(framing.clone(), stream, &[1]), &expected);
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    // The default looks for a lib.rs beside the test and complains that there is none.
    let failure_persistence = Some(Box::new(WithSource("proptest-regressions")) as Box<_>);
    let default = ProptestConfig::default();
    ProptestConfig { cases: cases.max(default.cases / 256 * cases), failure_persistence, ..default }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn prefixed_messages_arrive(bodies in bodies(), sizes in sizes()) {
        let mut stream = Vec::new();
        for body in &bodies {
            stream.extend(framed(body));
        }
        let expected: Outcome<()> = (bodies.into_iter().map(|body| ((), body)).collect(), Ok(()));
        prop_assert!(split(&stream, proto::MAX_FRAME) == expected);
        prop_assert!(decode(PrefixFraming::default(), &stream, &sizes) == expected);
    }

    #[test]
    fn lines_arrive_whatever_they_hold(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..40),
        sizes in sizes(),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| lines::encode(message)).collect();
        let (came, end) = decode(LinesFraming::default(), &stream, &sizes);
        let came: Vec<_> = came.iter().map(|(_, line)| lines::decode(line).unwrap()).collect();
        prop_assert_eq!((came, end), (messages, Ok(())));
    }

    #[test]
    fn messages_with_headers_arrive(messages in messages(), sizes in sizes()) {
        let mut stream = Vec::new();
        for (header, body) in &messages {
            stream.extend(json::encode_head(header, LENGTH_KEY).unwrap());
            stream.extend_from_slice(body);
        }
        prop_assert!(decode(JsonFraming::default(), &stream, &sizes) == (messages, Ok(())));
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn big_messages_arrive(lengths in prop::collection::vec(0..=1024 * 1024_usize, 1..4), sizes in sizes()) {
        // A megabyte in single bytes tells us no more than a kilobyte, and takes long.
        let sizes: Vec<_> = sizes.into_iter().map(|size| size.max(500)).collect();
        let bodies: Vec<_> = lengths.iter().map(|&n| pattern(1, n)).collect();
        let (mut prefixed, mut headed) = (Vec::new(), Vec::new());
        for body in &bodies {
            prefixed.extend(framed(body));
            headed.extend(json::encode_head(&Header { data_len: body.len(), ..Header::default() }, LENGTH_KEY).unwrap());
            headed.extend_from_slice(body);
        }
        for (_, end) in [&decode(PrefixFraming::default(), &prefixed, &sizes), &split(&prefixed, proto::MAX_FRAME)] {
            prop_assert_eq!(end, &Ok(()));
        }
        let got = |messages: Vec<((), Vec<u8>)>| messages.into_iter().map(|(_, body)| body).collect::<Vec<_>>();
        prop_assert!(got(decode(PrefixFraming::default(), &prefixed, &sizes).0) == bodies);
        let (messages, end) = decode(JsonFraming::default(), &headed, &sizes);
        prop_assert_eq!(end, Ok(()));
        prop_assert!(messages.into_iter().map(|(_, body)| body).collect::<Vec<_>>() == bodies);
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(stream in anything(), cuts in sizes(), announced in 0..100_usize) {
        same_however_cut(PrefixFraming { max_frame: 45 }, &stream, &cuts)?;
        same_however_cut(PrefixFraming { max_frame: usize::MAX }, &stream, &cuts)?;
        same_however_cut(JsonFraming { max_frame: 100, ..JsonFraming::default() }, &stream, &cuts)?;
        same_however_cut(LinesFraming::new(10), &stream, &cuts)?;
        same_however_cut(FixedFraming { size: NonZeroUsize::MIN.saturating_add(2) }, &stream, &cuts)?;
        prop_assert_eq!(&decode(PrefixFraming { max_frame: 45 }, &stream, &cuts), &split(&stream, 45));
        // KnownLength counts the bytes after its body that have arrived, so only the message is the same.
        let whole = decode(KnownLength::new(announced), &stream, &[usize::MAX]);
        let cut = decode(KnownLength::new(announced), &stream, &cuts);
        prop_assert_eq!((&cut.0, cut.1.is_ok()), (&whole.0, whole.1.is_ok()));
    }
}
