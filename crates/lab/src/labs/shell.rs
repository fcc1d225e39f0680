//! shell: the remote command server with fix 3, bounded: whatever a command or its peer does, the server lives on.
//! The commands only write to their pipes and into the trial's folder; 60 s is the longest, longer than any wait of ours.

mod answer;
mod life;

use super::{Case, Lab, texts};
use crate::{Broken, Fault, Trial};
use answer::{Answer, ask, frame};
use life::Life;

/// The longest command, in bytes. Linux passes no argument above 128 KiB (execve(2)).
const COMMAND: i32 = 64 << 10;
/// How much is kept of what a command writes to one pipe, in bytes.
const OUTPUT: usize = 1 << 20;

pub(super) const LAB: Lab = Lab {
    name: "shell",
    task: "a TCP server that runs commands and answers each with a JSON header and its output",
    rules: &[],
    cases: &[
        Case {
            id: "one-command",
            points: 1,
            rule: "a command is answered with the length of a header, the header, and the output; the next peer is served, too",
            hint: "The header is JSON with data_len; the length in front of it counts the header's bytes only.",
            proves: &[],
            fits: &[],
            play: one_command,
        },
        Case {
            id: "both-streams",
            points: 2,
            rule: "the body is all of stdout and then all of stderr",
            hint: "A command may use both. Does your program send one of them only?",
            proves: &[],
            fits: &[],
            play: both_streams,
        },
        Case {
            id: "silent",
            points: 1,
            rule: "a command that says nothing is answered with an empty body",
            hint: "What does your program send for 0 bytes? The peer waits for a header in any case.",
            proves: &[],
            fits: &[],
            play: silent,
        },
        Case {
            id: "pipelined",
            points: 2,
            rule: "requests that come together are answered one by one, in their order",
            hint: "One recv may bring more than one request. What becomes of the bytes behind the first?",
            proves: &[],
            fits: &[],
            play: pipelined,
        },
        Case {
            id: "cut-everywhere",
            points: 1,
            rule: "a request that comes a byte at a time is one request",
            hint: "Does your program wait for the whole length, and then for the whole command?",
            proves: &[],
            fits: &[],
            play: cut_everywhere,
        },
        Case {
            id: "no-input",
            points: 1,
            rule: "a command that reads its standard input reads the end at once",
            hint: "Whose standard input does a child have, if nobody gives it another?",
            proves: &[],
            fits: &[],
            play: no_input,
        },
        Case {
            id: "any-bytes",
            points: 2,
            rule: "commands and their output are bytes: they need not be UTF-8",
            hint: "Do you decode anywhere? Only the header is text.",
            proves: &[],
            fits: &[],
            play: any_bytes,
        },
        Case {
            id: "bytes-not-characters",
            points: 1,
            rule: "data_len counts bytes",
            hint: "What does your length count: what is sent, or what is seen?",
            proves: &[],
            fits: &[],
            play: bytes_not_characters,
        },
        Case {
            id: "pipes-full",
            points: 3,
            rule: "a command that fills both pipes is read to its end",
            hint: "A pipe holds 64 KiB. Who waits for whom when you read one of two to its end first?",
            proves: &[],
            fits: &[],
            play: pipes_full,
        },
        Case {
            id: "all-that-fits",
            points: 1,
            rule: "an output of exactly 1,048,576 bytes is complete, and not truncated",
            hint: "How do you know that there is more? Only a byte above the limit shows it.",
            proves: &[],
            fits: &[],
            play: all_that_fits,
        },
        Case {
            id: "endless",
            points: 2,
            rule: "of endless output the first 1,048,576 bytes are answered as truncated, and the command is killed",
            hint: "Do you wait for the command's end before you look at how much there is?",
            proves: &[],
            fits: &[],
            play: endless,
        },
        Case {
            id: "no-end",
            points: 2,
            rule: "a command that does not end is killed with its children after 2 s; what it said is answered as timed_out",
            hint: "Killing the shell does not kill what the shell has started, and that has your pipes open, too.",
            proves: &[],
            fits: &[],
            play: no_end,
        },
        Case {
            id: "background",
            points: 2,
            rule: "when the shell ends, the answer leaves: a child in the background does not hold it, and is killed",
            hint: "What do you wait for: the end of the shell, or the end of the pipes? Who else holds those?",
            proves: &[],
            fits: &[],
            play: background,
        },
        Case {
            id: "peer-leaves",
            points: 2,
            rule: "a peer that leaves while its command runs takes neither the server nor the next peer with it",
            hint: "The answer cannot be sent. Whose error is that?",
            proves: &[],
            fits: &[],
            play: peer_leaves,
        },
        Case {
            id: "broken-framing",
            points: 2,
            rule: "after a wrong length, or an end inside a request, nothing is run, and that connection is closed",
            hint: "Check the length before you believe it; and half a command is no command.",
            proves: &[],
            fits: &[],
            play: broken_framing,
        },
    ],
    texts: texts!("shell"),
};

fn one_command(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    for _ in 0..2 {
        let mut peer = trial.connect("idle")?;
        let word = word(trial);
        ask(&mut peer, format!("echo {word}"), format!("{word}\n"))?;
        peer.end()?;
        peer.expect_end()?;
    }
    Ok(())
}

fn both_streams(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let [a, b, c] = [word(trial), word(trial), word(trial)];
    ask(&mut peer, format!("echo {a}; echo {b} >&2; echo {c}"), format!("{a}\n{c}\n{b}\n"))?;
    ask(&mut peer, format!("echo {a} >&2; exit 3"), format!("{a}\n"))
}

fn silent(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for command in ["true", "false", "", &":;".repeat(COMMAND as usize / 2)] {
        ask(&mut peer, command, "")?;
    }
    ask(&mut peer, "echo next", "next\n")
}

fn pipelined(trial: &mut Trial) -> Result<(), Broken> {
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

fn cut_everywhere(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=1")?;
    for _ in 0..2 {
        let word = word(trial);
        ask(&mut peer, format!("echo {word}"), format!("{word}\n"))?;
    }
    Ok(())
}

fn no_input(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, "cat; echo end", "end\n")
}

fn any_bytes(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, r"printf '\377\376\000\200'", b"\xff\xfe\0\x80")?;
    ask(&mut peer, b"printf %s '\xe9t\xe9'", b"\xe9t\xe9")
}

fn bytes_not_characters(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    (0..2).try_for_each(|_| ask(&mut peer, "echo Grüße, 世界", "Grüße, 世界\n"))
}

fn pipes_full(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    // Builtins only: 400 processes would take a second.
    let (out, err) = (text(trial, 1000), text(trial, 1000));
    let write = format!("printf %s {out}; printf %s {err} >&2");
    let command = format!("i=0; while [ $i -lt 200 ]; do {write}; i=$((i+1)); done");
    ask(&mut peer, command, out.repeat(200) + &err.repeat(200))
}

fn all_that_fits(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, "dd if=/dev/zero bs=1024 count=1024 2>/dev/null", vec![0; OUTPUT])
}

fn endless(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let line = text(trial, 999);
    let expected = &format!("{line}\n").repeat(OUTPUT / 1000 + 1)[..OUTPUT];
    for to in ["", " >&2"] {
        let mut life = Life::begin(trial)?;
        // Not truly endless: a program that keeps all of it should not take the machine's memory.
        let lines = format!("i=0; while [ $i -lt 40000 ]; do echo {line}; i=$((i+1)); done{to}");
        life.send(&mut peer, &format!("{lines}; sleep 60"))?;
        let answer = Answer::receive(&mut peer)?;
        answer.says("truncated", true)?;
        answer.says("timed_out", false)?;
        answer.body_is(expected)?;
        life.wait_end(trial)?;
    }
    ask(&mut peer, "echo next", "next\n")
}

fn no_end(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, "echo early; sleep 1; echo late", "early\nlate\n")?;
    let mut life = Life::begin(trial)?;
    life.send(&mut peer, "echo before; sleep 60; echo after")?;
    life.wait_start(trial)?;
    life.wait_end(trial)?;
    let answer = Answer::receive(&mut peer)?;
    answer.says("timed_out", true)?;
    answer.body_is("before\n")?;
    ask(&mut peer, "echo next", "next\n")
}

fn background(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let mut life = Life::begin(trial)?;
    life.send(&mut peer, "sleep 60 & echo started")?;
    Answer::receive(&mut peer)?.is("started\n")?;
    life.wait_end(trial)?;
    ask(&mut peer, "echo next", "next\n")
}

fn peer_leaves(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let mut life = Life::begin(trial)?;
    life.send(&mut peer, "sleep 60")?;
    life.wait_start(trial)?;
    peer.reset();
    life.wait_end(trial)?;
    let mut next = trial.connect("idle")?;
    ask(&mut next, "echo next", "next\n")
}

fn broken_framing(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let trace = trial.folder()?.join("ran");
    let command = frame(format!("echo >'{}'; echo ran", trace.display()));
    let started = &command[..command.len() - "; echo ran".len()];
    for wrong in [&(-1i32).to_le_bytes(), &(COMMAND + 1).to_le_bytes(), &command[..2], started] {
        let mut peer = trial.connect("idle")?;
        peer.send(wrong)?;
        if wrong.len() != 4 {
            peer.end()?;
        }
        peer.expect_closed()?;
    }
    let mut next = trial.connect("idle")?;
    ask(&mut next, "echo next", "next\n")?;
    trial.step("look whether a part of the command was run");
    if trace.exists() {
        return Err(Broken::new(
            Fault::Rule,
            "the beginning of a command was run, and its end never came",
        ));
    }
    Ok(())
}

fn word(trial: &mut Trial) -> String {
    text(trial, 7)
}

fn text(trial: &mut Trial, length: usize) -> String {
    trial.text(length).into_iter().map(char::from).collect()
}
