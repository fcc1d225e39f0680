//! The ack handshake: which texts are a length, and the one body after it.

mod whole;

use proto::ack::{KnownLength, OK, decode_length, decode_ok, encode_head};
use proto::{Decoder, FrameError, Part, Progress, ReadError};
use whole::read_frame;

#[test]
fn only_ok_is_an_ack() {
    assert_eq!(decode_ok(OK), Ok(()));
    for wrong in [*b"ok", *b"KO", *b"O\0", *b"ec"] {
        let text = wrong.escape_ascii().to_string().into();
        assert_eq!(decode_ok(&wrong), Err(FrameError::BadAck { text }));
    }
    for got in [0, 1] {
        let progress = Progress { part: Part::Ack, got, want: 2 };
        assert_eq!(decode_ok(&OK[..got]), Err(FrameError::Truncated(progress)));
    }
}

#[test]
fn length_texts() {
    let check = |text: &str, expected| {
        assert_eq!(decode_length(text.as_bytes(), 1000).ok(), expected, "{text:?}")
    };
    check("0", Some(0));
    check("327", Some(327));
    check("1000", Some(1000));
    check("0000000005", Some(5));
    check("1001", None);
    for wrong in [
        "",
        "-1",
        "+5",
        "5 ",
        " 5",
        "5\n",
        "٣",
        "1e3",
        "1_0",
        "0x5",
        "5.",
        "5\0",
        "00000000005",
        "OK",
    ] {
        check(wrong, None);
        let Err(FrameError::BadLength { text }) = decode_length(wrong.as_bytes(), 1000) else {
            panic!("{wrong:?} is not a length");
        };
        assert_eq!(*text, wrong.as_bytes().escape_ascii().to_string());
    }
}

#[test]
fn a_length_above_the_limit() {
    let check = |text: &[u8], length, limit| {
        assert_eq!(decode_length(text, limit), Err(FrameError::TooLong { length, limit }));
    };
    check(b"6", 6, 5);
    check(b"2147483648", 1 << 31, i32::MAX as usize);
    check(b"9999999999", 9_999_999_999, 5);
    assert_eq!(decode_length(b"2147483647", i32::MAX as usize), Ok(i32::MAX as usize));
}

/// A peer that sends a whole novel is not quoted in full.
#[test]
fn the_error_quotes_the_beginning() {
    let Err(FrameError::BadLength { text }) = decode_length(&[b'7'; 5000], 1000) else {
        panic!("5000 digits are not a length");
    };
    assert_eq!(&*text, "77777777777");
}

#[test]
fn lengths_round_trip() {
    for length in [0, 1, 9, 10, 65_536, i32::MAX as usize] {
        let text = encode_head(length).unwrap();
        assert_eq!(text, length.to_string().into_bytes());
        assert_eq!(decode_length(&text, length), Ok(length));
    }
}

#[test]
fn one_body_and_nothing_after_it() {
    let check = |announced, mut stream: &[u8], body: Option<&[u8]>, end| {
        let mut decoder = Decoder::new(KnownLength::new(announced));
        if let Some(body) = body {
            assert_eq!(read_frame(&mut stream, &mut decoder).unwrap().unwrap().body, body);
        }
        let got = match read_frame(&mut stream, &mut decoder) {
            Ok(None) => Ok(()),
            Err(ReadError::Frame(error)) => Err(error),
            other => panic!("{other:?}"),
        };
        assert_eq!(got, end);
    };
    check(5, b"hello", Some(b"hello"), Ok(()));
    check(0, b"", Some(b""), Ok(()));
    check(
        5,
        b"hell",
        None,
        Err(FrameError::Truncated(Progress { part: Part::Body, got: 4, want: 5 })),
    );
    check(5, b"", None, Err(FrameError::Truncated(Progress { part: Part::Body, got: 0, want: 5 })));
    // 327 is misread as 3: the rest of the bytes must be noticed, not read as the next answer.
    check(3, b"hello", Some(b"hel"), Err(FrameError::Trailing { count: 2 }));
    check(0, b"x", Some(b""), Err(FrameError::Trailing { count: 1 }));
}
