//! How a command ends: by itself, by a signal, at its time limit, or never.

use super::answer::{Answer, EARLIEST, ask, frame};
use super::bounds::{ALLOWED, expect_at_once, expect_gone, expect_in_time, expect_timed_out};
use super::liveness::Liveness;
use super::output::out;
use super::requests::next_peer;
use super::{OUTPUT, word};
use crate::labs::lab::Case;
use crate::play::{Peer, Trial};
use crate::verdict::{CaseFailure, Fault};

pub(super) const NO_INPUT: Case = Case {
    id: "no-input",
    points: 1,
    rule: "a command that reads its standard input gets end-of-file straight away",
    proves: &[("input", "a command that reads its input")],
    hint: "Whose standard input does a child get, if you don't give it another one?",
    fits: &[Fault::Form, Fault::Wrong, Fault::Silent],
    play: no_input,
};

fn no_input(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, "cat; echo end", "end\n")?;
    ask(&mut peer, "read line || echo end", "end\n")
}

pub(super) const ANY_END: Case = Case {
    id: "any-end",
    points: 1,
    rule: "a command may end with any exit code or by a signal, even one that it sends to its whole group",
    proves: &[
        ("end", "exit code 3"),
        ("end", "the shell is killed by a signal"),
        ("group", "a command that kills its group"),
    ],
    hint: "Which ways for a command to end does your program treat as its own error? And who is in the command's \
           process group?",
    fits: &[Fault::Wrong, Fault::Form, Fault::Short, Fault::Silent, Fault::Ended, Fault::Reset],
    play: any_end,
};

fn any_end(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    let ends = [
        "exit 3",
        "false",
        "kill -s KILL $$",
        "kill -s TERM $$",
        "kill -s HUP 0",
        "kill -s KILL 0",
    ];
    for end in ends {
        let word = word(trial);
        ask(&mut peer, format!("echo {word}; {end}"), format!("{word}\n"))?;
    }
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const IN_TIME: Case = Case {
    id: "in-time",
    points: 1,
    rule: "a command that takes 1.5 s ends by itself, and so does the next one on the same connection",
    proves: &[
        ("time", "a command that takes 1.5 s ends by itself"),
        ("time", "and so does the next one"),
    ],
    hint: "How long may a command run, and when does your clock start: with the command, or with the peer?",
    fits: &[Fault::Form, Fault::Wrong, Fault::Short],
    play: in_time,
};

fn in_time(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    for _ in 0..2 {
        let word = word(trial);
        let command = format!("echo early; sleep 1.5; echo {word}");
        expect_in_time(trial, &mut peer, &command, &format!("early\n{word}\n"))?;
    }
    Ok(())
}

pub(super) const NO_END: Case = Case {
    id: "no-end",
    points: 2,
    rule: "a command that doesn't end is killed with its children after 2 s; the answer has what it wrote, and \
           timed_out",
    proves: &[
        ("time", "a command that would take 60 s is killed"),
        ("header", "`timed_out` is true, and `truncated` is not"),
    ],
    hint: "Killing the shell doesn't kill the processes it started, and they hold your pipes open, too.",
    fits: &[Fault::Form, Fault::Silent, Fault::Wrong],
    play: no_end,
};

fn no_end(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    let command = "echo before; sleep 60 & sleep 60; echo after";
    expect_timed_out(trial, &mut peer, command, "before\n")?;
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const STOPS_ITSELF: Case = Case {
    id: "stops-itself",
    points: 1,
    rule: "a command that stops itself (SIGSTOP) has not ended: it is killed when its time is up",
    proves: &[("end", "the shell is stopped")],
    hint: "A stopped process has not ended, and some signals wait until it continues. Which of your calls mistakes the \
           stop for an end?",
    fits: &[Fault::Form, Fault::Silent, Fault::Wrong],
    play: stops_itself,
};

fn stops_itself(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    let command = "sleep 60 & echo before; kill -s STOP 0; echo after";
    expect_timed_out(trial, &mut peer, command, "before\n")?;
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const CLOSED_PIPES: Case = Case {
    id: "closed-pipes",
    points: 2,
    rule: "a command that closes its stdout and stderr has not ended: it runs on, for at most its 2 s",
    proves: &[("end", "both pipes are closed, and the shell runs on")],
    hint: "End-of-file on the pipes means that there is no more output. What tells you that the command has ended?",
    fits: &[Fault::Form, Fault::Silent],
    play: closed_pipes,
};

fn closed_pipes(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    let trace = trial.folder()?.join("ran");
    let command = format!("echo before; exec >&- 2>&-; sleep 0.5; : >'{}'", trace.display());
    peer.quietly("sends the command \"echo before; exec >&- 2>&-; sleep 0.5; : >FILE\"", |peer| {
        peer.send(&frame(&command))
    })?;
    let answer = Answer::receive(&mut peer)?;
    trial.step("checks whether the command has created the file");
    if !trace.exists() {
        return Err(CaseFailure::new(Fault::Rule, "the command was answered before it had ended"));
    }
    answer.is("before\n")?;
    expect_timed_out(trial, &mut peer, "echo before; exec >&- 2>&-; sleep 60", "before\n")?;
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const BACKGROUND: Case = Case {
    id: "background",
    points: 2,
    rule: "when the shell ends, the answer is sent at once: a child in the background doesn't delay it, and is killed",
    proves: &[
        ("background", "a child that holds the pipes"),
        ("background", "a child that has closed the pipes"),
        ("at-once", "after the end of the shell"),
    ],
    hint: "What do you wait for: the end of the shell, or the end of the pipes? Who else holds the pipes open, and who \
           doesn't?",
    fits: &[Fault::Form, Fault::Silent],
    play: background,
};

fn background(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    for command in ["sleep 60 & echo started", "sleep 60 >&- 2>&- & echo started"] {
        expect_at_once(trial, &mut peer, command, |answer| answer.is("started\n"))?;
    }
    ask(&mut peer, "echo next", "next\n")
}

pub(super) const IGNORES_SIGNALS: Case = Case {
    id: "ignores-signals",
    points: 2,
    rule: "a command that ignores HUP, INT and TERM is killed all the same, with its children, whatever the reason",
    proves: &[
        ("kill", "HUP, INT and TERM are ignored when the time is up"),
        ("kill", "HUP, INT and TERM are ignored after too much output"),
        ("kill", "HUP, INT and TERM are ignored in the background"),
        ("kill", "HUP, INT and TERM are ignored when the peer has left"),
    ],
    hint: "Most signals are requests, and a process may ignore them. Which one can't be ignored?",
    fits: &[Fault::Form, Fault::Silent],
    play: ignores_signals,
};

fn ignores_signals(trial: &mut Trial) -> Result<(), CaseFailure> {
    const TRAP: &str = "trap '' HUP INT TERM;";
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    // The commands that end quickly come first. A shell's children ignore the signals that it ignores.
    let command = format!("({TRAP} sleep 60) & echo started");
    expect_at_once(trial, &mut peer, &command, |answer| answer.is("started\n"))?;
    let command = format!("{TRAP} {} sleep 60", out(OUTPUT + 1));
    expect_at_once(trial, &mut peer, &command, |answer| answer.is_truncated(vec![0; OUTPUT]))?;
    let command = format!("{TRAP} echo before; sleep 60 & sleep 60");
    expect_timed_out(trial, &mut peer, &command, "before\n")?;
    peer.end()?;
    peer.expect_end()?;
    expect_gone(trial, &command, Peer::reset)?;
    next_peer(trial)
}

pub(super) const WAITS_QUIETLY: Case = Case {
    id: "waits-quietly",
    points: 1,
    rule: "while a command runs, the program waits without keeping the processor busy",
    proves: &[
        ("idle", "while a command runs"),
        ("idle", "while a command runs that has closed its pipes"),
    ],
    hint: "How does your program learn that the command has ended? And what does read or poll say about a pipe that \
           has reached its end?",
    fits: &[Fault::Spins],
    play: waits_quietly,
};

fn waits_quietly(trial: &mut Trial) -> Result<(), CaseFailure> {
    const LOOKS: usize = 5;
    trial.start_tcp_server()?;
    trial.allow(ALLOWED);
    let mut peer = trial.connect("idle")?;
    for command in ["echo before; sleep 60", "echo before; exec >&- 2>&-; sleep 60"] {
        for _ in 0..LOOKS {
            let mut liveness = Liveness::begin(trial)?;
            liveness.send(&mut peer, command)?;
            liveness.wait_start(trial)?;
            trial.expect_idle()?;
            // After the command has ended, the program is idle anyway, so a look that came that late has to be
            // repeated.
            let looked = liveness.sent.elapsed() < EARLIEST;
            liveness.wait_end(trial)?;
            Answer::receive(&mut peer)?.is_timed_out("before\n")?;
            if looked {
                break;
            }
        }
    }
    Ok(())
}
