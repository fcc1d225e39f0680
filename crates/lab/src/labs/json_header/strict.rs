//! Headers that a program has to refuse, each with the body that a lenient parser would expect.

use crate::labs::header::{head, next_peer, refused, shown, with_header};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// The connection should have been closed, and wasn't.
pub(super) const NOT_CLOSED: &[Fault] = &[Fault::Extra, Fault::Open, Fault::Ended];

pub(super) const HEADER_NO_OBJECT: Case = Case {
    id: "header-no-object",
    points: 2,
    rule: "a header that isn't a JSON object in UTF-8 closes the connection, without an answer; the next peer is \
           served",
    proves: &[
        ("object", "a header that isn't an object, or is only the beginning of one"),
        ("closed", "after a header"),
    ],
    hint: "Which errors can your parser raise, and where is each of them caught? And what do you have once [] or 7 is \
           parsed?",
    fits: NOT_CLOSED,
    play: header_no_object,
};

fn header_no_object(trial: &mut Trial) -> Result<(), CaseFailure> {
    let headers: [&[u8]; 16] = [
        b"hello",
        b"{\"data_len\": 3",
        b"{\"data_len\": 3, \"op\": \"upper\"",
        b"{\"data_len\": 3, \"op\": \"upper",
        b"[]",
        b"[{\"data_len\": 3, \"op\": \"upper\"}]",
        b"[\"data_len\", 3, \"op\", \"upper\"]",
        b"null",
        b"7",
        b"true",
        b"\"data_len\"",
        b"{a:0}",
        b"{}",
        b"{",
        b" ",
        b"{\"data_len\":0,\"\xff\":1}",
    ];
    refuse_each(trial, headers)
}

pub(super) const STRICT_FORM: Case = Case {
    id: "strict-form",
    points: 1,
    rule: "a header that is nearly JSON, with an extra comma, a comment or something after it, closes the connection, \
           without an answer",
    proves: &[
        ("object", "commas, colons, brackets, quotes, names and comments that JSON doesn't have"),
        ("object", "something after the object"),
        ("object", "characters that aren't white space in JSON"),
    ],
    hint: "Does your parser read JSON, or some language's or configuration file's version of it? And do you check that \
           nothing comes after the object?",
    fits: NOT_CLOSED,
    play: |trial| refuse_each(trial, FORMS.map(str::as_bytes)),
};

const FORMS: [&str; 35] = [
    // Commas, colons, brackets.
    r#"{"data_len": 3, "op": "upper",}"#,
    r#"{,"data_len": 3, "op": "upper"}"#,
    r#"{"data_len": 3,, "op": "upper"}"#,
    r#"{"data_len": 3 "op": "upper"}"#,
    r#"{"data_len": 3; "op": "upper"}"#,
    r#"{"data_len" = 3, "op" = "upper"}"#,
    r#"{"data_len" 3, "op" "upper"}"#,
    r#"{"data_len": 3, "op": "upper", "x": [1,]}"#,
    r#"{"data_len": 3, "op": "upper", "x": [1 2]}"#,
    r#"{"data_len": 3, "op": "upper", "x": [,1]}"#,
    r#"{"data_len": 3, "op": "upper", "x": [}"#,
    r#"{"data_len": 3, "op": "upper", "x": }"#,
    r#"{"data_len": 3, "op": "upper", "x"}"#,
    r#"{"data_len": 3, "op": "upper"]"#,
    // Quotes, names, literals, comments.
    r#"{'data_len': 3, 'op': 'upper'}"#,
    r#"{data_len: 3, op: "upper"}"#,
    r#"{"data_len": 3, "op": "upper", 7: 1}"#,
    r#"{"data_len": 3, "op": "upper", "x": True}"#,
    r#"{"data_len": 3, "op": "upper", "x": None}"#,
    r#"{"data_len": 3, "op": "upper", "x": undefined}"#,
    r#"{"data_len": 3, "op": "upper", "x": nul}"#,
    r#"{"data_len": 3, "op": "upper", "x": TRUE}"#,
    r#"{"data_len": 3, /* three */ "op": "upper"}"#,
    "{\"data_len\": 3, // three\n\"op\": \"upper\"}",
    "# three\n{\"data_len\": 3, \"op\": \"upper\"}",
    // Something after the object.
    r#"{"data_len": 3, "op": "upper"}}"#,
    r#"{"data_len": 3, "op": "upper"} {}"#,
    r#"{"data_len": 3, "op": "upper"}, 1"#,
    "{\"data_len\": 3, \"op\": \"upper\"};\n",
    "{\"data_len\": 3, \"op\": \"upper\"}\0",
    // White space.
    "{\"data_len\":\u{0c}3, \"op\": \"upper\"}",
    "{\"data_len\":\u{0b}3, \"op\": \"upper\"}",
    "{\"data_len\":\u{a0}3, \"op\": \"upper\"}",
    "{\"data_len\":\u{2028}3, \"op\": \"upper\"}",
    "{\"data_len\":\u{feff}3, \"op\": \"upper\"}",
];

pub(super) const STRICT_NUMBERS: Case = Case {
    id: "strict-numbers",
    points: 1,
    rule: "a number that JSON doesn't have, NaN for example, anywhere in the header closes the connection, without an \
           answer",
    proves: &[("object", "numbers that JSON doesn't have")],
    hint: "Some parsers accept NaN and Infinity unless you tell them not to; in Python's json.loads, that's what \
           parse_constant is for. What does yours do with them?",
    fits: NOT_CLOSED,
    play: |trial| refuse_values(trial, &NUMBERS),
};

const NUMBERS: [&str; 23] = [
    "NaN",
    "Infinity",
    "-Infinity",
    "-NaN",
    "nan",
    "inf",
    "01",
    "-01",
    "00",
    "+1",
    ".5",
    "-.5",
    "5.",
    "1.e2",
    "1e",
    "1e+",
    "1E",
    "-",
    "--1",
    "0x10",
    "1_000",
    "1.2.3",
    "\u{661}",
];

pub(super) const STRICT_STRINGS: Case = Case {
    id: "strict-strings",
    points: 1,
    rule: "a string with an escape that JSON doesn't have, or with a control character in it, closes the connection, \
           without an answer",
    proves: &[("object", "escapes that JSON doesn't have, and control characters in a string")],
    hint: "In a JSON string, a line end or a tab is written as an escape, and there are only nine kinds of escapes. \
           What does your parser do with any other?",
    fits: NOT_CLOSED,
    play: |trial| refuse_values(trial, &STRINGS),
};

const STRINGS: [&str; 20] = [
    r#""\x41""#,
    r#""\u12""#,
    r#""\u12g4""#,
    r#""\u 123""#,
    r#""\u+123""#,
    r#""\u{41}""#,
    r#""\U00000041""#,
    r#""\a""#,
    r#""\v""#,
    r#""\0""#,
    r#""\'""#,
    "\"\\\n\"",
    r#""\"#,
    r#""a"b""#,
    "\"\n\"",
    "\"\t\"",
    "\"\r\"",
    "\"\0\"",
    "\"\u{1f}\"",
    "\"a\u{1}b\"",
];

fn refuse_values(trial: &mut Trial, values: &[&str]) -> Result<(), CaseFailure> {
    let text = |value: &&str| format!(r#"{{"data_len": 3, "op": "upper", "x": {value}}}"#);
    refuse_each(trial, values.iter().map(text))
}

pub(super) const STRICT_ENCODING: Case = Case {
    id: "strict-encoding",
    points: 1,
    rule: "a header that isn't UTF-8 but UTF-16, for example, closes the connection, without an answer",
    proves: &[
        ("utf-8", "UTF-16 and UTF-32"),
        ("utf-8", "bytes that are never UTF-8: overlong, a surrogate, above U+10FFFF, unfinished"),
    ],
    hint: "Some parsers take bytes and guess their encoding, and some replace what they can't decode. What decodes \
           your header, and how strictly?",
    fits: NOT_CLOSED,
    play: strict_encoding,
};

/// Bytes that are not UTF-8, for each reason that a decoder may overlook (RFC 3629, section 3).
pub(super) const NOT_UTF8: [&[u8]; 20] = [
    b"\xff",
    b"\xfe",
    b"a\x80",
    b"\xbf",
    // An incomplete character, at the end and before another one.
    b"\xc3",
    b"\xc3 ",
    b"\xe6\x9d",
    b"\xe6\x9d ",
    b"\xf0\x9f\x8e",
    b"\xf0\x9f\x8e ",
    // Longer than necessary.
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    // Surrogates, alone and in a pair.
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\xbc\xed\xbe\x88",
    // Above U+10FFFF.
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
];

fn strict_encoding(trial: &mut Trial) -> Result<(), CaseFailure> {
    let text = r#"{"data_len": 3, "op": "upper"}"#;
    let mut headers = Vec::new();
    for text in [text.to_owned(), format!("\u{feff}{text}")] {
        headers.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        headers.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        headers.push(text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect());
        headers.push(text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect());
    }
    let parts = [br#"{"data_len": 3, "op": "upper", "x": ""#.as_slice(), b"\"}"];
    headers.extend(NOT_UTF8.map(|bytes| parts.join(bytes)));
    refuse_each(trial, headers)
}

/// Sends each of these headers, with a body of three bytes.
fn refuse_each(
    trial: &mut Trial,
    headers: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<(), CaseFailure> {
    refused(
        trial,
        headers.into_iter().map(|header| {
            let header = header.as_ref();
            let text = str::from_utf8(header).map(shown);
            let text = text.unwrap_or_else(|_| header.escape_ascii().to_string());
            (format!("header: {text}"), [&head(header)[..], b"abc"].concat())
        }),
    )
}

pub(super) const DEEP: Case = Case {
    id: "deep",
    points: 1,
    rule: "a header with 30,000 brackets nested inside each other may be answered or refused, but the next peer is \
           served",
    proves: &[("deep", "30,000 brackets")],
    hint: "How does your parser tell you that a text is nested too deeply? It may not be the error that you get for \
           bad JSON.",
    fits: &[Fault::Ended, Fault::Silent, Fault::Open],
    play: deep,
};

fn deep(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let arrays = "[".repeat(30_000) + &"]".repeat(30_000);
    let objects = r#"{"":"#.repeat(10_000) + "0" + &"}".repeat(10_000);
    for deep in [arrays, objects] {
        let mut peer = trial.connect("idle")?;
        let header = format!(r#"{{"data_len": 0, "op": "upper", "deep": {deep}}}"#);
        peer.send(&with_header(&header, b""))?;
        peer.end()?;
        peer.read_to_end("whatever the program answers")?;
        drop(peer);
        next_peer(trial)?;
    }
    Ok(())
}
