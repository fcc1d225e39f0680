//! echo: a TCP server that sends back every byte until the peer's end of stream, and then ends.

use super::{Case, Lab, texts};
use crate::{Broken, Trial};

pub(super) const LAB: Lab = Lab {
    name: "echo",
    task: "a TCP server that sends back every byte until the peer's end of stream, then ends",
    cases: &[
        Case {
            id: "hello",
            points: 1,
            rule: "what the peer sends comes back unchanged, and after its end comes yours",
            hint: "Does your program read from the connection, write back what it read, and close?",
            play: hello,
        },
        Case {
            id: "cut-everywhere",
            points: 2,
            rule: "a message that comes a byte at a time comes back whole",
            hint: "One recv brings what is there, not what was sent. When does your loop end?",
            play: cut_everywhere,
        },
        Case {
            id: "cut-at-random",
            points: 1,
            rule: "wherever the stream is cut, what comes back is the same",
            hint: "Write back as many bytes as came, neither more nor fewer, until there are no more.",
            play: cut_at_random,
        },
        Case {
            id: "every-byte",
            points: 1,
            rule: "bytes are bytes: all 256 values come back, text or not",
            hint: "Is there a decode, a string or a strip between your read and your write? A 0, a line end or half a \
                   character means nothing here.",
            play: every_byte,
        },
        Case {
            id: "turn-by-turn",
            points: 1,
            rule: "what has come goes back at once: the peer may wait for it before it sends on, and a silence is no end",
            hint: "What does your program wait for before it writes? The peer waits for you, too. And who said that a \
                   silence has a meaning?",
            play: turn_by_turn,
        },
        Case {
            id: "half-close",
            points: 2,
            rule: "what came before the peer's end comes back after it, all of it, also a line end",
            hint: "The peer has said all, and still listens. When is your last write, and when do you close?",
            play: half_close,
        },
        Case {
            id: "empty",
            points: 1,
            rule: "a peer that sends nothing gets nothing: only the end",
            hint: "A read of 0 bytes is the end of the stream, also when it is the first read.",
            play: empty,
        },
        Case {
            id: "reads-later",
            points: 1,
            rule: "a peer may send 32 KiB before it reads the first byte",
            hint: "More came than one buffer of yours holds. Where does the rest go?",
            play: reads_later,
        },
        Case {
            id: "both-ways",
            points: 2,
            rule: "10 MB go out and come back at the same time, all of them",
            hint: "How much does your program keep, how long, and does it read on while it writes?",
            play: both_ways,
        },
        Case {
            id: "slow-reader",
            points: 2,
            rule: "a peer that reads late loses nothing",
            hint: "When the buffers are full a write takes only a part of what you gave it. Who writes the rest?",
            play: slow_reader,
        },
        Case {
            id: "reset",
            points: 1,
            rule: "a peer that breaks the connection does not make the program hang or crash",
            hint: "A read or write can fail: ECONNRESET, EPIPE. What does your program do then?",
            play: reset,
        },
        Case {
            id: "goes-on-or-ends",
            points: 1,
            rule: "after the peer's end the program serves the next peer, or ends with exit code 0",
            hint: "What does your program do when its loop is over? Both is right, to hang is not.",
            play: goes_on_or_ends,
        },
    ],
    texts: texts!("echo"),
};

fn hello(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.send(b"hello")?;
    peer.expect(b"hello")?;
    peer.end()?;
    peer.expect_end()
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), Broken> {
    let message = trial.text(40);
    send_and_expect(trial, "cut=1", &message)
}

fn cut_at_random(trial: &mut Trial) -> Result<(), Broken> {
    let message = trial.text(400);
    send_and_expect(trial, "cut=random:1..9", &message)
}

fn every_byte(trial: &mut Trial) -> Result<(), Broken> {
    // The worst first, so that a failure is short; é is cut in two; then all values.
    let mut message = b"\0\r\n\xff\xfe\x80 \x1a\x04 \xc3\xa9\n".to_vec();
    message.extend(0..=u8::MAX);
    message.extend(trial.bytes(200));
    send_and_expect(trial, "cut=9,*", &message)
}

fn send_and_expect(trial: &mut Trial, schedule: &str, message: &[u8]) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect(schedule)?;
    peer.send(message)?;
    peer.expect(message)?;
    peer.end()?;
    peer.expect_end()
}

fn turn_by_turn(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    for silent in [false, false, true, false] {
        let length = trial.number(1, 30) as usize;
        // A line; the next one is empty.
        for message in [[&trial.text(length)[..], b"\n"].concat(), b"\n".to_vec()] {
            peer.send(&message)?;
            peer.expect(&message)?;
        }
        if silent {
            peer.keep_silent();
        }
    }
    peer.end()?;
    peer.expect_end()
}

fn half_close(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=random:1..6")?;
    let mut all = Vec::new();
    for _ in 0..4 {
        // The last byte of all is a line end: one that is kept back, or stripped, is missing.
        let line = [&trial.text(10)[..], b"\n"].concat();
        peer.send(&line)?;
        all.extend(line);
    }
    peer.end()?;
    peer.expect(&all)?;
    peer.expect_end()
}

fn empty(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.end()?;
    peer.expect_end()
}

fn reads_later(trial: &mut Trial) -> Result<(), Broken> {
    // Twice this fits into the buffers of both sides: a program that writes before it reads on does not get stuck.
    let message = trial.bytes(32 << 10);
    send_and_expect(trial, "idle", &message)
}

fn both_ways(trial: &mut Trial) -> Result<(), Broken> {
    let message = trial.bytes(10_000_000);
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.exchange(&message, &message)?;
    peer.end()?;
    peer.expect_end()
}

fn slow_reader(trial: &mut Trial) -> Result<(), Broken> {
    // More than all buffers between two programs hold: Linux lets a sender's grow to 4 MiB.
    let message = trial.bytes(10_000_000);
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.exchange_late(&message, &message)?;
    peer.end()?;
    peer.expect_end()
}

fn reset(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.send(b"hello")?;
    peer.expect(b"hello")?;
    peer.reset();
    trial.serves_or_ends(b"again", b"again").map(drop)
}

fn goes_on_or_ends(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    peer.send(b"hello")?;
    peer.expect(b"hello")?;
    peer.end()?;
    peer.expect_end()?;
    match trial.serves_or_ends(b"again", b"again")? {
        Some(finished) if finished.code != Some(0) => {
            let code = finished.code.unwrap_or_default();
            Err(Broken::new(format!("the program ended with exit code {code}, not 0")))
        }
        _ => Ok(()),
    }
}
