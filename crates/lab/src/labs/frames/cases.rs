//! The cases of lab frames, from the plainest to peers that break off. Those that `byte-order` also plays are in
//! [`framed::cases`](crate::labs::framed::cases).

use crate::labs::framed::{Order, ask, cases, long, plays, together};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

const ORDER: Order = Order::Little;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "one-frame",
        points: 1,
        rule: "a frame is answered with a frame in capitals, while the connection stays open",
        proves: &[("capitals", "letters"), ("as-soon", "the peer waits for the answer")],
        hint: "Four bytes say how many follow. Do you answer as soon as those have arrived, without waiting for the \
               end of the stream?",
        fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
        play: one_frame,
    },
    Case {
        id: "cut-everywhere",
        points: 2,
        rule: "a frame that comes a byte at a time is answered like one that comes in one piece; its length comes in \
               four pieces, too",
        proves: &[("cuts", "a byte at a time")],
        hint: "recv returns at least one byte, but not always as many as you asked for. Where do you ask again, for \
               the length and for the body?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
        play: cut_everywhere,
    },
    Case {
        id: "pipelined",
        points: 2,
        rule: "several frames that come in one piece are answered one by one, in order",
        proves: &[("cuts", "three frames in one piece")],
        hint: "Where does the first frame end? What do you do with the bytes after it that the same recv returned?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
        play: pipelined,
    },
    Case {
        id: "across-segments",
        points: 2,
        rule: "cut at random, the stream gets the same answers, even if one piece ends a frame and begins the next",
        proves: &[("cuts", "cut at random"), ("as-soon", "the next frame has already begun")],
        hint: "Does some line of your program assume that a frame ends where a piece ends?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
        play: across_segments,
    },
    Case {
        id: "empty",
        points: 1,
        rule: "a frame of length 0 is a frame: it is answered with one of length 0, and the connection stays open",
        proves: &[("empty", "alone")],
        hint: "A frame with no bytes, and a stream with no more bytes: does your program tell the two apart?",
        fits: &[Fault::Short, Fault::Silent],
        play: empty,
    },
    Case {
        id: "empty-between",
        points: 1,
        rule: "a frame of length 0 between others gets its own answer, in its place",
        proves: &[("empty", "between two others")],
        hint: "How many answers do three frames get? Follow your program through a body of 0 bytes.",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
        play: empty_between,
    },
    cases::NOT_ASCII,
    Case {
        id: "large",
        points: 2,
        rule: "a frame one byte longer than 1 MiB is answered in full",
        proves: &[("limit", "1,048,577 bytes are answered")],
        hint: "Does one call send everything? Check what send returns. And is your limit 16 MiB?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
        play: large,
    },
    cases::LIMIT_ITSELF,
    cases::OVERSIZE,
    cases::NEGATIVE,
    cases::MANY_IN_ONE_PIECE,
    cases::SLOW_READER,
    cases::LONG_STREAM,
    cases::SILENCE,
    cases::SILENCE_IN_LENGTH,
    cases::SILENCE_IN_BODY,
    cases::HALF_CLOSE,
    cases::LATE_END,
    Case {
        id: "end-in-length",
        points: 1,
        rule: "if the stream ends inside a length, the connection is closed without an answer; the next peer is served",
        proves: &[("inside", "after 1, 2 and 3 bytes of a length")],
        hint: "What do you unpack when only two of the four bytes came? And where is the error caught?",
        fits: &[Fault::Open, Fault::Extra, Fault::Ended],
        play: |trial| plays::ends_inside(trial, ORDER, &[1, 2, 3]),
    },
    Case {
        id: "end-in-body",
        points: 1,
        rule: "if the stream ends after a length or inside a body, the connection is closed without an answer; the \
               next peer is served",
        proves: &[
            ("inside", "between a length and its body"),
            ("inside", "inside a body, and one byte before its end"),
        ],
        hint: "At the end of the stream, recv returns 0 bytes, however often you call it. Does your loop end? And does \
               it answer half a frame?",
        fits: &[Fault::Open, Fault::Extra, Fault::Ended],
        play: |trial| plays::ends_inside(trial, ORDER, &[7, 4, 12]),
    },
    cases::RESET,
    cases::RESET_UNDER_WAY,
    cases::PEER_LEAVES,
    cases::NEXT_PEER,
    Case {
        id: "many-peers",
        points: 1,
        rule: "1,100 peers that end normally are served, one after another, and so is the next one",
        proves: &[("next", "1,100 peers that end normally")],
        hint: "What does your program use for each peer, and when does it release it?",
        fits: &[Fault::Ended, Fault::Silent, Fault::Open, Fault::Short],
        play: |trial| plays::many_peers(trial, ORDER),
    },
    cases::MANY_BROKEN,
    cases::MANY_GONE,
];

fn one_frame(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let body = trial.text(8);
    ask(&mut trial.connect("idle")?, ORDER, &body)
}

fn cut_everywhere(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(20);
    together(trial, ORDER, "cut=1", &[body])
}

fn pipelined(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies = [trial.text(5), trial.text(3), trial.text(8)];
    together(trial, ORDER, "idle", &bodies)
}

fn across_segments(trial: &mut Trial) -> Result<(), CaseFailure> {
    let mut bodies = Vec::new();
    for _ in 0..8 {
        let length = trial.number(1, 30) as usize;
        bodies.push(trial.text(length));
    }
    let (frames, answers) = ORDER.all(&bodies);
    let first = ORDER.frame(&bodies[0]).len();
    trial.start_tcp_server()?;
    let mut peer = trial.connect("cut=random:1..9")?;
    peer.send(&frames[..first + 2])?;
    peer.expect(&answers[..first])?;
    peer.send(&frames[first + 2..])?;
    peer.expect(&answers[first..])
}

fn empty(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let mut peer = trial.connect("idle")?;
    ask(&mut peer, ORDER, b"")?;
    ask(&mut peer, ORDER, &trial.text(6))
}

fn empty_between(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies = [trial.text(4), Vec::new(), trial.text(6)];
    together(trial, ORDER, "idle", &bodies)
}

fn large(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.bytes((1 << 20) + 1);
    long(trial, ORDER, &body)
}
