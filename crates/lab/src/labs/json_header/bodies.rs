//! What the program does with a body, and how long a body may be.

use std::time::Duration;

use super::strict::NOT_UTF8;
use crate::labs::framed::every_byte;
use crate::labs::header::{
    answered_with_errors, ask, converse, expect_answer, of_texts, request, with_header,
    with_headers,
};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// The longest body, in bytes.
const LARGEST: usize = 16 << 20;
/// How long a program may take for a body of this length and its answer.
const LARGEST_TAKES: Duration = Duration::from_secs(16);

pub(super) const UPPER: Case = Case {
    id: "upper",
    points: 1,
    rule: "upper changes only the bytes a to z, and the body need not be text",
    proves: &[("upper", "all 256 values")],
    hint: "A body is bytes. Can it always be decoded? And which letters does your function change?",
    fits: &[Fault::Wrong, Fault::Short],
    play: |trial| {
        let body = every_byte(trial);
        trial.start_tcp_server()?;
        ask(&mut trial.connect("idle")?, &body)
    },
};

/// é is one character, and so is e followed by a combining accent two; an emoji of a family is five.
const TEXTS: [&str; 5] =
    ["für 東京 🎈!", "e\u{301}é", "a\u{308}\u{323}", "👩\u{200d}👩\u{200d}👧", "🇯🇵 \r\n\t x\n"];

pub(super) const REVERSE: Case = Case {
    id: "reverse",
    points: 2,
    rule: "reverse puts the characters in reverse order, not their bytes, and data_len counts bytes",
    proves: &[
        ("reverse", "characters of 1 to 4 bytes"),
        ("answer", "an answer with characters of several bytes"),
    ],
    hint: "é is one character and two bytes. Do you measure the answer before you encode it, or after?",
    fits: &[Fault::Wrong, Fault::Extra, Fault::Form],
    play: |trial| of_texts(trial, "reverse", &TEXTS, reversed),
};

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

pub(super) const COUNT: Case = Case {
    id: "count",
    points: 1,
    rule: "count answers with the number of characters, not bytes, in decimal digits",
    proves: &[("count", "characters of 1 to 4 bytes")],
    hint: "Decode the body first. And what is data_len of this answer?",
    fits: &[Fault::Wrong, Fault::Extra, Fault::Form],
    play: count,
};

fn count(trial: &mut Trial) -> Result<(), CaseFailure> {
    let letters = trial.number(8, 30) as usize;
    let text = "x".repeat(letters) + "é東🎈";
    let texts: Vec<&str> = [text.as_str()].into_iter().chain(TEXTS).collect();
    of_texts(trial, "count", &texts, counted)
}

fn counted(text: &str) -> String {
    text.chars().count().to_string()
}

pub(super) const EDGE_CHARACTERS: Case = Case {
    id: "edge-characters",
    points: 1,
    rule: "the first and the last character of each length in UTF-8 are characters, and so are U+0000 and U+FEFF",
    proves: &[
        ("reverse", "the first and the last of each length in UTF-8"),
        ("count", "the first and the last of each length in UTF-8"),
    ],
    hint: "The step shows the characters. Which of them does your decoder drop, replace or refuse? Some treat U+FEFF \
           at the beginning as a byte order mark; here it is a character.",
    fits: &[Fault::Wrong, Fault::Extra, Fault::Short],
    play: edge_characters,
};

fn edge_characters(trial: &mut Trial) -> Result<(), CaseFailure> {
    let texts = [
        "\u{feff}a\u{feff}",
        "\0\u{1}\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{10ffff}",
    ];
    of_texts(trial, "count", &texts, counted)?;
    of_texts(trial, "reverse", &texts, reversed)
}

pub(super) const EMPTY_BODY: Case = Case {
    id: "empty-body",
    points: 1,
    rule: "a body of 0 bytes is a body, and so is one of 1: the request is answered, and the connection stays open",
    proves: &[
        ("data-len", "0 bytes are answered"),
        ("data-len", "1 byte is answered"),
        ("upper", "an empty body"),
        ("reverse", "an empty body"),
        ("count", "an empty body"),
    ],
    hint: "Having nothing to read isn't the end of the stream. How many characters are there in 0 bytes?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
    play: empty_body,
};

fn empty_body(trial: &mut Trial) -> Result<(), CaseFailure> {
    let requests = [
        ("upper", ""),
        ("count", ""),
        ("reverse", ""),
        ("upper", "a"),
        ("count", "b"),
        ("upper", "abc"),
    ];
    let requests: Vec<u8> =
        requests.iter().flat_map(|(op, body)| request(op, body.as_bytes())).collect();
    converse(trial, &requests, &["", "0", "", "A", "1", "ABC"].map(|body| body.into()))
}

pub(super) const LARGE_BODY: Case = Case {
    id: "large-body",
    points: 1,
    rule: "64 KiB is the limit for the header, not for the body: 200,000 bytes are answered",
    proves: &[("data-len", "200,000 bytes are answered, more than a header may have")],
    hint: "Which length do you compare with which limit? Does one call send everything?",
    fits: &[Fault::Short, Fault::Silent, Fault::Reset],
    play: |trial| with_headers(trial, "idle", &[r#"{"data_len": 200000, "op": "upper"}"#], 200_000),
};

pub(super) const LARGEST_BODY: Case = Case {
    id: "largest-body",
    points: 1,
    rule: "bodies of 16,777,215 and of 16,777,216 bytes are answered, within 16 s",
    proves: &[
        ("data-len", "16,777,215 bytes are answered"),
        ("data-len", "16,777,216 bytes are answered"),
        ("pace", "16 MiB"),
    ],
    hint: "What is the largest body that your program accepts, and how many bytes does each of its reads take?",
    fits: &[Fault::Short, Fault::Reset, Fault::Wrong],
    play: largest_body,
};

fn largest_body(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let body = trial.text(4 << 10).repeat(LARGEST >> 12);
    trial.allow(LARGEST_TAKES);
    peer.send(&request("count", &body[1..]))?;
    expect_answer(&mut peer, (LARGEST - 1).to_string().as_bytes())?;
    trial.allow(LARGEST_TAKES);
    ask(&mut peer, &body)
}

pub(super) const CANNOT_DO: Case = Case {
    id: "cannot-do",
    points: 2,
    rule: "a request that was read but can't be carried out is answered with an error, and the connection stays open",
    proves: &[
        ("error", "an unknown op"),
        ("error", "an op that isn't a string"),
        ("error", "no op"),
    ],
    hint: "You still know where the next request begins. Do you read this one's body before you answer? And what does \
           your program do with an op that is a number or a list?",
    fits: &[Fault::Wrong, Fault::Form, Fault::Extra, Fault::Short, Fault::Silent],
    play: cannot_do,
};

/// The value of `op`, as JSON.
const OPS: [&str; 18] = [
    r#""Upper""#,
    r#""UPPER""#,
    r#"" upper""#,
    r#""upper ""#,
    r#""upper\n""#,
    r#""uppe""#,
    r#""uppercase""#,
    r#""""#,
    r#""error""#,
    "7",
    "0",
    "null",
    "true",
    "[]",
    r#"["upper"]"#,
    "{}",
    r#"{"op": "upper"}"#,
    "-1.5",
];

fn cannot_do(trial: &mut Trial) -> Result<(), CaseFailure> {
    // The body is a request itself: if the program leaves it in the stream, it is answered.
    let body = request("upper", b"abc");
    let length = body.len();
    let ops = OPS.map(|op| (format!(r#"{{"data_len": {length}, "op": {op}}}"#), &body[..]));
    let none = [
        (r#"{"data_len":0}"#.to_owned(), &b""[..]),
        (r#"{"data_len": 3}"#.to_owned(), b"abc"),
        (r#"{"data_len": 3, "Op": "upper", "OP": "upper", "op ": "upper"}"#.to_owned(), b"abc"),
        (r#"{"data_len": 3, "more": {"op": "upper"}}"#.to_owned(), b"abc"),
    ];
    let named = |(header, body): (String, &[u8])| {
        let length = body.len();
        (format!("header: {header}, and {length} bytes"), with_header(&header, body))
    };
    answered_with_errors(trial, none.into_iter().chain(ops).map(named))
}

pub(super) const NOT_TEXT: Case = Case {
    id: "not-text",
    points: 1,
    rule: "reverse and count for a body that isn't UTF-8 are answered with an error, and the connection stays open",
    proves: &[("error", "a body that isn't UTF-8, for each possible reason")],
    hint: "The step shows the bytes. Which decoder do you use, and does it replace or skip what it can't decode?",
    fits: &[Fault::Form, Fault::Short, Fault::Silent],
    play: not_text,
};

fn not_text(trial: &mut Trial) -> Result<(), CaseFailure> {
    let ops = NOT_UTF8.iter().zip(["reverse", "count"].iter().cycle());
    // Every body is sent with both ops, but not in a row: all 20 bodies first, then all of them again with the other
    // op.
    let others = NOT_UTF8.iter().zip(["count", "reverse"].iter().cycle());
    let named = |(bytes, op): (&&[u8], &&str)| {
        let body = [b"ab", *bytes].concat();
        (format!("{op} of \"{}\"", body.escape_ascii()), request(op, &body))
    };
    answered_with_errors(trial, ops.chain(others).map(named))
}
