//! What a peer can do wrong, and what must happen then. Each fault, and the tests that cover it:
//!
//! | fault | test |
//! |---|---|
//! | end of stream at byte 0, inside the length, inside the payload | `the_stream_ends`, for JSON `the_stream_ends_with_a_json_header` |
//! | length -1, `i32::MIN`, at the limit, one above, `i32::MAX` | `lengths` |
//! | a length of `i32::MAX` costs at most 1 MiB, and at most twice what came | `decoder.rs`: `a_promise_costs_nothing`, `memory_grows_with_what_came` |
//! | one byte at a time | `cuts.rs`: `byte_by_byte` |
//! | every 1-cut and 2-cut split of every frame up to 64 bytes | `cuts.rs`: `every_split_of_every_frame_up_to_64_bytes` |
//! | all 65,536 ways to cut 17 bytes | `cuts.rs`: `every_way_to_cut_17_bytes` |
//! | trailing bytes after a frame | `cuts.rs`: `trailing_bytes_stay_untouched`, `the_end_of_a_long_message_is_the_end_of_the_room` |
//! | Interrupted, WouldBlock anywhere while reading | `cuts.rs`: `interrupted_anywhere_is_retried`, `would_block_and_time_outs_anywhere_lose_nothing` |
//! | Interrupted, WouldBlock anywhere while writing; a write that takes few bytes, or none | `outgoing.rs`, every test |
//! | any call after an error | `errors_are_sticky`, `a_truncation_is_sticky` |
//! | encoding more than `i32::MAX` bytes | `too_long_to_encode` |
//! | lines: an end inside one, at the limit, above it, none at all, wrong escapes, a lone CR | `lines_end`, `lines_have_a_limit`, `what_is_no_line` |
//! | fixed length: the end inside a record, a message that doesn't fit one | `records_end`, `what_has_no_record` |
//! | ack length text | `ack.rs`: `length_texts` |
//! | JSON header | `json.rs`, every test |
//! | end of stream, or silence, where an answer is due | `the_stream_ends_before_an_answer`, `progress` |
//! | bytes after an answer that nobody announced | `unannounced_bytes` |
//! | bytes before a request was sent | `unasked_bytes_are_shown_if_they_are_a_message` |
//! | any bytes at all | `properties.rs` |

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "so a test fails")]

mod whole;

use std::num::NonZeroUsize;

use proto::ack::{self, KnownLength};
use proto::fixed::{self, FixedFraming, NoRecord};
use proto::json::{self, Header, JsonFraming, LENGTH_KEY};
use proto::lines::{self, LinesFraming};
use proto::prefix::{self, PrefixFraming};
use proto::{Decoder, EncodeError, FrameError, Framing, Part, Progress, ReadError};
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
    let truncated = |part, got, want| Err(FrameError::Truncated(Progress { part, got, want }));
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
    let mut stream =
        json::encode_head(&Header { data_len: 3, ..Header::default() }, LENGTH_KEY).unwrap();
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
        let expected = expected
            .map_err(|(part, got, want)| FrameError::Truncated(Progress { part, got, want }));
        assert_eq!(decode(JsonFraming::default(), &stream[..end]).1, expected, "after {end} bytes");
    }
}

#[test]
fn lines_end() {
    let (lines, end) = decode(LinesFraming::default(), b"hi\n\r\n\n");
    assert_eq!((lines, end), (vec![b"hi\n".to_vec(), b"\r\n".to_vec(), b"\n".to_vec()], Ok(())));
    assert_eq!(decode(LinesFraming::default(), b"").1, Ok(()));
    for (stream, says) in [
        (&b"hi\nhello"[..], "the stream ended inside a line: 5 bytes came, and no line feed"),
        (b"hi\n\r", "the stream ended inside a line: 1 byte came, and no line feed"),
    ] {
        let (lines, end) = decode(LinesFraming::default(), stream);
        assert_eq!((lines.len(), end.unwrap_err().to_string().as_str()), (1, says));
    }
    let mut decoder = Decoder::new(LinesFraming::default());
    decoder.space()[..3].copy_from_slice(b"abc");
    decoder.filled(3);
    assert_eq!(decoder.decode(), Ok(None));
    assert_eq!(decoder.progress().to_string(), "3 bytes of a line");
}

#[test]
fn lines_have_a_limit() {
    let long = || Err(FrameError::LongLine { limit: 4 });
    for (stream, count, end) in [
        (&b"1234\n"[..], 1, Ok(())),
        (b"1\n1234\n", 2, Ok(())),
        (b"1\n12345\n", 1, long()),
        // The line is already too long: there is no waiting for the rest of it.
        (b"12345", 0, long()),
        (b"123\r\n", 1, Ok(())),
        (b"1234\r\n", 0, long()),
    ] {
        let (lines, came) = decode(LinesFraming::new(4), stream);
        assert_eq!((lines.len(), came), (count, end), "{}", stream.escape_ascii());
    }
    // A peer that never ends its line: memory grows to the limit, and not beyond.
    let mut decoder = Decoder::new(LinesFraming::default());
    let mut came = 0;
    while decoder.decode() == Ok(None) {
        let n = decoder.space().len();
        decoder.space().fill(b'x');
        decoder.filled(n);
        came += n;
    }
    assert!(came < 4096, "{came}");
}

#[test]
fn what_is_no_line() {
    for message in [&b""[..], b"hi", b"a\nb", b"\r\n", b"\\n", b"\\", b"\\\n", b"\0\xff"] {
        let line = lines::encode(message);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(lines::decode(&line), Ok(message.to_vec()), "{}", message.escape_ascii());
    }
    assert_eq!(lines::decode(b"hi\r\n"), Ok(b"hi".to_vec()));
    for (line, reason) in [
        (&b"a\\tb\n"[..], "a backslash with \"t\" after it means nothing"),
        (b"a\\\n", "it ends in a backslash that escapes nothing"),
        (b"a\rb\n", "it has a carriage return without a line feed after it"),
        (b"a\r\r\n", "it has a carriage return without a line feed after it"),
    ] {
        let error = lines::decode(line).unwrap_err();
        assert_eq!(error.to_string(), format!("expected a line, but {reason}"));
    }
}

#[test]
fn records_end() {
    let size = NonZeroUsize::new(4).unwrap();
    let (records, end) = decode(FixedFraming { size }, b"hi\0\0\0\0\0\0");
    assert_eq!((records.len(), end), (2, Ok(())));
    assert_eq!(records.iter().map(|it| fixed::decode(it)).collect::<Vec<_>>(), [&b"hi"[..], b""]);
    let (records, end) = decode(FixedFraming { size }, b"hi\0\0h");
    let says = "the stream ended inside the record: 1 of 4 bytes came";
    assert_eq!((records.len(), end.unwrap_err().to_string().as_str()), (1, says));
    assert_eq!(decode(FixedFraming { size }, b"").1, Ok(()));
}

#[test]
fn what_has_no_record() {
    let size = NonZeroUsize::new(4).unwrap();
    assert_eq!(fixed::encode(b"", size), Ok(vec![0; 4]));
    assert_eq!(fixed::encode(b"a\0bc", size), Ok(b"a\0bc".to_vec()));
    assert_eq!(fixed::encode(b"hello", size), Err(NoRecord::TooLong { length: 5, size: 4 }));
    assert_eq!(fixed::encode(b"a\0", size), Err(NoRecord::EndsInZero));
}

#[test]
fn lengths() {
    let check = |length: i32, max_frame, expected| {
        let stream = [&length.to_le_bytes()[..], b"hello"].concat();
        let (bodies, end) = decode(PrefixFraming { max_frame }, &stream);
        assert_eq!(end, expected, "{length}");
        assert_eq!(bodies.len(), usize::from(end.is_ok()));
    };
    let wrong = |bytes, most| Err(FrameError::BadPrefix { bytes, allowed: 0..=most });
    check(-1, 5, wrong([0xff; 4], 5));
    check(i32::MIN, 5, wrong([0, 0, 0, 0x80], 5));
    check(5, 5, Ok(()));
    check(5, 4, wrong([5, 0, 0, 0], 4));
    check(i32::MAX, 5, wrong([0xff, 0xff, 0xff, 0x7f], 5));
    check(-1, usize::MAX, wrong([0xff; 4], i32::MAX));
    // The tutorial's byte order, which is not the Internet's.
    assert_eq!(
        decode(PrefixFraming::default(), b"\x01\x02\0\0").1,
        Err(FrameError::Truncated(Progress { part: Part::Body, got: 0, want: 513 }))
    );
    let above = decode(PrefixFraming::default(), b"\x01\0\0\x01").1;
    assert_eq!(above, wrong([1, 0, 0, 1], proto::MAX_FRAME as i32));
}

/// Every wrong stream, after a good message: the good one is returned, then the error, and from then on only the error.
#[test]
fn errors_are_sticky() {
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
            assert_eq!(decoder.check_end(), Err(error.clone()));
            // A good message, right where the error was: it doesn't help.
            stream.splice(.., good.iter().copied());
            let mut from = &stream[..];
            assert!(
                matches!(read_frame(&mut from, &mut decoder), Err(ReadError::Frame(again)) if again == error)
            );
            assert_eq!(from.len(), good.len(), "nothing more is read");
            let n = decoder.space().len();
            decoder.filled(n);
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

/// The stream ends before the decoder was asked: the error is the same, and stays.
#[test]
fn a_truncation_is_sticky() {
    fn check<F: Framing>(framing: F, wrong: &[u8], error: &FrameError) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..wrong.len()].copy_from_slice(wrong);
        decoder.filled(wrong.len());
        for _ in 0..2 {
            assert_eq!(decoder.check_end(), Err(error.clone()));
            assert_eq!(decoder.decode().err().as_ref(), Some(error));
            // The missing bytes arrive too late.
            decoder.space()[0] = 0;
            decoder.filled(1);
        }
    }
    check(
        PrefixFraming::default(),
        b"\x01\0\0",
        &FrameError::Truncated(Progress { part: Part::Length, got: 3, want: 4 }),
    );
    check(
        PrefixFraming::default(),
        b"\x01\0\0\0",
        &FrameError::Truncated(Progress { part: Part::Body, got: 0, want: 1 }),
    );
    check(
        KnownLength::new(3),
        b"ab",
        &FrameError::Truncated(Progress { part: Part::Body, got: 2, want: 3 }),
    );
    check(
        PrefixFraming::default(),
        &[0xff; 4],
        &FrameError::BadPrefix { bytes: [0xff; 4], allowed: 0..=proto::MAX_FRAME as i32 },
    );
}

/// Checking the end takes no message away.
#[test]
fn check_end_before_decode() {
    fn check<F: Framing>(framing: F, stream: &[u8]) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..stream.len()].copy_from_slice(stream);
        decoder.filled(stream.len());
        assert_eq!(decoder.check_end(), Ok(()), "whole messages, not asked for yet");
        assert!(matches!(decoder.decode(), Ok(Some(frame)) if stream.ends_with(frame.body)));
        assert!(matches!(decoder.decode(), Ok(None)));
        assert_eq!(decoder.check_end(), Ok(()));
    }
    check(PrefixFraming::default(), b"\x02\0\0\0hi");
    check(JsonFraming::default(), b"\x0e\0\0\0{\"data_len\":2}hi");
    check(KnownLength::new(2), b"hi");
    check(KnownLength::new(0), b"");
}

/// Where an answer is due, the end of the stream is an error even between two messages.
#[test]
fn the_stream_ends_before_an_answer() {
    fn check<F: Framing>(framing: F, stream: &[u8], expected: FrameError, words: &str) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..stream.len()].copy_from_slice(stream);
        decoder.filled(stream.len());
        while decoder.decode().unwrap().is_some() {}
        for _ in 0..2 {
            assert_eq!(decoder.unexpected_end(), expected);
            assert_eq!(decoder.decode().err().as_ref(), Some(&expected));
        }
        assert!(expected.to_string().contains(words), "{expected}");
    }
    let inside = |part, got, want| FrameError::Truncated(Progress { part, got, want });
    let prefix = PrefixFraming::default();
    check(prefix, b"", FrameError::NoAnswer, "the stream ended before an answer");
    check(prefix, b"\x02\0\0\0hi", FrameError::NoAnswer, "ended before an answer");
    check(prefix, b"\x02", inside(Part::Length, 1, 4), "inside the length prefix: 1 of 4 bytes");
    check(prefix, b"\x02\0\0\0", inside(Part::Body, 0, 2), "inside the body: 0 of 2 bytes came");
    check(KnownLength::new(2), b"", inside(Part::Body, 0, 2), "inside the body: 0 of 2 bytes came");
    check(KnownLength::new(2), b"hi", FrameError::NoAnswer, "ended before an answer");
    let json = b"\x0e\0\0\0{\"data_len\"";
    check(
        JsonFraming::default(),
        json,
        inside(Part::Header, 11, 14),
        "inside the header: 11 of 14",
    );
}

/// What a timeout says: how much of which piece had arrived.
#[test]
fn progress() {
    fn check<F: Framing>(framing: F, stream: &[u8], expected: &[&str]) {
        let mut decoder = Decoder::new(framing);
        let mut said = Vec::new();
        for byte in stream {
            decoder.decode().unwrap();
            said.push(decoder.progress().to_string());
            decoder.space()[0] = *byte;
            decoder.filled(1);
        }
        assert!(decoder.decode().unwrap().is_some());
        decoder.decode().unwrap();
        said.push(decoder.progress().to_string());
        said.dedup();
        assert_eq!(said, expected);
    }
    let lengths =
        ["0 of 4", "1 of 4", "2 of 4", "3 of 4"].map(|n| format!("{n} bytes of the length prefix"));
    let [none, one, two, three] = lengths.each_ref().map(String::as_str);
    let body = ["0 of 2 bytes of the body", "1 of 2 bytes of the body"];
    check(
        PrefixFraming::default(),
        b"\x02\0\0\0hi",
        &[none, one, two, three, body[0], body[1], none],
    );
    check(KnownLength::new(2), b"hi", &[body[0], body[1], "0 of 1 bytes of the length prefix"]);
    let mut decoder = Decoder::new(JsonFraming::default());
    decoder.space()[..7].copy_from_slice(b"\x0e\0\0\0{\"d");
    decoder.filled(7);
    decoder.decode().unwrap();
    assert_eq!(decoder.progress(), Progress { part: Part::Header, got: 3, want: 14 });
    // More arrives than belongs to this piece, and the decoder isn't asked: it is not counted.
    decoder.space()[..20].fill(0);
    decoder.filled(20);
    assert_eq!(decoder.progress(), Progress { part: Part::Header, got: 14, want: 14 });
}

/// Between an answer and the next request there must be nothing unread.
#[test]
fn unannounced_bytes() {
    fn check<F: Framing>(framing: F, stream: &[u8], expected: Result<(), FrameError>) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..stream.len()].copy_from_slice(stream);
        decoder.filled(stream.len());
        assert!(decoder.decode().unwrap().is_some());
        assert_eq!(decoder.expect_nothing_more(0), expected);
        assert_eq!(decoder.expect_nothing_more(0), expected);
        assert_eq!(decoder.decode().map(|_| ()), expected, "errors are sticky");
    }
    let prefix = PrefixFraming::default();
    check(prefix, b"\x02\0\0\0hi", Ok(()));
    check(prefix, b"\x02\0\0\0hi!", Err(FrameError::Trailing { count: 1 }));
    check(prefix, b"\x02\0\0\0hi\0\0\0\0", Err(FrameError::Trailing { count: 4 }));
    check(KnownLength::new(2), b"hi", Ok(()));
    check(KnownLength::new(2), b"hi!", Err(FrameError::Trailing { count: 1 }));
    let json = JsonFraming::default;
    check(json(), b"\x0e\0\0\0{\"data_len\":2}hi", Ok(()));
    check(json(), b"\x0e\0\0\0{\"data_len\":2}hi\n", Err(FrameError::Trailing { count: 1 }));
}

/// A server that refuses a client doesn't wait for its request.
#[test]
fn unasked_bytes_are_shown_if_they_are_a_message() {
    fn check<F: Framing>(framing: F, stream: &[u8], waiting: usize, says: &str) {
        let mut decoder = Decoder::new(framing);
        decoder.space()[..stream.len()].copy_from_slice(stream);
        decoder.filled(stream.len());
        let error = decoder.unasked(waiting);
        assert_eq!(error.to_string(), format!("expected nothing, got {says}"));
        assert_eq!(decoder.decode().map(|_| ()), Err(error), "errors are sticky");
    }
    let prefix = PrefixFraming::default;
    check(prefix(), b"\x03\0\0\0hi\n", 0, "7 more bytes: \"hi\"");
    check(
        prefix(),
        b"\x06\0\0\0\xe4\xbd\xa0\x1b\"\xff!",
        9,
        "20 more bytes: \"你\\u{1b}\\\"\u{fffd}\"",
    );
    check(prefix(), b"\x04\0\0\0hi\n", 0, "7 more bytes");
    check(prefix(), b"\0\0\0\0", 0, "4 more bytes");
    check(prefix(), b"\xff\xff\xff\xff", 3, "7 more bytes");
    let json = b"\x0e\0\0\0{\"data_len\":2}hi";
    check(JsonFraming::default(), json, 0, "20 more bytes: \"hi\"");
    check(KnownLength::new(0), b"2", 0, "1 more byte");
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
            json::encode_head(&Header { data_len: length, ..Header::default() }, LENGTH_KEY),
            Err(error)
        );
        assert!(error.to_string().contains(&length.to_string()));
    }
}

/// Every error says what was expected and what was received.
#[test]
fn errors_say_what_came() {
    let check = |error: FrameError, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains("; "), "{text}: the program adds what to try, after a semicolon");
        assert_eq!(ReadError::from(error).to_string(), text);
    };
    check(
        FrameError::Truncated(Progress { part: Part::Length, got: 3, want: 4 }),
        &["length prefix", "3 of 4"],
    );
    check(
        FrameError::Truncated(Progress { part: Part::Header, got: 9, want: 14 }),
        &["header", "9 of 14"],
    );
    check(
        FrameError::Truncated(Progress { part: Part::Body, got: 0, want: 7 }),
        &["body", "0 of 7"],
    );
    check(FrameError::NoAnswer, &["ended before an answer"]);
    let length = |bytes: &[u8; 4]| FrameError::BadPrefix { bytes: *bytes, allowed: 0..=1000 };
    let negative = length(&[0xfb, 0xff, 0xff, 0xff]);
    check(negative.clone(), &["from 0 to 1000", "-5", "fb ff ff ff", "other byte order -67108865"]);
    assert!(!negative.looks_like_text() && !negative.to_string().contains("text"));
    check(length(b"\0\0\0\x05"), &["got 83886080", "(00 00 00 05,", "other byte order 5)"]);
    let big_endian = FrameError::BadBigEndian { bytes: *b"\x05\0\0\0", allowed: 0..=1000 };
    check(big_endian, &["got 83886080", "(05 00 00 00,", "other byte order 5)"]);
    for (bytes, text) in
        [(b"ls -", "ls -"), (b"pwd\n", "pwd\\n"), (b"GET ", "GET "), (b"\"'\\~", "\\\"\\'\\\\~")]
    {
        let error = length(bytes);
        assert!(error.looks_like_text());
        check(error, &[&format!("as text \"{text}\"")]);
    }
    for bytes in [b"ls\0\0", b"ls \x7f", b"ls \x1b", b"l\xc3\xa9s"] {
        assert!(!length(bytes).looks_like_text());
    }
    assert!(!FrameError::TooLong { length: 9, limit: 8 }.looks_like_text());
    check(FrameError::TooLong { length: 9, limit: 8 }, &["at most 8", "got 9"]);
    check(FrameError::NoMemory { wanted: 9 }, &["no memory", "9 bytes"]);
    check(FrameError::BadLength { text: "+5".into() }, &["1 to 10", "\"+5\""]);
    check(FrameError::Trailing { count: 3 }, &["nothing", "3 more"]);
    check(FrameError::Trailing { count: 1 }, &["1 more byte"]);
    check(
        FrameError::BadHeader { reason: "it is not an object".into() },
        &["JSON header, but it is not"],
    );
    check(
        FrameError::NoLengthKey { reason: "no size, and no other member".into() },
        &["it has no size"],
    );
}
