//! read-exactly: a client that reads frames until the end of the stream, and prints the SHA-256 of each.

mod cases;
mod digests;
mod finish;
mod rules;

use std::time::Duration;

use super::framed::{LIMIT, Order};
use super::lab::{Lab, texts};
use crate::play::Trial;
use crate::verdict::CaseFailure;
use finish::{all_arrive, are_printed, breaks, fails};

/// How many frames are sent in one piece: more than a recursive reader has stack for.
const MANY: usize = 5_000;
/// How much a slow program reads in a second: one byte with each call, while both processors are busy.
const PACE: usize = 512 << 10;

pub(super) const LAB: Lab = Lab {
    name: "read-exactly",
    task: "a client that reads frames (a 4-byte length, and that many bytes) and prints the SHA-256 of each",
    rules: rules::RULES,
    cases: cases::CASES,
    texts: texts!("read-exactly", "sha256.rs"),
};

fn one_frame(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(20);
    let mut server = trial.start_client("idle")?;
    server.send(&frame(&body))?;
    server.end()?;
    are_printed(trial, &[&body])?;
    server.expect_closed()
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (one, two) = (trial.text(5), trial.bytes(30));
    all_arrive(trial, "cut=1", &[&one, &two])
}

fn cut_in_length(trial: &mut Trial) -> Result<(), CaseFailure> {
    for cut in 1..=3 {
        // Over 255 bytes, so that a length without its second byte is a different length.
        let body = trial.bytes(300);
        all_arrive(trial, &format!("cut={cut},*"), &[&body])?;
    }
    Ok(())
}

fn cut_in_body(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies = [trial.text(40), trial.text(50), trial.bytes(60)];
    all_arrive(trial, "cut=random:5..15", &bodies.each_ref().map(Vec::as_slice))
}

fn merged(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies = [trial.text(7), trial.text(12), trial.text(1), trial.bytes(90)];
    all_arrive(trial, "idle", &bodies.each_ref().map(Vec::as_slice))
}

fn many_in_one(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies: Vec<Vec<u8>> = (0..MANY).map(|number| trial.text(number % 4)).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    all_arrive(trial, "idle", &bodies)
}

fn empty_frame(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (one, two) = (trial.text(9), trial.text(4));
    all_arrive(trial, "idle", &[&one, b"", &two, b""])
}

fn every_byte(trial: &mut Trial) -> Result<(), CaseFailure> {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    // Bytes that programs often strip, or that end a text.
    all_arrive(trial, "idle", &[b"\0", b" \t", b"a\r\n", b"a\n", b"a\0b\0", b"\xc3", &all])
}

/// Lengths in which a byte is 128 or more, or in which one byte is 255 and the next is 0.
fn lengths(trial: &mut Trial) -> Result<(), CaseFailure> {
    let lengths = [127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536];
    let bodies = lengths.map(|length| trial.bytes(length));
    all_arrive(trial, "idle", &bodies.each_ref().map(Vec::as_slice))
}

fn large(trial: &mut Trial) -> Result<(), CaseFailure> {
    let length = trial.number(1_000_001, 1_100_000) as usize;
    let (one, two) = (trial.bytes(length), trial.text(10));
    all_arrive(trial, "cut=random:3000..9999", &[&one, &two])
}

fn below_limit(trial: &mut Trial) -> Result<(), CaseFailure> {
    longest(trial, LIMIT as usize - 1)
}

fn limit(trial: &mut Trial) -> Result<(), CaseFailure> {
    longest(trial, LIMIT as usize)
}

fn longest(trial: &mut Trial, length: usize) -> Result<(), CaseFailure> {
    let (one, two) = (trial.bytes(length), trial.text(10));
    let mut server = trial.start_client("idle")?;
    trial.allow(Duration::from_secs((length / PACE + 1) as u64));
    trial.step(format!("the length {length} is allowed"));
    server.send(&frame(&one))?;
    server.send(&frame(&two))?;
    server.end()?;
    are_printed(trial, &[&one, &two])
}

fn silence_before(trial: &mut Trial) -> Result<(), CaseFailure> {
    pauses(trial, 0)
}

fn silence_between(trial: &mut Trial) -> Result<(), CaseFailure> {
    pauses(trial, 4 + PAUSED)
}

fn silence_in_length(trial: &mut Trial) -> Result<(), CaseFailure> {
    pauses(trial, 4 + PAUSED + 2)
}

fn silence_in_body(trial: &mut Trial) -> Result<(), CaseFailure> {
    pauses(trial, 4 + PAUSED + 30)
}

/// The length of each body in the cases with a silence.
const PAUSED: usize = 300;

/// Two frames, with a silence before the byte with this number.
fn pauses(trial: &mut Trial, at: usize) -> Result<(), CaseFailure> {
    let bodies = [trial.bytes(PAUSED), trial.bytes(PAUSED)];
    let stream = [frame(&bodies[0]), frame(&bodies[1])].concat();
    let mut server = trial.start_client("idle")?;
    server.send(&stream[..at])?;
    trial.keep_silent("the peer stays silent")?;
    server.send(&stream[at..])?;
    server.end()?;
    are_printed(trial, &bodies.each_ref().map(Vec::as_slice))
}

fn waits(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(40);
    let stream = frame(&body);
    let mut server = trial.start_client("idle")?;
    server.send(&stream[..30])?;
    trial.expect_idle()?;
    server.send(&stream[30..])?;
    server.end()?;
    are_printed(trial, &[&body])
}

fn no_frame(trial: &mut Trial) -> Result<(), CaseFailure> {
    all_arrive(trial, "idle", &[])
}

/// The program reads a frame of 6 bytes before the next byte is sent. Otherwise it would depend on the timing whether
/// they arrive together.
const WHOLE_FIRST: &str = "cut=10,*";

fn end_in_length(trial: &mut Trial) -> Result<(), CaseFailure> {
    // With zeros for the missing bytes, the first and the third would be the length of a body that is never sent, and
    // the second would be an empty frame.
    for came in [&[20][..], &[0, 0], &[20, 0, 0]] {
        ends_early(trial, came, "the stream ended inside a length")?;
    }
    Ok(())
}

fn end_in_body(trial: &mut Trial) -> Result<(), CaseFailure> {
    for came in [trial.number(1, 18) as usize, 19] {
        let cut = frame(&trial.text(20));
        ends_early(trial, &cut[..4 + came], "the stream ended inside a body")?;
    }
    // 256 bytes are missing. Only the low eight bits of an exit code arrive, and in this number they are all zero.
    let came = trial.number(1, 40) as usize;
    let cut = frame(&trial.text(256 + came));
    ends_early(trial, &cut[..4 + came], "the stream ended inside a body")
}

fn end_before_body(trial: &mut Trial) -> Result<(), CaseFailure> {
    let cut = frame(&trial.text(20));
    ends_early(trial, &cut[..4], "the stream ended after a length, before its body")
}

fn ends_early(trial: &mut Trial, part: &[u8], why: &str) -> Result<(), CaseFailure> {
    let whole = trial.text(6);
    let mut server = trial.start_client(WHOLE_FIRST)?;
    server.send(&[&frame(&whole)[..], part].concat())?;
    server.end()?;
    fails(trial, &[&whole], why)
}

fn negative(trial: &mut Trial) -> Result<(), CaseFailure> {
    wrong_length(trial, -1)
}

fn too_long(trial: &mut Trial) -> Result<(), CaseFailure> {
    wrong_length(trial, LIMIT + 1)
}

fn extreme_lengths(trial: &mut Trial) -> Result<(), CaseFailure> {
    wrong_length(trial, i32::MIN)?;
    wrong_length(trial, i32::MAX)
}

/// The server stays connected and sends nothing more, so a program that waits for the body never ends.
fn wrong_length(trial: &mut Trial, length: i32) -> Result<(), CaseFailure> {
    let whole = trial.text(6);
    let mut server = trial.start_client(WHOLE_FIRST)?;
    trial.step(format!("the next length is {length}; after it, the peer stays silent"));
    server.send(&[&frame(&whole)[..], &length.to_le_bytes()].concat())?;
    fails(trial, &[&whole], &format!("the length {length} is not allowed"))?;
    // The program has ended, so its connection has ended, too.
    server.expect_closed()
}

fn reset(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (whole, cut) = (trial.text(6), frame(&trial.text(20)));
    breaks_off(trial, &whole, &cut[..10])?;
    fails(trial, &[&whole], "the connection broke inside a body")
}

fn reset_between(trial: &mut Trial) -> Result<(), CaseFailure> {
    let (one, two) = (trial.text(6), trial.text(20));
    breaks_off(trial, &one, &frame(&two))?;
    breaks(trial, &[&one, &two], "the connection broke between two frames")
}

fn reset_unread(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies = [trial.text(6), trial.bytes(30_000), trial.text(20), trial.bytes(30_000)];
    let stream: Vec<u8> = bodies[1..].iter().flat_map(|body| frame(body)).collect();
    breaks_off(trial, &bodies[0], &stream[..stream.len() - 1])?;
    let whole = bodies.each_ref().map(Vec::as_slice);
    breaks(trial, &whole[..3], "the connection broke with bytes on the way")
}

/// The program reads a first frame. Only then come these bytes, with the reset right after them: any earlier, and it
/// might be connect that fails.
fn breaks_off(trial: &mut Trial, first: &[u8], part: &[u8]) -> Result<(), CaseFailure> {
    let stream = [&frame(first)[..], part].concat();
    let mut server = trial.start_client(&format!("{WHOLE_FIRST} reset-after={}", stream.len()))?;
    server.send(&stream)?;
    // The relay resets both of its connections; ours stays open until then.
    server.expect_closed()
}

fn frame(body: &[u8]) -> Vec<u8> {
    Order::Little.frame(body)
}
