//! Requests: in pieces, several together, too long, cut off.

use std::path::Path;

use super::answer::{Answer, ask, frame};
use super::bounds::PACE;
use super::{COMMAND, word};
use crate::labs::framed::Order;
use crate::labs::lab::Case;
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault};

/// How many requests are sent in one piece: more than a recursion can go deep, and more than the program has
/// descriptors.
const MANY: usize = 1200;

pub(super) const ONE_COMMAND: Case = Case {
    id: "one-command",
    points: 1,
    rule: "a command is answered with the length of a header, the header and the output; then the next peer is served",
    proves: &[("answer", "a peer that waits for each answer"), ("next", "after a peer's end")],
    hint: "The header is JSON with data_len. The length before it counts the bytes of the header only.",
    fits: &[Fault::Form, Fault::Wrong],
    play: one_command,
};

fn one_command(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    for _ in 0..2 {
        next_peer(trial)?;
    }
    Ok(())
}

pub(super) const PIPELINED: Case = Case {
    id: "pipelined",
    points: 2,
    rule: "three requests in one piece are answered one by one, in order",
    proves: &[
        ("order", "3 requests in one piece"),
        ("half-close", "requests came just before the end"),
    ],
    hint: "One recv may return more than one request. What happens to the bytes after the first?",
    fits: &[Fault::Short, Fault::Silent, Fault::SilentAfterEnd, Fault::Wrong],
    play: pipelined,
};

fn pipelined(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let words = [(); 3].map(|()| word(trial));
    let requests: Vec<u8> = words.iter().flat_map(|word| frame(format!("echo {word}"))).collect();
    peer.send(&requests)?;
    peer.end()?;
    for word in words {
        Answer::receive(&mut peer)?.is(format!("{word}\n"))?;
    }
    peer.expect_end()
}

pub(super) const CUT_EVERYWHERE: Case = Case {
    id: "cut-everywhere",
    points: 1,
    rule: "a request that comes a byte at a time is one request",
    proves: &[("pieces", "a byte at a time")],
    hint: "Does your program wait for the whole length, and then for the whole command?",
    fits: &[Fault::Short, Fault::Silent, Fault::Extra, Fault::Wrong],
    play: cut_everywhere,
};

fn cut_everywhere(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=1")?;
    for _ in 0..2 {
        let word = word(trial);
        ask(&mut peer, format!("echo {word}"), format!("{word}\n"))?;
    }
    Ok(())
}

pub(super) const COMMAND_LENGTHS: Case = Case {
    id: "command-lengths",
    points: 1,
    rule: "commands of 1, 65,535 and 65,536 bytes are run, to their last byte",
    proves: &[
        ("length", "1 byte is answered"),
        ("length", "65,535 bytes are answered"),
        ("length", "65,536 bytes are answered"),
    ],
    hint: "\"At most\" includes the limit itself. How do you compare? And how large is the buffer that holds a \
           command?",
    fits: &[Fault::Short, Fault::Silent, Fault::Wrong],
    play: command_lengths,
};

fn command_lengths(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, ":", "")?;
    for length in [COMMAND - 1, COMMAND] {
        let [first, last] = [word(trial), word(trial)];
        let expected = format!("{first}\n{last}\n");
        ask(&mut peer, padded(&first, &last, length as usize), expected)?;
    }
    Ok(())
}

/// A command of this length that prints both words: one at its beginning, the other at its end.
fn padded(first: &str, last: &str, length: usize) -> String {
    let (first, last) = (format!("echo {first};"), format!("echo {last}"));
    let spaces = " ".repeat(length - first.len() - last.len());
    first + &spaces + &last
}

pub(super) const SILENCE: Case = Case {
    id: "silence",
    points: 1,
    rule: "silence between two requests is not the end: after it, the peer carries on",
    proves: &[("silence", "a silence between two requests")],
    hint: "Silence means nothing. Is there a timeout on your connection?",
    fits: &[Fault::Impatient],
    play: silence,
};

fn silence(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, "echo first", "first\n")?;
    peer.keep_silent()?;
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const SILENCE_INSIDE: Case = Case {
    id: "silence-inside",
    points: 1,
    rule: "silence inside a request is not its end: the rest may come later",
    proves: &[("silence", "a silence inside a request")],
    hint: "Half a command has arrived, and the stream hasn't ended. How long does your program wait for the rest?",
    fits: &[Fault::Impatient],
    play: silence_inside,
};

fn silence_inside(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let request = frame("echo first");
    let (begun, rest) = request.split_at(7);
    peer.send(begun)?;
    peer.keep_silent()?;
    peer.send(rest)?;
    Answer::receive(&mut peer)?.is("first\n")?;
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const BROKEN_FRAMING: Case = Case {
    id: "broken-framing",
    points: 2,
    rule: "if the stream ends inside a request, nothing is run or answered, and the connection is closed",
    proves: &[
        ("refused", "an end inside the length"),
        ("refused", "an end after the length"),
        ("refused", "an end inside the command"),
        ("refused", "an end before the last byte of the command"),
        ("next", "after a refused request"),
    ],
    hint: "Half a command isn't a command. How many bytes must have arrived before you run it?",
    fits: &[Fault::Extra, Fault::Open],
    play: broken_framing,
};

fn broken_framing(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let trace = trial.folder()?.join("ran");
    let command = frame(format!("echo >'{}'; echo ran", trace.display()));
    let half = command.len() - "; echo ran".len();
    for part in [1, 3, 4, half, command.len() - 1] {
        let mut peer = trial.connect("idle")?;
        // The path in the command is different each time, so the step doesn't quote it.
        let all = command.len();
        peer.quietly(&format!("sends the first {part} of a request's {all} bytes"), |peer| {
            peer.send(&command[..part])
        })?;
        peer.end()?;
        peer.expect_closed()?;
    }
    next_peer(trial)?;
    expect_not_run(trial, &trace)
}

pub(super) const WRONG_LENGTHS: Case = Case {
    id: "wrong-lengths",
    points: 1,
    rule: "a length below 0 or above 65,536 is refused: nothing is run or answered, and the connection is closed",
    proves: &[
        ("length", "a length of -1 is refused"),
        ("length", "65,537 bytes are refused"),
        ("length", "a length of -2,147,483,648 is refused"),
        ("length", "2,147,483,647 bytes are refused"),
        ("refused", "a command before a wrong length is answered"),
        ("next", "after a refused request"),
    ],
    hint: "Which lengths does your program accept? Is the number signed? And do you check it before you read that many \
           bytes?",
    fits: &[Fault::Extra, Fault::Open, Fault::Short],
    play: wrong_lengths,
};

fn wrong_lengths(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let trace = trial.folder()?.join("ran");
    let command = format!("echo >'{}';", trace.display());
    let command = command.clone() + &" ".repeat(COMMAND as usize + 1 - command.len());
    for length in [-1, COMMAND + 1, i32::MIN, i32::MAX] {
        let mut peer = trial.connect("idle")?;
        let bytes = Order::Little.length(length);
        let step = format!("sends the length {length}, and a command of {} bytes", command.len());
        peer.quietly(&step, |peer| peer.send(&[&bytes[..], command.as_bytes()].concat()))?;
        peer.expect_closed()?;
    }
    let mut peer = trial.connect("idle")?;
    peer.send(&[&frame("echo first")[..], &Order::Little.length(-1)].concat())?;
    Answer::receive(&mut peer)?.is("first\n")?;
    peer.expect_closed()?;
    next_peer(trial)?;
    expect_not_run(trial, &trace)
}

fn expect_not_run(trial: &Trial, trace: &Path) -> Result<(), CaseFailure> {
    trial.step("checks whether one of these commands was run");
    match trace.exists() {
        true => {
            Err(CaseFailure::new(Fault::Rule, "a command was run that should have been refused"))
        }
        false => Ok(()),
    }
}

pub(super) const MANY_COMMANDS: Case = Case {
    id: "many-commands",
    points: 1,
    rule: "1,200 requests in one piece are answered one by one, and whatever the commands used is released",
    proves: &[
        ("order", "1,200 requests in one piece"),
        ("pace", "1,200 commands"),
        ("resources", "after 1,200 commands"),
        ("length", "0 bytes are answered"),
    ],
    hint: "What does each command leave behind in your program: an open pipe, a thread, a function that hasn't \
           returned?",
    fits: &[Fault::Short, Fault::Silent, Fault::Ended, Fault::Reset],
    play: many_commands,
};

fn many_commands(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(PACE);
    let mut peer = trial.connect("idle")?;
    let step = format!("sends {MANY} requests of 0 bytes, and reads their answers");
    peer.quietly(&step, |peer| {
        peer.send(&frame("").repeat(MANY))?;
        (1..=MANY).try_for_each(|number| {
            let answered = Answer::receive(peer).and_then(|answer| answer.is(""));
            let of = |failure: CaseFailure| format!("answer {number} of {MANY}: {}", failure.what);
            answered.map_err(|failure| CaseFailure { what: of(failure.clone()), ..failure })
        })
    })?;
    ask(&mut peer, "echo next", "next\n")?;
    peer.end()?;
    peer.expect_end()?;
    next_peer(trial)
}

/// Another peer is served.
pub(super) fn next_peer(trial: &mut Trial) -> Result<(), CaseFailure> {
    let word = word(trial);
    trial.next_peer(|peer| serve(peer, &word))
}

fn serve(peer: &mut Peer, word: &str) -> Result<(), CaseFailure> {
    ask(peer, format!("echo {word}"), format!("{word}\n"))?;
    peer.end()?;
    peer.expect_end()
}
