//! Requests and answers with a JSON header, for the lab `json-header`: the checker's side of the protocol.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::framed::Order;
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault, escape, quote};

/// The longest header, in bytes.
pub(super) const LIMIT: usize = 64 << 10;
/// An object has at least two bytes. We still read a header of one byte, so that the report can say that it isn't an
/// object.
const LENGTHS: RangeInclusive<usize> = 1..=LIMIT;

/// Four bytes of length, followed by this header, whether it is JSON or not.
pub(super) fn head(header: &[u8]) -> Vec<u8> {
    Order::Little.frame(header)
}

/// A whole request with this header.
pub(super) fn with_header(header: &str, body: &[u8]) -> Vec<u8> {
    [&head(header.as_bytes())[..], body].concat()
}

/// A complete request with the plainest header.
pub(super) fn request(op: &str, body: &[u8]) -> Vec<u8> {
    with_header(&format!(r#"{{"data_len": {}, "op": "{op}"}}"#, body.len()), body)
}

/// One peer sends these requests in one write, and expects answers with these bodies.
pub(super) fn converse(
    trial: &mut Trial,
    requests: &[u8],
    answers: &[Vec<u8>],
) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.send(requests)?;
    answers.iter().try_for_each(|answer| expect_answer(&mut peer, answer))
}

/// One peer sends a request for capitals with each of these headers. Each of them gives the same `data_len`, written
/// differently.
pub(super) fn with_headers(
    trial: &mut Trial,
    schedule: &str,
    headers: &[&str],
    data_len: usize,
) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect(schedule)?;
    let begun = done(trial);
    for (number, header) in headers.iter().enumerate() {
        keep_the_number(trial, begun, number, "the program answers");
        let body = trial.text(data_len);
        trial.step(format!("header: {}", shown(header)));
        peer.send(&with_header(header, &body))?;
        expect_answer(&mut peer, &body.to_ascii_uppercase())?;
    }
    Ok(())
}

/// How many steps the report has so far.
fn done(trial: &Trial) -> usize {
    trial.steps.borrow().len()
}

/// In a long series, the report keeps only the number of those that went well.
fn keep_the_number(trial: &Trial, begun: usize, number: usize, what: &str) {
    trial.steps.borrow_mut().truncate(begun);
    if number > 0 {
        trial.step(format!("{what} {number} of these, as it must"));
    }
}

/// A header as a step shows it: as much as fits on a line.
pub(super) fn shown(header: &str) -> String {
    escape(&header.trim_end().chars().take(300).collect::<String>())
}

/// One peer sends each of these texts with this op. `answer` computes what has to come back.
pub(super) fn of_texts(
    trial: &mut Trial,
    op: &str,
    texts: &[&str],
    answer: fn(&str) -> String,
) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for text in texts {
        let (characters, bytes) = (text.chars().count(), text.len());
        let text_shown = text.escape_debug();
        trial.step(format!("{op} of \"{text_shown}\": {characters} characters, {bytes} bytes"));
        peer.send(&request(op, text.as_bytes()))?;
        expect_answer(&mut peer, answer(text).as_bytes())?;
    }
    Ok(())
}

/// One peer sends these requests, each of which has to be answered with an error, and then one that can be carried out.
pub(super) fn answered_with_errors(
    trial: &mut Trial,
    requests: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    // The next header leaves out what this one says, so a program that remembers it is caught.
    ask(&mut peer, &trial.text(5))?;
    let begun = done(trial);
    for (number, (what, bytes)) in requests.into_iter().enumerate() {
        keep_the_number(trial, begun, number, "the program answers, with an error,");
        trial.step(what);
        peer.send(&bytes)?;
        expect_error(&mut peer)?;
    }
    ask(&mut peer, &trial.text(5))
}

/// A peer sends a request for capitals and expects its answer.
pub(super) fn ask(peer: &mut Peer, body: &[u8]) -> Result<(), CaseFailure> {
    peer.send(&request("upper", body))?;
    expect_answer(peer, &body.to_ascii_uppercase())
}

/// Sends each of these requests on a connection of its own. The program has to close it without an answer. Then the
/// next peer is served.
pub(super) fn refused(
    trial: &mut Trial,
    requests: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let begun = done(trial);
    for (number, (what, bytes)) in requests.into_iter().enumerate() {
        keep_the_number(trial, begun, number, "the program closes");
        let mut peer = trial.connect("idle")?;
        // On every second connection, a valid request comes first. Nothing of it may be left over.
        if number % 2 == 1 {
            ask(&mut peer, &trial.text(5))?;
        }
        trial.step(what);
        peer.send(&bytes)?;
        peer.expect_closed().map_err(|failure| trial.or_ended(failure))?;
    }
    next_peer(trial)
}

/// Another peer is served.
pub(super) fn next_peer(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(5);
    trial.step("the next peer has to be served");
    trial.next_peer(|peer| ask(peer, &body))
}

/// Expects an answer with this body. Its header may be written in any way.
pub(super) fn expect_answer(peer: &mut Peer, body: &[u8]) -> Result<(), CaseFailure> {
    let header = receive_header(peer)?;
    if let Some(error) = error(&header) {
        let what = format!("the answer says that the request failed: {error}");
        return Err(CaseFailure::new(Fault::Rule, what));
    }
    expect_data_len(&header, body.len())?;
    peer.expect(body)
}

/// Expects an answer that says that the request can't be carried out: no body, and an `error`.
pub(super) fn expect_error(peer: &mut Peer) -> Result<(), CaseFailure> {
    let header = receive_header(peer)?;
    match error(&header) {
        Some(Value::String(_)) => expect_data_len(&header, 0),
        Some(other) => {
            let what = format!("`error` is {other}, which isn't a string");
            Err(CaseFailure::new(Fault::Form, what))
        }
        None => {
            let what = format!("the answer's header is {header}, but it should have an `error`");
            Err(CaseFailure::new(Fault::Rule, what))
        }
    }
}

/// Some libraries write every member they know, so `null` means the same as no member.
fn error(header: &Value) -> Option<&Value> {
    header.get("error").filter(|error| !error.is_null())
}

fn expect_data_len(header: &Value, expected: usize) -> Result<(), CaseFailure> {
    match header.get("data_len") {
        Some(length) if length.as_u64() == Some(expected as u64) => Ok(()),
        Some(length @ Value::Number(_)) => {
            let what = format!(
                "data_len of the answer is {length}, but its body should have {expected} bytes"
            );
            Err(CaseFailure::new(Fault::Wrong, what))
        }
        Some(other) => {
            let what = format!("data_len of the answer is {other}, which isn't a number");
            Err(CaseFailure::new(Fault::Form, what))
        }
        None => {
            let what = format!("the answer's header has no data_len: {header}");
            Err(CaseFailure::new(Fault::Form, what))
        }
    }
}

/// Reads the header of an answer: a JSON object of a valid length.
pub(super) fn receive_header(peer: &mut Peer) -> Result<Value, CaseFailure> {
    let prefix = peer.receive("the length of the answer's header", 4)?;
    let length = prefix.first_chunk().map_or(-1, |prefix| i32::from_le_bytes(*prefix));
    let allowed = usize::try_from(length).ok().filter(|length| LENGTHS.contains(length));
    let Some(length) = allowed else {
        let begins = quote(&prefix);
        let what = format!(
            "the answer begins with {begins}, which is the length {length}, but a header has 1 to {LIMIT} bytes"
        );
        return Err(CaseFailure::new(Fault::Form, what));
    };
    let header = peer.receive("the answer's header", length)?;
    match serde_json::from_slice(&header) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => {
            let what = format!("the answer's header isn't an object: {}", quote(&header));
            Err(CaseFailure::new(Fault::Form, what))
        }
        Err(error) => {
            let what = format!("the answer's header isn't JSON ({error}): {}", quote(&header));
            Err(CaseFailure::new(Fault::Form, what))
        }
    }
}
