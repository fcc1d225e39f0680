//! Where a request begins and ends, and how long its pieces may take to arrive.

use crate::labs::header::{
    LIMIT, ask, converse, expect_answer, expect_error, head, refused, request, with_header,
    with_headers,
};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

/// A header for a body of six bytes. White space may be added to make it longer.
const SIX: &str = r#"{"data_len": 6, "op": "upper"}"#;
/// How many requests are sent in one piece. A program that calls itself for each runs out of stack; Python stops at
/// 1,000 calls.
const MANY: usize = 2_000;

pub(super) const ONE_REQUEST: Case = Case {
    id: "one-request",
    points: 1,
    rule: "a request is answered with a header and a body, while the connection stays open",
    proves: &[("request", "one that comes in one piece"), ("answer", "an answer in plain letters")],
    hint: "There are two lengths: four bytes say how long the header is, and the header says how long the body is. \
           Does your answer have the same form?",
    fits: &[Fault::Wrong, Fault::Form, Fault::Silent],
    play: |trial| {
        trial.start_tcp_server()?;
        let body = trial.text(8);
        ask(&mut trial.connect("idle")?, &body)
    },
};

pub(super) const CUT_EVERYWHERE: Case = Case {
    id: "cut-everywhere",
    points: 2,
    rule: "a request that comes a byte at a time is answered like one that comes in one piece",
    proves: &[("request", "one that comes a byte at a time")],
    hint: "You read three things: the length, the header, the body. Which of them do you believe to be complete after \
           one recv?",
    fits: &[Fault::Short, Fault::Silent, Fault::Ended],
    play: |trial| with_headers(trial, "cut=1", &[r#"{"data_len": 12, "op": "upper"}"#], 12),
};

pub(super) const PIPELINED: Case = Case {
    id: "pipelined",
    points: 2,
    rule: "several requests that come in one piece are answered one by one, in order",
    proves: &[("many", "3 in one piece")],
    hint: "Where does the first request end? What happens to the bytes after it?",
    fits: &[Fault::Wrong, Fault::Silent],
    play: pipelined,
};

fn pipelined(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (first, second) = (trial.text(5), trial.text(9));
    let turned: Vec<u8> = second.iter().rev().copied().collect();
    let requests =
        [request("upper", &first), request("reverse", &second), request("count", &first)].concat();
    converse(trial, &requests, &[first.to_ascii_uppercase(), turned, b"5".to_vec()])
}

pub(super) const MANY_AT_ONCE: Case = Case {
    id: "many-at-once",
    points: 1,
    rule: "2,000 small requests that come in one piece are all answered",
    proves: &[("many", "2,000 in one piece")],
    hint: "How does your program get from one request to the next: in a loop, or by calling itself?",
    fits: &[Fault::Short, Fault::Silent, Fault::Ended],
    play: many_at_once,
};

fn many_at_once(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let letters = trial.text(MANY);
    let header = r#"{"data_len":1,"op":"upper"}"#;
    let requests: Vec<u8> = letters.iter().flat_map(|byte| with_header(header, &[*byte])).collect();
    // The program is stopped meanwhile, so it finds all of them: otherwise, a fast one would get a few at a time.
    trial.while_stopped(|_| peer.send(&requests))?;
    peer.quietly(&format!("expects {MANY} answers, in this order"), |peer| {
        letters.iter().try_for_each(|byte| expect_answer(peer, &[byte.to_ascii_uppercase()]))
    })
}

pub(super) const HEADER_AT_LIMIT: Case = Case {
    id: "header-at-limit",
    points: 1,
    rule: "headers of 65,535 and of 65,536 bytes are read",
    proves: &[
        ("header-length", "65,535 bytes are read"),
        ("header-length", "65,536 bytes are read"),
    ],
    hint: "65,536 bytes are allowed, 65,537 aren't. And does your read loop go on until all of them have arrived?",
    fits: &[Fault::Short, Fault::Silent, Fault::Reset],
    play: header_at_limit,
};

fn header_at_limit(trial: &mut Trial) -> Result<(), CaseFailure> {
    let below = spaced(LIMIT - 1);
    let dashes = "-".repeat(LIMIT - SIX.len() - r#", "x": """#.len());
    let exactly = format!(r#"{{"x": "{dashes}", {}"#, &SIX[1..]);
    with_headers(trial, "idle", &[&below, &exactly], 6)
}

/// A header of this many bytes, most of them white space.
fn spaced(length: usize) -> String {
    SIX.to_owned() + &" ".repeat(length - SIX.len())
}

pub(super) const HEADER_LENGTH: Case = Case {
    id: "header-length",
    points: 2,
    rule: "a header length below 1 or above 65,536 closes the connection, without an answer; the next peer is served",
    proves: &[
        ("header-length", "65,537 bytes are refused"),
        ("header-length", "0 and -1 are refused"),
        ("header-length", "the smallest and the largest number are refused"),
        (
            "header-length",
            "numbers that are in range only if the sign is dropped or 16 bits are kept",
        ),
        ("closed", "after a length"),
    ],
    hint: "Check the length before you read that many bytes. What does your program do with 0, and with -1?",
    fits: &[Fault::Extra, Fault::Open, Fault::Ended],
    play: header_length,
};

fn header_length(trial: &mut Trial) -> Result<(), CaseFailure> {
    let length = SIX.len() as i32;
    // Each of these would be valid without its sign, without its top bit, or in 16 bits.
    let nearly = [-length, i32::MIN + length, (1 << 16) + length].map(|n| {
        let what = format!(
            "the header's length is {n}; then come a header of {length} bytes and its body"
        );
        (what, [&n.to_le_bytes()[..], SIX.as_bytes(), b"letter"].concat())
    });
    // A complete request follows, to catch a program that skips a bad length.
    let others = [0, -1, i32::MAX, i32::MIN].map(|n| {
        let bytes = [&n.to_le_bytes()[..], &request("upper", b"abc")].concat();
        (format!("the header's length is {n}; then comes a whole request"), bytes)
    });
    let long = [head(spaced(LIMIT + 1).as_bytes()), b"letter".to_vec()].concat();
    let long = (format!("a header of {} bytes, and its body", LIMIT + 1), long);
    refused(trial, others.into_iter().chain(nearly).chain([long]))
}

pub(super) const SILENCE: Case = Case {
    id: "silence",
    points: 1,
    rule: "silence between two requests is not the end: after it, the peer carries on",
    proves: &[("silence", "between two requests")],
    hint: "Silence means nothing. Is there a timeout somewhere in your program?",
    fits: &[Fault::Impatient],
    play: |trial| silent_after(trial, 0),
};

pub(super) const SILENCE_IN_HEADER: Case = Case {
    id: "silence-in-header",
    points: 1,
    rule: "silence inside a header is not the end: after it, the rest comes",
    proves: &[("silence", "inside a header")],
    hint: "A request has begun, and its header isn't complete. How long does your program wait for the rest, and what \
           makes it stop?",
    fits: &[Fault::Impatient],
    play: |trial| silent_after(trial, 14),
};

pub(super) const SILENCE_IN_BODY: Case = Case {
    id: "silence-in-body",
    points: 1,
    rule: "silence inside a body is not the end: after it, the rest comes",
    proves: &[("silence", "inside a body")],
    hint: "The header has promised a body, and only part of it has arrived. How long does your program wait for the \
           rest?",
    fits: &[Fault::Impatient],
    play: |trial| silent_after(trial, 4 + SIX.len() + 2),
};

pub(super) const SILENCE_BEFORE_ERROR: Case = Case {
    id: "silence-before-error",
    points: 1,
    rule: "a request that can't be carried out is answered when its body has arrived, and not before",
    proves: &[("request", "a request that can't be carried out, and whose body comes late")],
    hint: "The header already shows that the request can't be carried out. But is the request complete?",
    fits: &[Fault::Impatient],
    play: silence_before_error,
};

fn silence_before_error(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let bytes = request("turn", &trial.text(6));
    let (first, rest) = bytes.split_at(bytes.len() - 3);
    peer.send(first)?;
    peer.keep_silent()?;
    peer.send(rest)?;
    expect_error(&mut peer)?;
    ask(&mut peer, &trial.text(5))
}

/// After this many bytes of a second request, the peer is silent.
fn silent_after(trial: &mut Trial, place: usize) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, &trial.text(5))?;
    let body = trial.text(6);
    let bytes = with_header(SIX, &body);
    if place > 0 {
        peer.send(&bytes[..place])?;
    }
    peer.keep_silent()?;
    peer.send(&bytes[place..])?;
    expect_answer(&mut peer, &body.to_ascii_uppercase())
}
