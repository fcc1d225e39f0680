//! frames: a TCP server that answers each frame with the same in capitals. The length is little-endian.

use super::framed::{LIMIT, Order, ask, every_byte, long, next_peer, refused, together};
use super::{Case, Lab, texts};
use crate::{Broken, Trial};

const ORDER: Order = Order::Little;

pub(super) const LAB: Lab = Lab {
    name: "frames",
    task: "a TCP server that answers each frame, a length and so many bytes, with the same in capitals",
    rules: &[],
    cases: &[
        Case {
            id: "one-frame",
            points: 1,
            rule: "a frame is answered with a frame in capitals, while the connection stays open",
            hint: "Four bytes say how many follow. Do you answer as soon as those are there, without waiting for the end of the stream?",
            proves: &[],
            fits: &[],
            play: one_frame,
        },
        Case {
            id: "cut-everywhere",
            points: 2,
            rule: "a frame that comes a byte at a time is answered as one that comes whole; its length comes in four pieces, too",
            hint: "A recv brings at least one byte, and not always what you asked for. Where do you ask again, for the length and for the body?",
            proves: &[],
            fits: &[],
            play: cut_everywhere,
        },
        Case {
            id: "pipelined",
            points: 2,
            rule: "several frames that come in one piece are answered one by one, in their order",
            hint: "Where does the first frame end? What do you do with the bytes behind it that the same recv brought?",
            proves: &[],
            fits: &[],
            play: pipelined,
        },
        Case {
            id: "across-segments",
            points: 2,
            rule: "where the stream is cut changes no answer, though a piece ends one frame and begins the next, and a silence follows",
            hint: "Is there a line in your program that takes the end of a piece for the end of a frame?",
            proves: &[],
            fits: &[],
            play: across_segments,
        },
        Case {
            id: "empty",
            points: 1,
            rule: "a frame of length 0 is a frame: it is answered with one of length 0, and the connection stays",
            hint: "No bytes in a frame, and no more bytes in the stream: are these two things in your program?",
            proves: &[],
            fits: &[],
            play: empty,
        },
        Case {
            id: "empty-between",
            points: 1,
            rule: "a frame of length 0 between others has its own answer, in its place",
            hint: "How many answers do three frames have? Follow your program through a body of 0 bytes.",
            proves: &[],
            fits: &[],
            play: empty_between,
        },
        Case {
            id: "not-ascii",
            points: 1,
            rule: "only the bytes a to z change; every other byte comes back as it went",
            hint: "A frame holds bytes, not text. Who says that they can be decoded, and which letters does your function change?",
            proves: &[],
            fits: &[],
            play: not_ascii,
        },
        Case {
            id: "large",
            points: 2,
            rule: "a frame of a byte more than 1 MiB is answered whole",
            hint: "Does one call send everything? Look for what your send returns. And is your limit 16 MiB?",
            proves: &[],
            fits: &[],
            play: large,
        },
        Case {
            id: "oversize",
            points: 2,
            rule: "a length above 16 MiB closes the connection at once, without an answer; the next peer is served",
            hint: "Do you look at the length before you wait for that many bytes? And does the error end the peer or the whole program?",
            proves: &[],
            fits: &[],
            play: oversize,
        },
        Case {
            id: "negative",
            points: 2,
            rule: "a length below 0 closes the connection at once, without an answer; the next peer is served",
            hint: "The length has a sign. What does your program do with -1: read nothing, read without end, or refuse?",
            proves: &[],
            fits: &[],
            play: negative,
        },
        Case {
            id: "end-in-length",
            points: 1,
            rule: "a stream that ends inside a length closes the connection, without an answer; the next peer is served",
            hint: "What do you unpack when only two of four bytes came? And who catches the error?",
            proves: &[],
            fits: &[],
            play: end_in_length,
        },
        Case {
            id: "end-in-body",
            points: 1,
            rule: "a stream that ends inside a body closes the connection, without an answer; the next peer is served",
            hint: "At the end of the stream a recv returns nothing, again and again. Does your loop end, and does it answer half a frame?",
            proves: &[],
            fits: &[],
            play: end_in_body,
        },
        Case {
            id: "reset",
            points: 1,
            rule: "a peer that resets its connection inside a frame disturbs no other: the next peer is served",
            hint: "A reset is an error of one connection. How far up does yours travel?",
            proves: &[],
            fits: &[],
            play: reset,
        },
        Case {
            id: "next-peer",
            points: 1,
            rule: "a stream that ends between frames is a normal end: close the connection, and serve the next peer",
            hint: "Where does your program go when a peer has ended? It should stand at accept again.",
            proves: &[],
            fits: &[],
            play: peers,
        },
    ],
    texts: texts!("frames"),
};

fn one_frame(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let body = trial.text(8);
    ask(&mut trial.connect("idle")?, ORDER, &body)
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.text(20);
    together(trial, ORDER, "cut=1", &[body])
}

fn pipelined(trial: &mut Trial) -> Result<(), Broken> {
    let bodies = [trial.text(5), trial.text(3), trial.text(8)];
    together(trial, ORDER, "idle", &bodies)
}

fn across_segments(trial: &mut Trial) -> Result<(), Broken> {
    let mut bodies = Vec::new();
    for _ in 0..8 {
        let length = trial.number(1, 30) as usize;
        bodies.push(trial.text(length));
    }
    let frames: Vec<u8> = bodies.iter().flat_map(|body| ORDER.frame(body)).collect();
    let answers: Vec<u8> = bodies.iter().flat_map(|body| ORDER.answer(body)).collect();
    let first = ORDER.frame(&bodies[0]).len();
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=random:1..9")?;
    // The silence is inside a length.
    peer.send(&frames[..first + 2])?;
    peer.expect(&answers[..first])?;
    peer.keep_silent()?;
    peer.send(&frames[first + 2..])?;
    peer.expect(&answers[first..])
}

fn empty(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, ORDER, b"")?;
    ask(&mut peer, ORDER, &trial.text(6))
}

fn empty_between(trial: &mut Trial) -> Result<(), Broken> {
    let bodies = [trial.text(4), Vec::new(), trial.text(6)];
    together(trial, ORDER, "idle", &bodies)
}

fn not_ascii(trial: &mut Trial) -> Result<(), Broken> {
    let body = every_byte(trial);
    together(trial, ORDER, "idle", &[body])
}

fn large(trial: &mut Trial) -> Result<(), Broken> {
    let body = trial.bytes((1 << 20) + 1);
    long(trial, ORDER, &body)
}

fn oversize(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    refused(trial, ORDER, LIMIT + 1, b"hello")?;
    refused(trial, ORDER, i32::MAX, b"")?;
    next_peer(trial, ORDER)
}

fn negative(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    refused(trial, ORDER, -1, b"hello")?;
    refused(trial, ORDER, i32::MIN, b"")?;
    next_peer(trial, ORDER)
}

fn end_in_length(trial: &mut Trial) -> Result<(), Broken> {
    ends_inside(trial, 2)
}

fn end_in_body(trial: &mut Trial) -> Result<(), Broken> {
    ends_inside(trial, 7)
}

/// A whole frame first, then so many bytes of the next one.
fn ends_inside(trial: &mut Trial, bytes: usize) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, ORDER, &trial.text(5))?;
    peer.send(&ORDER.frame(&trial.text(9))[..bytes])?;
    peer.end()?;
    peer.expect_closed()?;
    drop(peer);
    next_peer(trial, ORDER)
}

fn reset(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    // The answer proves that the program has this connection: the reset meets it, not the queue of the listener.
    ask(&mut peer, ORDER, &trial.text(5))?;
    peer.send(&ORDER.frame(&trial.text(9))[..7])?;
    peer.reset();
    next_peer(trial, ORDER)
}

fn peers(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    for _ in 0..2 {
        let mut peer = trial.connect("idle")?;
        ask(&mut peer, ORDER, &trial.text(5))?;
        peer.end()?;
        peer.expect_end()?;
    }
    next_peer(trial, ORDER)
}
