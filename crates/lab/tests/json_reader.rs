//! The JSON reader that students get for the lab `json-header`, against serde_json and row by row.

#[path = "../labs/json-header/json.rs"]
mod json;

use json::Value;

#[test]
fn it_takes_what_serde_takes_and_refuses_what_serde_refuses() {
    for text in [
        "null",
        "true",
        "false",
        " 0 ",
        "-0",
        "12",
        "-1.5e+3",
        "1E5",
        "2.50",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[1,[2],{}]",
        r#"{"a":1,"b":[true,null]}"#,
        "\t{\r\n\"a\" : 1 ,\n\"b\":2 } ",
        r#""""#,
        r#""é東🎈""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u00e9\u6771\ud83c\udf88""#,
        "\"\u{7f}\"",
        r#""\uD83C\uDf88\u0000\uFFFF""#,
        "\"\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}\u{feff}\u{2028}\"",
        "0E-1",
        "0e0",
        "[[],[[]],{}]",
        r#"{"":{"":[]}}"#,
        r#"{"/*":"//","{":"]}"}"#,
        // Refused.
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "}",
        "{a:1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        "{1:2}",
        "[}",
        "{]",
        "'a'",
        "\"",
        "\"a",
        "\"\n\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\ud83c""#,
        r#""\ud83c\u0041""#,
        r#""\udf88""#,
        "1 2",
        "{} {}",
        "\u{feff}1",
        "\u{a0}1",
        "1\u{a0}",
        "\u{0c}1",
        "\u{0b}1",
        "\u{2028}1",
        "1\0",
        "-NaN",
        "Infinity",
        "-Infinity",
        "-01",
        "00",
        "-.5",
        "1.e2",
        "1E",
        "--1",
        "1_000",
        "1.2.3",
        "\u{661}",
        "None",
        "undefined",
        "TRUE",
        "[1,,2]",
        r#"{,"a":1}"#,
        r#"{"a":1,,"b":2}"#,
        r#"{"a" 1}"#,
        r#"{"a"=1}"#,
        r#"{"a":1;"b":2}"#,
        r#"{"a":1}}"#,
        r#"{"a":1},"#,
        "{} // end",
        "/* start */ {}",
        "# start\n{}",
        r#""\a""#,
        r#""\v""#,
        r#""\0""#,
        r#""\'""#,
        r#""\u{41}""#,
        r#""\U00000041""#,
        "\"\\\n\"",
        "\"a\"b\"",
        "\"\t\"",
        "\"\0\"",
        "\"\u{1f}\"",
    ] {
        let ours = json::parse(text.as_bytes());
        let theirs = serde_json::from_str::<serde_json::Value>(text);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => assert!(same(ours, theirs), "{text}: {ours:?}, {theirs:?}"),
            (Err(_), Err(_)) => {}
            _ => panic!("{text}: {ours:?}, {theirs:?}"),
        }
    }
}

#[test]
fn it_says_where_it_stopped() {
    let error = json::parse(b"{\"a\": 1,}");
    assert_eq!(error, Err("not JSON at byte 8: expected a string".to_owned()));
    assert!(json::parse(b"\"\xff\"").is_err_and(|error| error.contains("utf-8")));
}

#[test]
fn brackets_are_refused_before_they_fill_the_stack() {
    let nested = |depth: usize| json::parse(("[".repeat(depth) + &"]".repeat(depth)).as_bytes());
    assert!(nested(64).is_ok());
    assert!(nested(65).is_err_and(|error| error.contains("fewer brackets")));
    assert!(nested(1_000_000).is_err());
}

#[test]
fn a_member_is_found_by_what_its_name_means_and_the_last_one_counts() {
    let value = json::parse(br#"{"a": 1, "\u0061": 2, "b": {"c": 3}}"#).unwrap();
    assert_eq!(value.get("a").and_then(Value::as_u64), Some(2));
    assert_eq!(value.get("c"), None);
    assert_eq!(json::parse(b"[1]").unwrap().get("a"), None);
}

#[test]
fn only_whole_numbers_from_0_are_lengths() {
    let number = |text: &str| json::parse(text.as_bytes()).unwrap().as_u64();
    assert_eq!(number("0"), Some(0));
    assert_eq!(number("18446744073709551615"), Some(u64::MAX));
    for text in ["-1", "18446744073709551616", "1.0", "1e3", "\"1\"", "true", "null", "[1]"] {
        assert_eq!(number(text), None, "{text}");
    }
    assert_eq!(json::parse(b"\"x\"").unwrap().as_str(), Some("x"));
    assert_eq!(json::parse(b"1").unwrap().as_str(), None);
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(a), Theirs::Bool(b)) => a == b,
        (Value::Number(a), Theirs::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
        (Value::String(a), Theirs::String(b)) => a == b,
        (Value::Array(a), Theirs::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Theirs::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}
