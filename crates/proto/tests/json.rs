//! The JSON header: strict where the stream depends on it, lenient elsewhere.

use proto::json::{Header, JsonFraming, MAX_HEADER, Status, decode_header, encode_head};
use proto::{Decoder, FrameError};

fn data_len(data_len: usize) -> Header {
    Header { data_len, ..Header::default() }
}

#[test]
fn headers() {
    let check = |text: &[u8], expected: Option<usize>| match (decode_header(text), expected) {
        (Ok(header), Some(expected)) => assert_eq!(header, data_len(expected)),
        (Err(FrameError::BadHeader { reason }), None) => assert!(!reason.is_empty()),
        (got, _) => panic!("{}: {got:?}", text.escape_ascii()),
    };
    check(br#"{"data_len":5}"#, Some(5));
    check(br#"{"data_len": 5}"#, Some(5)); // as Python's json.dumps writes it
    check(b" \t\r\n{ \"data_len\" : 0 } \n", Some(0));
    check(br#"{"data\u005flen":5}"#, Some(5));
    check(br#"{"name":"x","data_len":5,"md5":null,"more":{"data_len":[6]}}"#, Some(5));
    check(br#"{"data_len":9223372036854775807}"#, Some(i64::MAX as usize));

    check(b"", None);
    check(b" ", None);
    check(b"{", None);
    check(b"{}", None);
    check(b"\xff\xfe", None);
    check(b"{\"data_len\":5,\"x\":\"\xff\"}", None);
    check(b"\xef\xbb\xbf{\"data_len\":5}", None); // a byte order mark
    check(b"{\"data_len\":5}\0", None);
    check(br#"{"data_len":5}{}"#, None);
    check(br#"{"data_len":5,}"#, None);
    check(br"{'data_len':5}", None);
    check(b"[5]", None);
    check(b"[5,null,null,null,null]", None);
    check(b"5", None);
    check(b"null", None);
    check(br#""data_len""#, None);
    check(br#"{"Data_len":5}"#, None);
    check(br#"{"more":{"data_len":5}}"#, None);

    check(br#"{"data_len":5,"data_len":5}"#, None);
    check(br#"{"data_len":5,"data\u005flen":6}"#, None);
    check(br#"{"data\u005flen":5,"x":0,"data_len":6}"#, None);

    for number in [
        "-1", "-0", "1.5", "5.0", "1e1", "\"3\"", "null", "true", "[5]", "{}", "05", "0x5", "+5",
        "NaN",
    ] {
        check(format!("{{\"data_len\":{number}}}").as_bytes(), None);
    }
    for number in ["9223372036854775808", "18446744073709551615", "18446744073709551616"] {
        check(format!("{{\"data_len\":{number}}}").as_bytes(), None);
    }
}

/// Serde would recurse, and a stack ends.
#[test]
fn ten_thousand_levels_deep() {
    let deep = |open: &str, close: &str| open.repeat(10_000) + close + &close.repeat(9_999);
    let arrays = deep("[", "]");
    let is_bad = |text: &str| {
        assert!(
            matches!(decode_header(text.as_bytes()), Err(FrameError::BadHeader { .. })),
            "{:.40}",
            text
        );
    };
    is_bad(&arrays);
    is_bad(&"[".repeat(MAX_HEADER));
    is_bad(&r#"{"data_len":"#.repeat(5000));
    is_bad(&(r#"{"x":"#.repeat(10_000) + "1" + &"}".repeat(10_000)));
    is_bad(&format!(r#"{{"data_len":{arrays}}}"#));
    is_bad(&format!(r#"{{"data_len":5,"status":{arrays}}}"#));
    // Passed over without recursion, like every member that we do not know.
    assert_eq!(
        decode_header(format!(r#"{{"data_len":5,"x":{arrays}}}"#).as_bytes()),
        Ok(data_len(5))
    );
}

/// A stranger's use of one of our names costs that member and no other.
#[test]
fn strange_members_pass() {
    let check = |members: &str, expected: Header| {
        let text = format!(r#"{{"data_len":5,{members}}}"#);
        assert_eq!(decode_header(text.as_bytes()), Ok(expected), "{members}");
    };
    for strange in
        ["null", "\"fine\"", "[1,2]", "1.5", "{\"signal\":\"nine\"}", "99999999999999999999"]
    {
        check(&format!("\"status\":{strange}"), data_len(5));
        check(&format!("\"stdout_len\":{strange}"), data_len(5));
        check(&format!("\"truncated\":{strange}"), data_len(5));
        check(&format!("\"timed_out\":{strange}"), data_len(5));
    }
    let kept = Header { truncated: Some(true), stdout_len: Some(3), ..data_len(5) };
    check(r#""status":"fine","truncated":true,"stdout_len":3"#, kept.clone());
    check(r#""truncated":true,"stdout_len":3,"timed_out":"late""#, kept);
}

#[test]
fn heads() {
    let check = |header: Header, text: &str| {
        let head = encode_head(&header).unwrap();
        let (prefix, json) = head.split_at(4);
        assert_eq!(prefix, i32::try_from(json.len()).unwrap().to_le_bytes());
        assert_eq!(str::from_utf8(json).unwrap(), text);
        assert_eq!(decode_header(json), Ok(header));
        assert!(head.len() < 200);
    };
    check(data_len(5), r#"{"data_len":5}"#);
    check(
        Header {
            data_len: i32::MAX as usize,
            status: Some(Status::Exit(i32::MIN)),
            stdout_len: Some(i32::MAX as usize),
            truncated: Some(false),
            timed_out: Some(false),
        },
        r#"{"data_len":2147483647,"status":-2147483648,"stdout_len":2147483647,"truncated":false,"timed_out":false}"#,
    );
    check(
        Header { status: Some(Status::Signal { signal: 9 }), timed_out: Some(true), ..data_len(0) },
        r#"{"data_len":0,"status":{"signal":9},"timed_out":true}"#,
    );
}

/// What the decoder says to `length` and this much of a header.
fn decode(length: i32, header: &[u8], max_frame: usize) -> Result<bool, FrameError> {
    let mut decoder = Decoder::new(JsonFraming { max_frame });
    let stream = [&length.to_le_bytes()[..], header].concat();
    let mut rest = &stream[..];
    while !rest.is_empty() {
        let space = decoder.space();
        let n = rest.len().min(space.len());
        space[..n].copy_from_slice(&rest[..n]);
        decoder.filled(n);
        rest = &rest[n..];
    }
    Ok(decoder.decode()?.is_some())
}

#[test]
fn header_lengths() {
    let most = i32::try_from(MAX_HEADER).unwrap();
    assert_eq!(decode(-1, b"", 5), Err(FrameError::Negative { length: -1 }));
    for wrong in [0, most + 1, i32::MAX] {
        let Err(FrameError::BadHeader { reason }) = decode(wrong, b"", 5) else {
            panic!("a header of {wrong} bytes was accepted");
        };
        assert!(reason.contains(&format!("length is {wrong}")), "{reason}");
    }
    let widest = format!("{{\"data_len\":0{:1$}}}", "", MAX_HEADER - 14);
    assert_eq!(decode(most, widest.as_bytes(), 5), Ok(true));
    assert_eq!(decode(most, &widest.as_bytes()[1..], 5), Ok(false), "one byte is missing");
}

#[test]
fn body_lengths() {
    let header = |n: u64| format!("{{\"data_len\":{n:20}}}");
    let check = |length, limit, expected| {
        let header = header(length);
        assert_eq!(
            decode(header.len().try_into().unwrap(), header.as_bytes(), limit),
            expected,
            "{length}"
        );
    };
    let too_long = |length, limit| Err(FrameError::TooLong { length, limit });
    check(0, 0, Ok(true));
    check(5, 5, Ok(false));
    check(6, 5, too_long(6, 5));
    check(i64::MAX as u64, 5, too_long(i64::MAX as u64, 5));
}
