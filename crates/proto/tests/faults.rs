//! What a peer can do wrong, and what must come of it. The rows of the plan, and where each is tested:
//!
//! | fault | test |
//! |---|---|
//! | end of stream at byte 0, inside the length, inside the payload | `the_stream_ends`, for JSON `the_stream_ends_with_a_json_header` |
//! | length -1, `i32::MIN`, at the limit, one above, `i32::MAX` | `lengths` |
//! | a length of `i32::MAX` costs at most 1 MiB, and at most twice what came | `a_promise_costs_nothing`; `properties.rs` |
//! | one byte at a time | `cuts.rs`: `byte_by_byte` |
//! | every 1-cut and 2-cut split of every frame up to 64 bytes | `cuts.rs`: `every_split_of_every_frame_up_to_64_bytes` |
//! | all 65,536 ways to cut 17 bytes | `cuts.rs`: `every_way_to_cut_17_bytes` |
//! | trailing bytes after a frame | `cuts.rs`: `trailing_bytes_stay_untouched`, `the_end_of_a_long_message_is_the_end_of_the_room` |
//! | Interrupted, WouldBlock anywhere while reading | `cuts.rs`: `interrupted_anywhere_is_retried`, `would_block_and_time_outs_anywhere_lose_nothing` |
//! | Interrupted, WouldBlock anywhere while writing; a write that takes few bytes, or none | `outgoing.rs`, every test |
//! | any call after an error | `an_error_is_for_ever`, `a_truncation_is_for_ever` |
//! | encoding more than `i32::MAX` bytes | `too_long_to_encode` |
//! | ack length text | `ack.rs`: `length_texts` |
//! | JSON header | `json.rs`: `headers`, `header_lengths`, `ten_thousand_levels_deep`, `strange_members_pass` |
//! | any bytes at all | `properties.rs` |

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "so a test fails")]

mod whole;

use proto::ack::{self, KnownLength};
use proto::json::{self, Header, JsonFraming};
use proto::prefix::{self, PrefixFraming};
use proto::{Decoder, EncodeError, FrameError, Framing, Part, ReadError};
use whole::read_frame;

/// The bodies of a whole stream, and how it ended.
fn decode<F: Framing>(framing: F, mut stream: &[u8]) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let mut decoder = Decoder::new(framing);
    let mut bodies = Vec::new();
    loop {
        match read_frame(&mut stream, &mut decoder) {
            Ok(Some(frame)) => bodies.push(frame.body.to_vec()),
            Ok(None) => return (bodies, Ok(())),
            Err(ReadError::Frame(error)) => return (bodies, Err(error)),
            Err(ReadError::Io(error)) => panic!("{error}"),
        }
    }
}

#[test]
fn the_stream_ends() {
    let check = |stream: &[u8], bodies: &[&[u8]], end| {
        let (got, got_end) = decode(PrefixFraming::default(), stream);
        assert_eq!(
            (&got[..], got_end),
            (&bodies.iter().map(|b| b.to_vec()).collect::<Vec<_>>()[..], end)
        );
    };
    let truncated = |part, got, want| Err(FrameError::Truncated { part, got, want });
    check(b"", &[], Ok(()));
    check(b"\x02", &[], truncated(Part::Length, 1, 4));
    check(b"\x02\0\0", &[], truncated(Part::Length, 3, 4));
    check(b"\x02\0\0\0", &[], truncated(Part::Body, 0, 2));
    check(b"\x02\0\0\0h", &[], truncated(Part::Body, 1, 2));
    check(b"\x02\0\0\0hi", &[b"hi"], Ok(()));
    check(b"\0\0\0\0", &[b""], Ok(()));
    check(b"\0\0\0\0\0\0\0\0", &[b"", b""], Ok(()));
    check(b"\x02\0\0\0hi\x02", &[b"hi"], truncated(Part::Length, 1, 4));
    check(b"\x02\0\0\0hi\x02\0\0\0h", &[b"hi"], truncated(Part::Body, 1, 2));
}

#[test]
fn the_stream_ends_with_a_json_header() {
    let mut stream = json::encode_head(&Header { data_len: 3, ..Header::default() }).unwrap();
    stream.extend(b"abc");
    let head_len = stream.len() - 3;
    for end in 0..=stream.len() {
        let expected = match end {
            0 => Ok(()),
            1..4 => Err((Part::Length, end, 4)),
            _ if end < head_len => Err((Part::Header, end - 4, head_len - 4)),
            _ if end < stream.len() => Err((Part::Body, end - head_len, 3)),
            _ => Ok(()),
        };
        let expected =
            expected.map_err(|(part, got, want)| FrameError::Truncated { part, got, want });
        assert_eq!(decode(JsonFraming::default(), &stream[..end]).1, expected, "after {end} bytes");
    }
}

#[test]
fn lengths() {
    let check = |length: i32, max_frame, expected| {
        let stream = [&length.to_le_bytes()[..], b"hello"].concat();
        let (bodies, end) = decode(PrefixFraming { max_frame }, &stream);
        assert_eq!(end, expected, "{length}");
        assert_eq!(bodies.len(), usize::from(end.is_ok()));
    };
    check(-1, 5, Err(FrameError::Negative { length: -1 }));
    check(i32::MIN, 5, Err(FrameError::Negative { length: i32::MIN }));
    check(5, 5, Ok(()));
    check(5, 4, Err(FrameError::TooLong { length: 5, limit: 4 }));
    check(i32::MAX, 5, Err(FrameError::TooLong { length: i32::MAX as u64, limit: 5 }));
    // The tutorial's order of bytes, which is not the Internet's.
    assert_eq!(
        decode(PrefixFraming::default(), b"\x01\x02\0\0").1,
        Err(FrameError::Truncated { part: Part::Body, got: 0, want: 513 })
    );
    let limit = proto::MAX_FRAME;
    let length = limit as u64 + 1;
    assert_eq!(
        decode(PrefixFraming::default(), b"\x01\0\0\x01").1,
        Err(FrameError::TooLong { length, limit })
    );
}

/// Every wrong stream, after a good message: the good one comes, then the error, then only the error.
#[test]
fn an_error_is_for_ever() {
    fn check<F: Framing>(framing: F, good: &[u8], wrong: &[u8]) {
        let mut decoder = Decoder::new(framing);
        let mut stream = [good, wrong].concat();
        let mut from = &stream[..];
        assert_eq!(read_frame(&mut from, &mut decoder).unwrap().unwrap().body, b"hi");
        let Err(ReadError::Frame(error)) = read_frame(&mut from, &mut decoder).map(|_| ()) else {
            panic!("{wrong:?} was accepted");
        };
        for _ in 0..2 {
            assert_eq!(decoder.decode().err().as_ref(), Some(&error));
            assert_eq!(decoder.finish(), Err(error.clone()));
            // A good message, right where the error was: no way back.
            stream.splice(.., good.iter().copied());
            let mut from = &stream[..];
            assert!(
                matches!(read_frame(&mut from, &mut decoder), Err(ReadError::Frame(again)) if again == error)
            );
            assert_eq!(from.len(), good.len(), "nothing more is read");
            decoder.space()[..good.len()].copy_from_slice(good);
            decoder.filled(good.len());
        }
    }
    let good = b"\x02\0\0\0hi";
    check(PrefixFraming { max_frame: 5 }, good, &(-1_i32).to_le_bytes());
    check(PrefixFraming { max_frame: 5 }, good, b"\x06\0\0\0");
    check(PrefixFraming::default(), good, b"\x05\0\0\0hell");
    check(PrefixFraming::default(), good, b"\x05\0\0");
    check(KnownLength::new(2), b"hi", b"!");
    let good = b"\x0e\0\0\0{\"data_len\":2}hi";
    check(JsonFraming::default(), good, b"\0\0\0\0");
    check(JsonFraming::default(), good, b"\x02\0\0\0{}");
    check(JsonFraming::default(), good, b"\x02\0\0\0{");
}

/// The end of the stream comes before anybody asked: the error is the same, and stays.
#[test]
fn a_truncation_is_for_ever() {
    fn check<F: Framing>(framing: F, wrong: &[u8], error: &FrameError) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..wrong.len()].copy_from_slice(wrong);
        decoder.filled(wrong.len());
        for _ in 0..2 {
            assert_eq!(decoder.finish(), Err(error.clone()));
            assert_eq!(decoder.decode().err().as_ref(), Some(error));
            // What was missing comes too late.
            decoder.space()[0] = 0;
            decoder.filled(1);
        }
    }
    check(
        PrefixFraming::default(),
        b"\x01\0\0",
        &FrameError::Truncated { part: Part::Length, got: 3, want: 4 },
    );
    check(
        PrefixFraming::default(),
        b"\x01\0\0\0",
        &FrameError::Truncated { part: Part::Body, got: 0, want: 1 },
    );
    check(KnownLength::new(3), b"ab", &FrameError::Truncated { part: Part::Body, got: 2, want: 3 });
    check(PrefixFraming::default(), &[0xff; 4], &FrameError::Negative { length: -1 });
}

/// Asking whether the end is a good one takes nothing away.
#[test]
fn finish_before_decode() {
    fn check<F: Framing>(framing: F, stream: &[u8]) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..stream.len()].copy_from_slice(stream);
        decoder.filled(stream.len());
        assert_eq!(decoder.finish(), Ok(()), "whole messages, not asked for yet");
        assert!(matches!(decoder.decode(), Ok(Some(frame)) if stream.ends_with(frame.body)));
        assert!(matches!(decoder.decode(), Ok(None)));
        assert_eq!(decoder.finish(), Ok(()));
    }
    check(PrefixFraming::default(), b"\x02\0\0\0hi");
    check(JsonFraming::default(), b"\x0e\0\0\0{\"data_len\":2}hi");
    check(KnownLength::new(2), b"hi");
    check(KnownLength::new(0), b"");
}

#[test]
fn a_promise_costs_nothing() {
    const MIB: usize = 1024 * 1024;
    fn check<F: Framing>(framing: F, head: &[u8]) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..head.len()].copy_from_slice(head);
        decoder.filled(head.len());
        let mut came = 0;
        while came < 5 * MIB {
            assert!(matches!(decoder.decode(), Ok(None)));
            let n = decoder.space().len().min(1000);
            decoder.filled(n);
            came += n;
            let limit = if came < MIB / 2 { MIB } else { 2 * (came + head.len()) };
            assert!(decoder.capacity() <= limit, "{} after {came}", decoder.capacity());
        }
    }
    let most = i32::MAX as usize;
    check(PrefixFraming { max_frame: most }, &i32::MAX.to_le_bytes());
    check(KnownLength::new(most), b"");
    check(KnownLength::new(usize::MAX), b"");
    let head = json::encode_head(&Header { data_len: most, ..Header::default() }).unwrap();
    check(JsonFraming { max_frame: most }, &head);
    check(JsonFraming { max_frame: usize::MAX }, b"\x21\0\0\0{\"data_len\": 9223372036854775807}");
}

/// One large message in a long connection does not hold its memory for ever.
#[test]
fn a_large_buffer_goes_back() {
    let mut stream = Vec::new();
    prefix::encode(&vec![7; 5_000_000], &mut stream).unwrap();
    prefix::encode(&vec![7; 5_000_000], &mut stream).unwrap();
    prefix::encode(b"hi", &mut stream).unwrap();
    let mut from = &stream[..];
    let mut decoder = Decoder::new(PrefixFraming::default());
    read_frame(&mut from, &mut decoder).unwrap();
    decoder.space();
    let kept = decoder.capacity();
    assert!((5_000_004..5_300_000).contains(&kept), "{kept}: the next may be as large");
    read_frame(&mut from, &mut decoder).unwrap();
    read_frame(&mut from, &mut decoder).unwrap();
    assert!(read_frame(&mut from, &mut decoder).unwrap().is_none());
    assert!(decoder.capacity() < 1024 * 1024, "{}", decoder.capacity());
}

#[test]
#[should_panic = "more than space() offered"]
fn more_than_was_offered() {
    let mut decoder = Decoder::new(PrefixFraming::default());
    let room = decoder.space().len();
    decoder.filled(room + 1);
}

#[test]
fn prefixes() {
    for (length, prefix) in [
        (0, [0, 0, 0, 0]),
        (123, [0x7b, 0, 0, 0]),
        (256, [0, 1, 0, 0]),
        (i32::MAX as usize, [0xff, 0xff, 0xff, 0x7f]),
    ] {
        assert_eq!(prefix::encode_head(length), Ok(prefix));
    }
    let mut out = b"before".to_vec();
    prefix::encode(b"hello", &mut out).unwrap();
    prefix::encode(b"", &mut out).unwrap();
    assert_eq!(out, b"before\x05\0\0\0hello\0\0\0\0");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn too_long_to_encode() {
    let length = i32::MAX as usize + 1;
    for length in [length, u32::MAX as usize, usize::MAX] {
        let error = EncodeError { length };
        assert_eq!(prefix::encode_head(length), Err(error));
        assert_eq!(ack::encode_head(length), Err(error));
        assert_eq!(
            json::encode_head(&Header { data_len: length, ..Header::default() }),
            Err(error)
        );
        assert!(error.to_string().contains(&length.to_string()));
    }
    // Zeros that nobody reads: the system promises this memory and never provides it.
    let mut out = b"before".to_vec();
    assert_eq!(prefix::encode(&vec![0; length], &mut out), Err(EncodeError { length }));
    assert_eq!(out, b"before");
}

/// Every error names what was expected and what came.
#[test]
fn errors_say_what_came() {
    let check = |error: FrameError, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert_eq!(ReadError::from(error).to_string(), text);
    };
    check(
        FrameError::Truncated { part: Part::Length, got: 3, want: 4 },
        &["length prefix", "3 of 4"],
    );
    check(FrameError::Truncated { part: Part::Header, got: 9, want: 14 }, &["header", "9 of 14"]);
    check(FrameError::Truncated { part: Part::Body, got: 0, want: 7 }, &["body", "0 of 7"]);
    check(FrameError::Negative { length: -5 }, &["0 or more", "-5"]);
    check(FrameError::TooLong { length: 9, limit: 8 }, &["at most 8", "got 9", "--max-frame"]);
    check(FrameError::BadLength { text: "+5".into() }, &["1 to 10", "\"+5\""]);
    check(FrameError::Trailing { count: 3 }, &["nothing", "3 more"]);
    check(FrameError::BadHeader { reason: "why".into() }, &["data_len", "why"]);
}
