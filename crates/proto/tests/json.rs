//! The JSON header: strict where the stream depends on it, lenient elsewhere.

#![allow(clippy::panic, clippy::unwrap_used, reason = "so a test fails")]

use proto::json::{Header, JsonFraming, LENGTH_KEY, MAX_HEADER, Status, encode_head};
use proto::{Decoder, FrameError, Framing, Parsed, prefix};

fn data_len(data_len: usize) -> Header {
    Header { data_len, ..Header::default() }
}

/// What the framing reads from a header with this text.
fn decode_header(text: &[u8]) -> Result<Header, FrameError> {
    decode_with(LENGTH_KEY, text)
}

fn decode_with(length_key: &str, text: &[u8]) -> Result<Header, FrameError> {
    let mut framing = JsonFraming { max_frame: usize::MAX, length_key: length_key.into() };
    let prefix = prefix::encode_head(text.len()).unwrap();
    match framing.head(&[&prefix[..], text].concat())? {
        Parsed::Head { head, .. } => Ok(head),
        Parsed::NeedMore(progress) => panic!("the whole header is there: {progress}"),
    }
}

#[test]
fn headers() {
    let check = |text: &[u8], expected: Option<usize>| match (decode_header(text), expected) {
        (Ok(header), Some(expected)) => assert_eq!(header, data_len(expected)),
        (Err(FrameError::BadHeader { .. } | FrameError::NoLengthKey { .. }), None) => {}
        (got, _) => panic!("{}: {got:?}", text.escape_ascii()),
    };
    check(br#"{"data_len":5}"#, Some(5));
    check(br#"{"data_len": 5}"#, Some(5)); // as Python's json.dumps writes it
    check(b" \t\r\n{ \"data_len\" : 0 } \n", Some(0));
    check(br#"{"data\u005flen":5}"#, Some(5));
    check(br#"{"name":"x","data_len":5,"md5":null,"more":{"data_len":[6]}}"#, Some(5));
    check(br#"{"data_len":9223372036854775807}"#, Some(i64::MAX as usize));

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

/// Serde would recurse, and the stack is limited.
#[test]
fn ten_thousand_levels_deep() {
    let deep = |open: &str, close: &str| open.repeat(10_000) + close + &close.repeat(9_999);
    let arrays = deep("[", "]");
    let is_bad = |text: &str| {
        let error = decode_header(text.as_bytes()).unwrap_err();
        assert!(matches!(error, FrameError::BadHeader { .. }), "{text:.40}");
        assert!(error.to_string().len() < 200, "{error}");
    };
    is_bad(&arrays);
    is_bad(&"[".repeat(MAX_HEADER));
    is_bad(&r#"{"data_len":"#.repeat(5000));
    is_bad(&format!(r#"{{"data_len":{arrays}}}"#));
    // Skipped without recursion, also under a name of ours.
    let objects = r#"{"x":"#.repeat(10_000) + "1" + &"}".repeat(10_000);
    for key in ["x", "status", "truncated"] {
        for value in [&arrays, &objects].map(|value| value.trim_end_matches(',')) {
            let text = format!(r#"{{"{key}":{value},"data_len":5}}"#);
            assert_eq!(decode_header(text.as_bytes()), Ok(data_len(5)), "{key}");
        }
    }
}

/// If the peer uses one of our names for something else, only that member is lost.
#[test]
fn strange_members_pass() {
    let check = |members: &str, expected: Header| {
        let text = format!(r#"{{"data_len":5,{members}}}"#);
        assert_eq!(decode_header(text.as_bytes()), Ok(expected), "{members}");
    };
    for strange in [
        "null",
        "\"fine\"",
        "[1,2]",
        "1.5",
        "{\"signal\":\"nine\"}",
        "99999999999999999999",
        r#""\ud800""#,
        "1e999",
        r#"{"\udc00":[{}]}"#,
        "-0",
    ] {
        check(&format!("\"status\":{strange}"), data_len(5));
        check(&format!("\"stdout_len\":{strange}"), data_len(5));
        check(&format!("\"truncated\":{strange}"), data_len(5));
        check(&format!("\"timed_out\":{strange}"), data_len(5));
    }
    let kept = Header { truncated: Some(true), stdout_len: Some(3), ..data_len(5) };
    check(r#""status":"fine","truncated":true,"stdout_len":3"#, kept.clone());
    check(r#""truncated":true,"stdout_len":3,"timed_out":"late""#, kept);
}

/// Any value under a name that we don't know.
#[test]
fn unknown_members_pass() {
    for member in [
        r#""x":"\ud800""#,
        r#""\udfff":1"#,
        r#""x":1e99999,"y":-123456789012345678901234567890.5E-7"#,
        r#""x":null,"x":[],"":{}"#,
        r#""status":1,"status":"fine""#,
        r#""md5":"d41d8cd98f00b204e9800998ecf8427e","文件名":"图片.png""#,
    ] {
        for text in
            [format!(r#"{{"data_len":5,{member}}}"#), format!(r#"{{{member},"data_len":5}}"#)]
        {
            assert_eq!(decode_header(text.as_bytes()), Ok(data_len(5)), "{text}");
        }
    }
    let twice = br#"{"status":1,"data_len":5,"status":2}"#;
    let last = Header { status: Some(Status::Exit(2)), ..data_len(5) };
    assert_eq!(decode_header(twice), Ok(last), "as in Python");
}

/// Many programs of this lesson call the length `total_size`, `data_size` or `recv_size`.
#[test]
fn the_length_under_another_key() {
    let full = Header {
        data_len: 5,
        status: Some(Status::Exit(1)),
        stdout_len: Some(3),
        truncated: Some(true),
        timed_out: Some(false),
    };
    for key in ["total_size", "数据长度", "a \"quoted\" key", "", "\u{1}\u{e000}"] {
        let head = encode_head(&full, key).unwrap();
        assert_eq!(decode_with(key, &head[4..]), Ok(full.clone()), "{key:?}");
    }
    assert_eq!(decode_with("total_size", br#"{"data_len":"big","total_size":5}"#), Ok(data_len(5)));
    let escaped = br#"{"total\u005fsize":5}"#;
    assert_eq!(decode_with("total_size", escaped), Ok(data_len(5)));
    let twice = br#"{"total_size":5,"data_len":5,"total\u005fsize":5}"#;
    let error = decode_with("total_size", twice).unwrap_err();
    assert!(error.to_string().ends_with("total_size comes twice"), "{error}");

    // The name of an optional member: then it is only the length.
    let head = encode_head(&full, "stdout_len").unwrap();
    let text = r#"{"stdout_len":5,"status":1,"truncated":true,"timed_out":false}"#;
    assert_eq!(str::from_utf8(&head[4..]), Ok(text));
    assert_eq!(decode_with("stdout_len", &head[4..]), Ok(Header { stdout_len: None, ..full }));
}

#[test]
fn errors_name_what_is_wrong() {
    let check = |text: &[u8], expected: &str| {
        let error = decode_header(text).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
        for word in ["; ", "usize", "u64", "i64", "struct", "expected a map", "--"] {
            assert!(!error.contains(word), "{error}");
        }
    };
    check(b"{\"\xff\":1}", "but its byte 2 is not UTF-8");
    check("\u{feff}{\"data_len\":5}".as_bytes(), "but it begins with a byte order mark");
    check(b"[5]", "but it is not an object: [5]");
    check(b"\x00{}", "but it is not an object: \\0{}");
    check(b"hi\n", "but it is not an object: hi\\n");
    check(br#"{"data_len":5"#, "it is not JSON: EOF while parsing an object at line 1 column 13");
    check(br#"{"data_len":5}x"#, "it is not JSON: trailing characters at line 1 column 15");
    check(br#"{"data_len":NaN}"#, "it is not JSON: NaN is not a JSON number");
    check(br#"{"x":[1,NaN],"data_len":5}"#, "it is not JSON: NaN is not a JSON number");
    check(br#"{"data_len": Infinity}"#, "it is not JSON: Infinity is not a JSON number");
    check(br#"{"data_len":-Infinity}"#, "it is not JSON: -Infinity is not a JSON number");
    check(b"{\n    \"x\": -Infinity,\n    \"data_len\": 5\n}", "-Infinity is not a JSON number");
    check(br#"{"data_len":x,"x":"NaN","y":NaN}"#, "expected value at line 1 column 13");
    check(br#"{"x":"NaN","data_len":5,}"#, "trailing comma at line 1 column 25");
    check(
        br#"{"data_len":5.0}"#,
        "data_len is 5.0, not a whole number from 0 to 9223372036854775807",
    );
    check(
        br#"{"data_len":"3"}"#,
        "data_len is \"3\", not a whole number from 0 to 9223372036854775807",
    );
    check(
        br#"{"data_len":null}"#,
        "data_len is null, not a whole number from 0 to 9223372036854775807",
    );
    check(br#"{"data_len":1,"data_len":1}"#, "data_len comes twice");
    check(b"{}", "with the length of the body, but it has no data_len, and no other member");
    check(br#"{"total_size":5}"#, "it has no data_len, only total_size");
    check(
        br#"{"a\n":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#,
        "no data_len, only a\\n, b, c, d and 2 more",
    );
    let long = format!(r#"{{"{}":1,"\ud800":2}}"#, "数".repeat(100));
    check(long.as_bytes(), &format!("only {}…, \u{fffd}\u{fffd}\u{fffd}", "数".repeat(24)));
    check(
        format!(r#"{{"data_len":"{}"}}"#, "9".repeat(1000)).as_bytes(),
        "…, not a whole number from 0 to 9223372036854775807",
    );
}

#[test]
fn heads() {
    let check = |header: Header, text: &str| {
        let head = encode_head(&header, LENGTH_KEY).unwrap();
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
    let mut decoder = Decoder::new(JsonFraming { max_frame, ..JsonFraming::default() });
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
    for wrong in [-1, 0, most + 1, i32::MAX] {
        let expected = FrameError::BadPrefix { bytes: wrong.to_le_bytes(), allowed: 1..=most };
        assert_eq!(decode(wrong, b"", 5), Err(expected));
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
