//! byte-order: the server of `frames` with its lengths in network byte order, and lengths that look right in the wrong one.

use super::framed::{Order, ask, long, next_peer, refused, together};
use super::{Case, Lab, texts};
use crate::{Broken, Trial};

const ORDER: Order = Order::Big;

pub(super) const LAB: Lab = Lab {
    name: "byte-order",
    task: "the server of `frames` with its lengths in network byte order: the most significant byte first",
    rules: &[],
    cases: &[
        Case {
            id: "one-frame",
            points: 2,
            rule: "a frame is answered with a frame in capitals, and both lengths are in network byte order",
            hint: "Eight is 00 00 00 08 here, in both directions. Read the length in one order and write it in the same.",
            proves: &[],
            fits: &[],
            play: one_frame,
        },
        Case {
            id: "length-256",
            points: 2,
            rule: "00 00 01 00 is 256: the frame is answered when 256 bytes have come",
            hint: "In the wrong order these bytes are 65536, and a valid length. What does your program wait for?",
            proves: &[],
            fits: &[],
            play: length_256,
        },
        Case {
            id: "length-65536",
            points: 2,
            rule: "00 01 00 00 is 65536: one answer of that length, not a short one and then a closed connection",
            hint: "In the wrong order these bytes are 256, and the answer begins as the right one does. Where does the next frame begin then?",
            proves: &[],
            fits: &[],
            play: length_65536,
        },
        Case {
            id: "same-either-way",
            points: 1,
            rule: "00 01 01 00 is 65792, whichever way it is read",
            hint: "This one cannot tell the orders apart: if it fails, it is the reading and not the order.",
            proves: &[],
            fits: &[],
            play: same_either_way,
        },
        Case {
            id: "across-segments",
            points: 2,
            rule: "several frames, cut at random places, are answered in their order; an empty one is among them",
            hint: "Does your program collect four bytes before it makes a number of them?",
            proves: &[],
            fits: &[],
            play: across_segments,
        },
        Case {
            id: "oversize",
            points: 2,
            rule: "02 00 00 00 is 33554432, above 16 MiB: close the connection without an answer; the next peer is served",
            hint: "In the wrong order this is the length 2. Which number does your limit look at?",
            proves: &[],
            fits: &[],
            play: oversize,
        },
        Case {
            id: "negative",
            points: 2,
            rule: "80 00 00 00 is below 0: close the connection without an answer; the next peer is served",
            hint: "The sign is the highest bit of the first byte. In the wrong order this is the length 128.",
            proves: &[],
            fits: &[],
            play: negative,
        },
    ],
    texts: texts!("byte-order"),
};

fn one_frame(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let body = trial.text(8);
    ask(&mut trial.connect("idle")?, ORDER, &body)
}

fn length_256(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.text(0x100);
    together(trial, ORDER, "idle", &[body])
}

fn length_65536(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.text(0x1_00_00);
    long(trial, ORDER, &body)
}

fn same_either_way(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.text(0x1_01_00);
    long(trial, ORDER, &body)
}

fn across_segments(trial: &mut Trial) -> Result<(), Broken> {
    let bodies = [trial.text(3), Vec::new(), trial.text(20), trial.text(1)];
    together(trial, ORDER, "cut=random:1..5", &bodies)
}

fn oversize(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    refused(trial, ORDER, 0x0200_0000, b"hi")?;
    next_peer(trial, ORDER)
}

fn negative(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let behind = trial.text(128);
    refused(trial, ORDER, i32::MIN, &behind)?;
    next_peer(trial, ORDER)
}
