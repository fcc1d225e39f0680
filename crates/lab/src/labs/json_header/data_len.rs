//! Values of `data_len` that a program has to refuse, each with the body that a lenient program would read.

use super::strict::NOT_CLOSED;
use crate::labs::header::{refused, with_header};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::CaseFailure;

pub(super) const DATA_LEN: Case = Case {
    id: "data-len",
    points: 2,
    rule: "a data_len that is missing or not a whole number from 0 to 16 MiB closes the connection, without an \
           answer; the next peer is served",
    proves: &[
        ("data-len", "16,777,217 is refused"),
        ("data-len", "-1 is refused"),
        ("data-len", "numbers that are in range only when cut to 32 or 64 bits"),
        ("data-len", "a decimal point or an exponent"),
        ("data-len", "a value that isn't a number, or isn't JSON"),
        ("data-len", "no data_len"),
        ("closed", "after a data_len"),
    ],
    hint: "Is it there? Is it a number (true and \"3\" aren't)? Is it written without a decimal point or an exponent? \
           Is it in range? Check before you read the body.",
    fits: NOT_CLOSED,
    play: data_len,
};

/// Values of data_len, each with the length of the body that a lenient program would read.
const LENGTHS: [(&str, usize); 61] = [
    ("-1", 1),
    ("-5", 5),
    ("16777217", 0),
    ("4294967295", 0),
    // 2^32 + 5, 2^64 + 5, and others that would be valid if only the lowest 32 or 64 bits were kept.
    ("4294967296", 0),
    ("4294967301", 5),
    ("-4294967291", 5),
    ("9223372036854775808", 0),
    ("18446744073709551615", 0),
    ("18446744073709551616", 0),
    ("18446744073709551621", 5),
    ("-18446744073709551611", 5),
    ("99999999999999999999", 0),
    // With a point or an exponent.
    ("2.5", 2),
    ("5.0", 5),
    ("5.00", 5),
    ("5e0", 5),
    ("5E0", 5),
    ("5e+0", 5),
    ("5E-0", 5),
    ("50e-1", 5),
    ("0.5e1", 5),
    ("0.05E+2", 5),
    ("1e1", 10),
    ("0.0", 0),
    ("-0.0", 0),
    ("0e0", 0),
    ("0e5", 0),
    ("1e-400", 0),
    ("5.0000000000000000001", 5),
    ("4.9999999999999999999", 5),
    ("16777216.0", 0),
    ("1e400", 0),
    ("-1e400", 0),
    // Not JSON.
    ("5.", 5),
    (".5", 0),
    ("+5", 5),
    ("05", 5),
    ("005", 5),
    ("0x5", 5),
    ("5L", 5),
    ("0_5", 5),
    ("5 5", 5),
    ("NaN", 0),
    ("Infinity", 0),
    ("-Infinity", 0),
    ("\u{665}", 5),
    ("\u{ff15}", 5),
    // Not a number.
    (r#""5""#, 5),
    (r#"" 5""#, 5),
    (r#""""#, 0),
    (r#""hello""#, 5),
    ("true", 1),
    ("false", 0),
    ("null", 0),
    ("[]", 0),
    ("[5]", 5),
    ("[1,2,3,4,5]", 5),
    ("{}", 0),
    (r#"{"data_len": 5}"#, 5),
    ("", 0),
];

fn data_len(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = |length: usize| &b"hellohello"[..length];
    let none = [
        r#"{"op": "upper"}"#,
        r#"{"op":"upper"}"#,
        r#"{"op": "nothing"}"#,
        r#"{"data_len": -1, "op": "nothing"}"#,
        r#"{"data_len": 5.0, "op": 7}"#,
        r#"{"Data_Len": 5, "op": "upper"}"#,
        r#"{"data_len ": 5, "op": "upper"}"#,
        r#"{"more": {"data_len": 5}, "op": "upper"}"#,
        r#"{"\\u0064ata_len": 5, "op": "upper"}"#,
    ];
    let none = none.map(|header| (header.to_owned(), 5));
    let values = LENGTHS
        .map(|(value, length)| (format!(r#"{{"data_len": {value}, "op": "upper"}}"#), length));
    let named = |(text, length): (String, usize)| {
        let request = with_header(&text, body(length));
        (format!("header: {text}, and {length} bytes"), request)
    };
    refused(trial, none.into_iter().chain(values).map(named))
}
