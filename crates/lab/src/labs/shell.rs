//! shell: the remote command server with fix 3, with limits: whatever a command or its peer does, the server keeps
//! running. The commands write only to their pipes and into the trial's folder; the longest lasts 60 s, longer than we
//! ever wait.

mod answer;
mod bounds;
mod ends;
mod liveness;
mod output;
mod peers;
mod requests;
mod rules;

use super::lab::{Lab, texts};
use crate::play::Trial;

/// The longest command, in bytes. Linux passes no argument above 128 KiB (execve(2)).
const COMMAND: i32 = 64 << 10;
/// How much of what a command writes to one pipe is kept, in bytes.
const OUTPUT: usize = 1 << 20;

pub(super) const LAB: Lab = Lab {
    name: "shell",
    task: "a TCP server that runs commands and answers each with a JSON header and its output",
    rules: rules::RULES,
    cases: &[
        requests::ONE_COMMAND,
        output::BOTH_STREAMS,
        output::SILENT,
        requests::PIPELINED,
        requests::CUT_EVERYWHERE,
        ends::NO_INPUT,
        ends::ANY_END,
        output::ANY_BYTES,
        output::BYTES_NOT_CHARACTERS,
        requests::COMMAND_LENGTHS,
        output::PIPES_FULL,
        output::LAST_WORDS,
        output::ALL_THAT_FITS,
        output::BOTH_FULL,
        output::ONE_TOO_MANY,
        output::ENDLESS,
        ends::IN_TIME,
        ends::NO_END,
        ends::STOPS_ITSELF,
        ends::CLOSED_PIPES,
        ends::BACKGROUND,
        ends::IGNORES_SIGNALS,
        ends::WAITS_QUIETLY,
        requests::SILENCE,
        requests::SILENCE_INSIDE,
        peers::HALF_CLOSE,
        peers::LATE_END,
        peers::PEER_LEAVES,
        peers::LEAVES_OWED,
        peers::RESETS,
        requests::BROKEN_FRAMING,
        requests::WRONG_LENGTHS,
        peers::MANY_PEERS,
        requests::MANY_COMMANDS,
    ],
    texts: texts!("shell"),
};

fn word(trial: &mut Trial) -> String {
    text(trial, 7)
}

fn text(trial: &mut Trial, length: usize) -> String {
    trial.text(length).into_iter().map(char::from).collect()
}
