//! What a command writes: to which pipe, which bytes, and how many of them.

use std::rc::Rc;
use std::time::Duration;

use super::answer::{Answer, ask, unhurried};
use super::bounds::{PACE, expect_at_once};
use super::liveness::Liveness;
use super::{OUTPUT, text, word};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

pub(super) const BOTH_STREAMS: Case = Case {
    id: "both-streams",
    points: 2,
    rule: "the body is all of stdout and then all of stderr",
    proves: &[("body", "both pipes are used"), ("body", "only stderr is used")],
    hint: "A command may use both pipes. Does your program send only one of them, or both in the wrong order?",
    fits: &[Fault::Wrong],
    play: both_streams,
};

fn both_streams(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let [a, b, c] = [word(trial), word(trial), word(trial)];
    ask(&mut peer, format!("echo {a}; echo {b} >&2; echo {c}"), format!("{a}\n{c}\n{b}\n"))?;
    ask(&mut peer, format!("echo {a} >&2"), format!("{a}\n"))
}

pub(super) const SILENT: Case = Case {
    id: "silent",
    points: 1,
    rule: "a command that writes nothing is answered with an empty body",
    proves: &[
        ("answer", "a command that writes nothing"),
        ("answer", "a command of 0 bytes"),
        ("length", "0 bytes are answered"),
    ],
    hint: "What does your program send for 0 bytes of output, and for a command of 0 bytes? Either way, the peer waits \
           for a header.",
    fits: &[Fault::Silent, Fault::Short],
    play: silent,
};

fn silent(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for command in ["true", "", ": >/dev/null"] {
        ask(&mut peer, command, "")?;
    }
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const ANY_BYTES: Case = Case {
    id: "any-bytes",
    points: 2,
    rule: "commands and their output are bytes: they need not be UTF-8 or end with a newline",
    proves: &[
        ("body", "no final newline, NUL bytes, and bytes that aren't UTF-8"),
        ("body", "a command that isn't UTF-8"),
        ("body", "a command of two lines that ends with a space"),
    ],
    hint: "Is there a decode, a string or a strip anywhere? Only the header is text.",
    fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
    play: any_bytes,
};

fn any_bytes(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, r"printf '\377\376\000\200'", b"\xff\xfe\0\x80")?;
    ask(&mut peer, b"printf %s '\xe9t\xe9'", b"\xe9t\xe9")?;
    ask(&mut peer, r"printf ' \r\n\n'; printf '\000\n ' >&2", b" \r\n\n\0\n ")?;
    // The command ends in a space that belongs to the word.
    ask(&mut peer, "\nprintf %s 'two\nlines'\\ ", "two\nlines ")
}

pub(super) const BYTES_NOT_CHARACTERS: Case = Case {
    id: "bytes-not-characters",
    points: 1,
    rule: "data_len counts bytes, not characters",
    proves: &[("header", "bytes are counted, not characters")],
    hint: "What does your length count: the bytes that you send, or the characters that you see?",
    fits: &[Fault::Form, Fault::Wrong, Fault::Silent],
    play: bytes_not_characters,
};

fn bytes_not_characters(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    (0..2).try_for_each(|_| ask(&mut peer, "echo Grüße, 世界", "Grüße, 世界\n"))
}

pub(super) const PIPES_FULL: Case = Case {
    id: "pipes-full",
    points: 3,
    rule: "the output of a command that fills both pipes is read to the end",
    proves: &[("body", "200,000 bytes on each pipe, a little at a time")],
    hint: "A pipe holds 64 KiB. If you read one pipe to its end first, who empties the other one?",
    fits: &[Fault::Form, Fault::Silent, Fault::Wrong],
    play: pipes_full,
};

fn pipes_full(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let mut peer = trial.connect("idle")?;
    // Only shell builtins: 400 processes would take a second.
    let (out, err) = (text(trial, 1000), text(trial, 1000));
    let write = format!("printf %s {out}; printf %s {err} >&2");
    let command = format!("i=0; while [ $i -lt 200 ]; do {write}; i=$((i+1)); done");
    ask(&mut peer, command, out.repeat(200) + &err.repeat(200))
}

pub(super) const LAST_WORDS: Case = Case {
    id: "last-words",
    points: 1,
    rule: "what a command writes just before it ends is in the answer: 60,000 bytes on each pipe",
    proves: &[("body", "60,000 bytes on each pipe just before the end")],
    hint: "The shell has ended. Which bytes may its pipes still hold, and which line reads them?",
    fits: &[Fault::Wrong],
    play: last_words,
};

/// The program is stopped while the command writes everything and ends, so it finds both at once.
fn last_words(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let write = format!("{}{}", out(60_000), err(60_000));
    let patience = Rc::clone(&trial.patience);
    let answer = unhurried(&patience, || {
        let mut liveness = Liveness::begin(trial)?;
        let go = trial.folder()?.join("go");
        let _ = std::fs::remove_file(&go);
        let waits = format!("until [ -e '{}' ]; do sleep 0.05; done", go.display());
        liveness.send(&mut peer, &format!("{waits}; {write}"))?;
        liveness.wait_start(trial)?;
        trial.while_stopped(|trial| {
            trial.step("lets the command go on");
            std::fs::write(&go, "").map_err(|error| CaseFailure::machine("write a file", error))?;
            // If a pipe on this system holds less, the command has to wait for the program.
            liveness.has_ended(trial, Duration::from_secs(1));
            Ok(())
        })?;
        Answer::receive(&mut peer)
    })?;
    answer.is(both(60_000, 60_000))
}

pub(super) const ALL_THAT_FITS: Case = Case {
    id: "all-that-fits",
    points: 1,
    rule: "an output of 1,048,575 or exactly 1,048,576 bytes is complete, and not truncated",
    proves: &[
        ("output", "1,048,575 bytes are complete"),
        ("output", "1,048,576 bytes are complete"),
    ],
    hint: "How do you know that there is more? Only one byte beyond the limit shows it.",
    fits: &[Fault::Form, Fault::Wrong],
    play: all_that_fits,
};

fn all_that_fits(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, out(OUTPUT - 1), both(OUTPUT - 1, 0))?;
    ask(&mut peer, out(OUTPUT), both(OUTPUT, 0))
}

pub(super) const BOTH_FULL: Case = Case {
    id: "both-full",
    points: 1,
    rule: "each pipe has a limit of its own: 1,048,576 bytes on each are answered in full, in a body of 2 MiB",
    proves: &[
        ("output", "1,048,576 bytes on each pipe are complete"),
        ("pace", "an answer of 2 MiB"),
    ],
    hint: "Which bytes does your limit count: those of a pipe, or those of the answer?",
    fits: &[Fault::Form, Fault::Wrong],
    play: both_full,
};

fn both_full(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, format!("{}{}", out(OUTPUT), err(OUTPUT)), both(OUTPUT, OUTPUT))
}

pub(super) const ONE_TOO_MANY: Case = Case {
    id: "one-too-many",
    points: 2,
    rule: "1,048,577 bytes on one pipe are answered as truncated, and the output on the other pipe is kept",
    proves: &[
        ("output", "1,048,577 bytes on stdout are truncated, and stderr is kept"),
        ("output", "1,048,577 bytes on stderr are truncated, and stdout is kept"),
        ("header", "`truncated` is true, and `timed_out` is not"),
    ],
    hint: "One pipe had too much. Do you read both? And what had the other one delivered by then?",
    fits: &[Fault::Form, Fault::Wrong],
    play: one_too_many,
};

fn one_too_many(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let mut peer = trial.connect("idle")?;
    let word = word(trial);
    let kept = [both(OUTPUT, 0), word.clone().into_bytes()].concat();
    let command = format!("printf {word} >&2; {}", out(OUTPUT + 1));
    Answer::of(&mut peer, command)?.is_truncated(kept)?;
    let kept = [word.clone().into_bytes(), both(0, OUTPUT)].concat();
    let command = format!("printf {word}; {}", err(OUTPUT + 1));
    Answer::of(&mut peer, command)?.is_truncated(kept)?;
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const ENDLESS: Case = Case {
    id: "endless",
    points: 2,
    rule: "the first 1,048,576 bytes of endless output are answered as truncated, and the command is killed at once",
    proves: &[
        ("output", "endless output on stdout"),
        ("output", "endless output on stderr"),
        ("header", "`truncated` is true, and `timed_out` is not"),
        ("at-once", "after too much output"),
    ],
    hint: "Do you wait for the command to end before you check how much there is?",
    fits: &[Fault::Form, Fault::Silent],
    play: endless,
};

fn endless(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let mut peer = trial.connect("idle")?;
    let line = text(trial, 999);
    let expected = &format!("{line}\n").repeat(OUTPUT / 1000 + 1)[..OUTPUT];
    for to in ["", " >&2"] {
        // Not really endless: if a program keeps all of it, it shouldn't use up the machine's memory.
        let lines = format!("i=0; while [ $i -lt 40000 ]; do echo {line}; i=$((i+1)); done{to}");
        let command = format!("{lines}; sleep 60");
        expect_at_once(trial, &mut peer, &command, |answer| answer.is_truncated(expected))?;
    }
    ask(&mut peer, "echo next", "next\n")
}

/// A command that writes this many zero bytes to stdout.
pub(super) fn out(length: usize) -> String {
    format!("dd if=/dev/zero bs={length} count=1 2>/dev/null;")
}

/// A command that writes this many letters e to stderr.
pub(super) fn err(length: usize) -> String {
    format!("dd if=/dev/zero bs={length} count=1 2>/dev/null | tr '\\0' e >&2;")
}

/// What the answer to both of these holds.
pub(super) fn both(zeros: usize, letters: usize) -> Vec<u8> {
    [vec![0; zeros], vec![b'e'; letters]].concat()
}
