//! Headers that a program has to understand, whatever way they are written in.

use crate::labs::header::with_headers;
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

pub(super) const ORDER_AND_SPACES: Case = Case {
    id: "order-and-spaces",
    points: 1,
    rule: "members may come in any order, with or without white space around them",
    proves: &[("members", "another order, other white space")],
    hint: "Does a parser read your header, or do you compare its text?",
    fits: &[Fault::Short, Fault::Silent, Fault::Wrong],
    play: order_and_spaces,
};

fn order_and_spaces(trial: &mut Trial) -> Result<(), CaseFailure> {
    let tight = r#"{"op":"upper","data_len":6}"#;
    let wide = " {\r\n\t\"op\" : \"upper\" ,\n\t\"data_len\"\t: 6\n } ";
    let lines = "\n\r\t {\"data_len\":\n6,\"op\":\r\"upper\"\t}\n\n";
    with_headers(trial, "idle", &[tight, wide, lines], 6)
}

pub(super) const UNKNOWN_MEMBERS: Case = Case {
    id: "unknown-members",
    points: 2,
    rule: "members you don't know are ignored, even if they hold or resemble data_len and op",
    proves: &[
        ("members", "data_len and op in a string and in another object"),
        ("members", "data_len and op in capitals"),
    ],
    hint: "The word data_len may appear in a string or in another object, or be written Data_Len. Only the header's \
           own member of exactly this name counts.",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
    play: unknown_members,
};

fn unknown_members(trial: &mut Trial) -> Result<(), CaseFailure> {
    let inside = r#"{"note": "\"data_len\": 2, \"op\": \"count\"", "more": {"data_len": 3, "op": "reverse"},
        "list": [[1, -2.5e3], {"op": null}, true], "data_len": 7, "op": "upper", "last": {"data_len": 900}}"#;
    let capitals = r#"{"DATA_LEN": 2, "Op": "count", "data_len": 7, "op": "upper", "Data_Len": 3, "OP": "count"}"#;
    let nearly = r#"{"data_len ": 2, "data-len": 2, "dataLen": 2, "data_len": 7, " op": "count", "op": "upper", "ops": 2}"#;
    with_headers(trial, "idle", &[inside, capitals, nearly], 7)
}

pub(super) const EVERY_VALUE: Case = Case {
    id: "every-value",
    points: 1,
    rule: "a member you don't know may hold any value that JSON can write",
    proves: &[
        ("members", "each form of number, literal, array and object"),
        ("members", "2,000 members, an array of 10,001 numbers"),
    ],
    hint: "The report shows the header. Is there a kind of value that your parser doesn't know? Or does one of your \
           own checks look at a member that isn't yours?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
    play: every_value,
};

/// There are no numbers beyond 2^53, or too large for a double: the page doesn't say what to do with those.
const VALUES: [&str; 46] = [
    "0",
    "-0",
    "7",
    "-7",
    "9007199254740991",
    "-9007199254740991",
    "0.5",
    "-0.5",
    "10.25",
    "0.0",
    "1e5",
    "1E5",
    "1e+5",
    "1E-5",
    "-1.5e+10",
    "0e0",
    "0E-1",
    "1.0e-10",
    "true",
    "false",
    "null",
    r#""""#,
    r#"" ""#,
    "\"\u{7f}\"",
    r#""'""#,
    r#""//""#,
    r#""/* ""#,
    r#""{""#,
    r#""]}""#,
    r#"",""#,
    r#"":""#,
    r#""NaN""#,
    r#""-1""#,
    "[]",
    "[ \t]",
    "[[]]",
    "[[],[[]],{}]",
    r#"[1,"a",null,{},-2]"#,
    r#"["data_len",3,"op","count"]"#,
    "{}",
    "{ \n}",
    r#"{"":""}"#,
    r#"{"":{"":[]}}"#,
    r#"{"data_len":-1}"#,
    r#"{"data_len":true,"op":7}"#,
    r#"{"a":{"op":[]}}"#,
];

fn every_value(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut headers = Vec::new();
    for (number, value) in VALUES.iter().enumerate() {
        headers.push(match number % 3 {
            0 => format!(r#"{{"x": {value}, "data_len": 4, "op": "upper"}}"#),
            1 => format!(r#"{{"data_len":4,"x":{value},"op":"upper"}}"#),
            _ => format!(r#"{{"data_len": 4, "op": "upper", "": {value}}}"#),
        });
    }
    let members: String =
        (0..2_000).map(|number| format!(r#""member {number}": {number}, "#)).collect();
    headers.push(format!(r#"{{{members}"data_len": 4, "op": "upper"}}"#));
    let numbers = "-7,".repeat(10_000);
    headers.push(format!(r#"{{"data_len": 4, "op": "upper", "x": [{numbers}0]}}"#));
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    with_headers(trial, "idle", &headers, 4)
}

pub(super) const ESCAPES: Case = Case {
    id: "escapes",
    points: 1,
    rule: "a string means the same with escapes in it as without, in names and in values",
    proves: &[
        ("strings", "escaped letters in data_len and in upper"),
        ("strings", "each escape, and surrogate pairs"),
    ],
    hint: "JSON may write any character as \\u and four digits. Compare what a string means, not how it is written.",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
    play: escapes,
};

fn escapes(trial: &mut Trial) -> Result<(), CaseFailure> {
    let letters =
        r#"{"a \"name\\": "\ud83c\udf88 \/", "data\u005flen": 7, "op": "\u0075pp\u0065r"}"#;
    let each = r#"{"\"\\\/\b\f\n\r\t": "\"\\\/\b\f\n\r\t", "\u0022": "\u005c", "data_len": 7, "op": "upper"}"#;
    let hex = r#"{"\u00e9\u00E9\uD83C\uDF88\ud83C\uDf88": "\uFFFF\u001f",
        "\u0064\u0061\u0074\u0061\u005F\u006C\u0065\u006e": 7, "\u006f\u0070": "\u0075\u0070\u0070\u0065\u0072"}"#;
    let unlike = r#"{"\\u0064ata_len": 2, "data_len\n": 3, "\u005cu006fp": "count", "data_len": 7, "op": "upper"}"#;
    with_headers(trial, "idle", &[letters, each, hex, unlike], 7)
}

pub(super) const NON_ASCII_HEADER: Case = Case {
    id: "non-ascii-header",
    points: 1,
    rule: "the header is UTF-8, and its length counts bytes, wherever the stream is cut",
    proves: &[("utf-8", "characters of 2, 3 and 4 bytes, cut between the bytes")],
    hint: "Collect all bytes of the header, and only then make text of them: a piece may end inside a character.",
    fits: &[Fault::Short, Fault::Silent, Fault::Wrong],
    play: non_ascii_header,
};

fn non_ascii_header(trial: &mut Trial) -> Result<(), CaseFailure> {
    let header = r#"{"from": "Zoë, 東京 🎈", "größe": [], "data_len": 7, "op": "upper"}"#;
    let edges = "{\"\u{80}\u{7ff}\u{800}\u{d7ff}\": \"\u{e000}\u{ffff}\u{10000}\u{10ffff}\u{2028}\u{feff}\u{a0}\", \
                 \"data_len\": 7, \"op\": \"upper\"}";
    with_headers(trial, "cut=1", &[header, edges, header], 7)
}
