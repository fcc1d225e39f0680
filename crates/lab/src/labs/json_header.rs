//! json-header: a TCP server for requests with a JSON header and a body.

use super::framed::every_byte;
use super::header::{
    LIMIT, ask, converse, expect_error, head, next_peer, of_text, refused, request, with_header,
    with_headers,
};
use super::{Case, Lab, texts};
use crate::{Broken, Trial};

pub(super) const LAB: Lab = Lab {
    name: "json-header",
    task: "a TCP server for requests with a JSON header, {\"data_len\": N, \"op\": …}, and a body of N bytes",
    rules: &[],
    cases: &[
        Case {
            id: "one-request",
            points: 1,
            rule: "a request is answered with a header and a body, while the connection stays open",
            hint: "Two lengths: four bytes say how long the header is, the header says how long the body is. Is your answer in the same form?",
            proves: &[],
            fits: &[],
            play: one_request,
        },
        Case {
            id: "cut-everywhere",
            points: 2,
            rule: "a request that comes a byte at a time is answered as one that comes whole",
            hint: "Three things to read: the length, the header, the body. Which of them do you take for whole after one recv?",
            proves: &[],
            fits: &[],
            play: cut_everywhere,
        },
        Case {
            id: "pipelined",
            points: 2,
            rule: "several requests that come in one piece are answered one by one, in their order",
            hint: "Where does the first request end? What becomes of the bytes behind it?",
            proves: &[],
            fits: &[],
            play: pipelined,
        },
        Case {
            id: "order-and-spaces",
            points: 1,
            rule: "members may stand in any order, with or without white space around them",
            hint: "Does a parser read your header, or do you compare its text?",
            proves: &[],
            fits: &[],
            play: order_and_spaces,
        },
        Case {
            id: "unknown-members",
            points: 2,
            rule: "members you do not know are passed over, whatever they hold",
            hint: "The word data_len may stand inside a string or inside another object. Only the header's own member counts.",
            proves: &[],
            fits: &[],
            play: unknown_members,
        },
        Case {
            id: "escapes",
            points: 1,
            rule: "a string means the same with escapes in it as without, in names and in values",
            hint: "JSON may write any character as \\u and four digits. Compare what a string means, not how it is written.",
            proves: &[],
            fits: &[],
            play: escapes,
        },
        Case {
            id: "non-ascii-header",
            points: 1,
            rule: "the header is UTF-8, and its length counts bytes, wherever the stream is cut",
            hint: "Collect all bytes of the header, and make text of them then: a piece may end inside a character.",
            proves: &[],
            fits: &[],
            play: non_ascii_header,
        },
        Case {
            id: "upper",
            points: 1,
            rule: "upper changes only the bytes a to z, and the body need not be text",
            hint: "A body is bytes. Who says that it can be decoded, and which letters does your function change?",
            proves: &[],
            fits: &[],
            play: upper,
        },
        Case {
            id: "reverse",
            points: 2,
            rule: "reverse turns the characters round, not their bytes, and data_len counts bytes",
            hint: "é is one character and two bytes. Do you measure the answer before you encode it, or after?",
            proves: &[],
            fits: &[],
            play: reverse,
        },
        Case {
            id: "count",
            points: 1,
            rule: "count answers the number of characters, not of bytes, in decimal digits",
            hint: "Decode the body first. And what is data_len of this answer?",
            proves: &[],
            fits: &[],
            play: count,
        },
        Case {
            id: "empty-body",
            points: 1,
            rule: "a body of 0 bytes is a body: the request is answered, and the connection stays",
            hint: "Nothing to read is not the end of the stream. How many characters do 0 bytes have?",
            proves: &[],
            fits: &[],
            play: empty_body,
        },
        Case {
            id: "large-body",
            points: 1,
            rule: "64 KiB is the limit of the header, not of the body: 200,000 bytes are answered",
            hint: "Which length do you compare with which limit? Does one call send everything?",
            proves: &[],
            fits: &[],
            play: large_body,
        },
        Case {
            id: "header-at-limit",
            points: 1,
            rule: "a header of exactly 64 KiB is read",
            hint: "65536 bytes are allowed, 65537 are not. And does your read loop go on until all of them are there?",
            proves: &[],
            fits: &[],
            play: header_at_limit,
        },
        Case {
            id: "cannot-do",
            points: 2,
            rule: "a request that was read and cannot be done is answered with an error, and the connection stays",
            hint: "The stream has not lost its place. Do you take the body out of it before you answer?",
            proves: &[],
            fits: &[],
            play: cannot_do,
        },
        Case {
            id: "header-length",
            points: 2,
            rule: "a header length below 1 or above 64 KiB closes the connection, without an answer; the next peer is served",
            hint: "Look at the length before you read so many bytes. What does your program do with 0, and with -1?",
            proves: &[],
            fits: &[],
            play: header_length,
        },
        Case {
            id: "header-no-object",
            points: 2,
            rule: "a header that is no JSON object in UTF-8 closes the connection, without an answer; the next peer is served",
            hint: "Which errors can your parser have, and who catches each? And what is [] or 7 once it is parsed?",
            proves: &[],
            fits: &[],
            play: header_no_object,
        },
        Case {
            id: "data-len",
            points: 2,
            rule: "a data_len that is missing or no whole number from 0 to 16 MiB closes the connection, without an answer; the next peer is served",
            hint: "Is it there? Is it a number (true and \"3\" are none)? Is it whole? Is it in range? Ask before you read.",
            proves: &[],
            fits: &[],
            play: data_len,
        },
        Case {
            id: "deep",
            points: 1,
            rule: "a header with 30,000 brackets in each other may be answered or refused, but the next peer is served",
            hint: "How does your parser say that a text is nested too deep for it? It may be another error than that for bad JSON.",
            proves: &[],
            fits: &[],
            play: deep,
        },
        Case {
            id: "end-inside",
            points: 2,
            rule: "a stream that ends inside a request closes the connection, without an answer; the next peer is served",
            hint: "At the end of the stream a recv returns nothing, again and again. Does each of your loops end, with an error?",
            proves: &[],
            fits: &[],
            play: end_inside,
        },
        Case {
            id: "reset",
            points: 1,
            rule: "a peer that resets its connection inside a request disturbs no other: the next peer is served",
            hint: "A reset is an error of one connection. How far up does yours travel?",
            proves: &[],
            fits: &[],
            play: reset,
        },
    ],
    texts: texts!("json-header", "json.rs"),
};

fn one_request(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let body = trial.text(8);
    ask(&mut trial.connect("idle")?, &body)
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), Broken> {
    with_headers(trial, "cut=1", &[r#"{"data_len": 12, "op": "upper"}"#], 12)
}

fn pipelined(trial: &mut Trial) -> Result<(), Broken> {
    let (first, second) = (trial.text(5), trial.text(9));
    let turned: Vec<u8> = second.iter().rev().copied().collect();
    let requests =
        [request("upper", &first), request("reverse", &second), request("count", &first)].concat();
    converse(trial, &requests, &[first.to_ascii_uppercase(), turned, b"5".to_vec()])
}

fn order_and_spaces(trial: &mut Trial) -> Result<(), Broken> {
    let tight = r#"{"op":"upper","data_len":6}"#;
    let wide = " {\r\n\t\"op\" : \"upper\" ,\n\t\"data_len\"\t: 6\n } ";
    with_headers(trial, "idle", &[tight, wide], 6)
}

fn unknown_members(trial: &mut Trial) -> Result<(), Broken> {
    let header = r#"{"note": "\"data_len\": 2, \"op\": \"count\"", "more": {"data_len": 3, "op": "reverse"},
        "list": [[1, -2.5e3], {"op": null}, true], "data_len": 7, "op": "upper", "last": {"data_len": 900}}"#;
    with_headers(trial, "idle", &[header], 7)
}

fn escapes(trial: &mut Trial) -> Result<(), Broken> {
    let header =
        r#"{"a \"name\\": "\ud83c\udf88 \/", "data\u005flen": 7, "op": "\u0075pp\u0065r"}"#;
    with_headers(trial, "idle", &[header], 7)
}

fn non_ascii_header(trial: &mut Trial) -> Result<(), Broken> {
    let header = r#"{"from": "Zoë, 東京 🎈", "größe": [], "data_len": 7, "op": "upper"}"#;
    with_headers(trial, "cut=1", &[header, header], 7)
}

fn upper(trial: &mut Trial) -> Result<(), Broken> {
    let body = every_byte(trial);
    trial.start_tcp_server()?;
    ask(&mut trial.connect("idle")?, &body)
}

fn reverse(trial: &mut Trial) -> Result<(), Broken> {
    of_text(trial, "reverse", "für 東京 🎈!", "!🎈 京東 rüf")
}

fn count(trial: &mut Trial) -> Result<(), Broken> {
    let letters = trial.number(8, 30) as usize;
    let text = "x".repeat(letters) + "é東🎈";
    of_text(trial, "count", &text, &(letters + 3).to_string())
}

fn empty_body(trial: &mut Trial) -> Result<(), Broken> {
    let requests =
        [request("upper", b""), request("count", b""), request("upper", b"abc")].concat();
    converse(trial, &requests, &[Vec::new(), b"0".to_vec(), b"ABC".to_vec()])
}

fn large_body(trial: &mut Trial) -> Result<(), Broken> {
    with_headers(trial, "idle", &[r#"{"data_len": 200000, "op": "upper"}"#], 200_000)
}

fn header_at_limit(trial: &mut Trial) -> Result<(), Broken> {
    let header = r#"{"data_len": 6, "op": "upper"}"#;
    let spaces = " ".repeat(LIMIT - header.len());
    with_headers(trial, "idle", &[&(header.to_owned() + &spaces)], 6)
}

fn cannot_do(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for (what, bytes) in [
        ("an op that nobody knows", request("Upper", &trial.text(9))),
        ("no op", with_header(r#"{"data_len": 3}"#, b"abc")),
        ("an op that is a number", with_header(r#"{"op": 7, "data_len": 3}"#, b"abc")),
        ("count, and a body that is not UTF-8", request("count", b"a\xff")),
    ] {
        trial.step(what);
        peer.send(&bytes)?;
        expect_error(&mut peer)?;
    }
    ask(&mut peer, &trial.text(5))
}

fn header_length(trial: &mut Trial) -> Result<(), Broken> {
    let lengths = [0, -1, LIMIT as i32 + 1, i32::MAX, i32::MIN];
    refused(trial, lengths.map(|n| (format!("the length {n}"), n.to_le_bytes().to_vec())))
}

fn header_no_object(trial: &mut Trial) -> Result<(), Broken> {
    let headers: [&[u8]; 6] =
        [b"hello", b"{\"data_len\":3", b"[]", b"null", b"{a:0}", b"{\"data_len\":0,\"\xff\":1}"];
    refused(trial, headers.map(|text| (format!("header: {}", text.escape_ascii()), head(text))))
}

fn data_len(trial: &mut Trial) -> Result<(), Broken> {
    let values =
        ["-1", "2.5", "\"3\"", "true", "null", "[3]", "16777217", "99999999999999999999", "1e400"];
    let mut headers = vec![r#"{"op": "upper"}"#.to_owned()];
    headers.extend(values.map(|value| format!(r#"{{"data_len": {value}, "op": "upper"}}"#)));
    let named = |text: String| (format!("header: {text}"), with_header(&text, b""));
    refused(trial, headers.into_iter().map(named))
}

fn deep(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    peer.send(&with_header(&format!(r#"{{"data_len": 0, "op": "upper", "deep": {deep}}}"#), b""))?;
    peer.end()?;
    peer.read_to_end("whatever the program answers")?;
    drop(peer);
    next_peer(trial)
}

fn end_inside(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let whole = request("upper", &trial.text(9));
    for (place, bytes) in [("length", 3), ("header", 20), ("body", whole.len() - 2)] {
        let mut peer = trial.connect("idle")?;
        trial.step(format!("the stream ends inside the {place}"));
        peer.send(&whole[..bytes])?;
        peer.end()?;
        peer.expect_closed()?;
    }
    next_peer(trial)
}

fn reset(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    // The answer proves that the program has this connection: the reset meets it, not the queue of the listener.
    ask(&mut peer, &trial.text(5))?;
    peer.send(&request("upper", &trial.text(9))[..20])?;
    peer.reset();
    next_peer(trial)
}
