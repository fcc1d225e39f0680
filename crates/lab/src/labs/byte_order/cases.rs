//! The cases of lab byte-order: first those about the byte order, then those of `frames`, played in network byte order.

use crate::labs::framed::{LIMIT, Order, ask, cases, long, next_peer, plays, refused, together};
use crate::labs::lab::Case;
use crate::play::Trial;
use crate::verdict::{CaseFailure, Fault};

const ORDER: Order = Order::Big;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "one-frame",
        points: 2,
        rule: "a frame is answered with a frame in capitals, and both lengths are in network byte order",
        proves: &[("order", "00 00 00 08 is 8, in both directions"), ("capitals", "letters")],
        hint: "Eight is 00 00 00 08 here, in both directions. Read the length in that order, and write it in that \
               order.",
        fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
        play: one_frame,
    },
    Case {
        id: "length-256",
        points: 2,
        rule: "00 00 01 00 is 256: the frame is answered when 256 bytes have arrived",
        proves: &[("order", "00 00 01 00 is 256")],
        hint: "In the wrong order these bytes are 65,536, which is a valid length, too. What is your program waiting \
               for?",
        fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
        play: length_256,
    },
    Case {
        id: "length-65536",
        points: 2,
        rule: "00 01 00 00 is 65,536: one answer of that length, not a short one and then a closed connection",
        proves: &[("order", "00 01 00 00 is 65,536")],
        hint: "In the wrong order these bytes are 256, and the answer begins just like the right one. Where does your \
               program then look for the next frame?",
        fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
        play: length_65536,
    },
    Case {
        id: "same-either-way",
        points: 1,
        rule: "00 01 01 00 is 65,792, whichever way it is read",
        proves: &[("order", "00 01 01 00 is 65,792, whichever way it is read")],
        hint: "This length can't tell the orders apart. If it fails, look at how the body is read, not at the order.",
        fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
        play: same_either_way,
    },
    Case {
        id: "across-segments",
        points: 2,
        rule: "several frames, one of them empty, are cut at random places and answered in order",
        proves: &[("order", "lengths that come in pieces")],
        hint: "Does your program collect four bytes before it turns them into a number?",
        fits: &[Fault::Wrong, Fault::Silent, Fault::Short],
        play: across_segments,
    },
    Case { play: |trial| plays::not_ascii(trial, ORDER), ..cases::NOT_ASCII },
    Case {
        rule: "00 ff ff ff and 01 00 00 00 are 16,777,215 and 16,777,216: answered in full, each within 40 s",
        proves: &[
            ("limit", "00 ff ff ff and 01 00 00 00 (16,777,215 and 16,777,216 bytes) are answered"),
            ("pace", "a frame of 16 MiB"),
        ],
        play: |trial| plays::limit(trial, ORDER),
        ..cases::LIMIT_ITSELF
    },
    Case {
        rule: "a length above 16 MiB closes the connection at once, without an answer, even if it looks short in the \
               wrong order; the next peer is served",
        proves: &[
            ("limit", "01 00 00 01 (16,777,217) and 7f ff ff ff are refused"),
            ("limit", "01 01 00 00 and 02 00 00 00, valid in the wrong order, are refused"),
        ],
        hint: "02 00 00 00 is 33,554,432, and in the wrong order 2. Which number does your limit look at?",
        play: oversize,
        ..cases::OVERSIZE
    },
    Case {
        rule: "ff ff ff ff and 80 00 00 00 are negative: close the connection without an answer; the next peer is \
               served",
        proves: &[
            ("negative", "ff ff ff ff is refused"),
            ("negative", "80 00 00 00, valid in the wrong order, is refused"),
        ],
        hint: "The sign is the highest bit of the first byte. In the wrong order, 80 00 00 00 is the length 128.",
        play: negative,
        ..cases::NEGATIVE
    },
    Case { play: |trial| plays::many_in_one_piece(trial, ORDER), ..cases::MANY_IN_ONE_PIECE },
    Case { play: |trial| plays::silence(trial, ORDER, 0), ..cases::SILENCE },
    Case { play: |trial| plays::silence(trial, ORDER, 2), ..cases::SILENCE_IN_LENGTH },
    Case { play: |trial| plays::silence(trial, ORDER, 7), ..cases::SILENCE_IN_BODY },
    Case { play: |trial| plays::late_end(trial, ORDER), ..cases::LATE_END },
    Case {
        id: "end-inside",
        points: 1,
        rule: "if the stream ends inside a length or a body, the connection is closed without an answer; the next peer \
               is served",
        proves: &[
            ("inside", "after 1, 2 and 3 bytes of a length"),
            ("inside", "between a length and its body"),
            ("inside", "inside a body, and one byte before its end"),
        ],
        hint: "Only part of the four bytes came, or of the body, and then the end of the stream. What does your \
               program do with that part?",
        fits: &[Fault::Open, Fault::Extra, Fault::Ended],
        play: |trial| plays::ends_inside(trial, ORDER, &[1, 2, 3, 4, 7, 12]),
    },
    Case { play: |trial| plays::reset(trial, ORDER), ..cases::RESET },
    Case { play: |trial| plays::reset_under_way(trial, ORDER), ..cases::RESET_UNDER_WAY },
    Case { play: |trial| plays::peer_leaves(trial, ORDER), ..cases::PEER_LEAVES },
    Case { play: |trial| plays::peers(trial, ORDER), ..cases::NEXT_PEER },
    Case { play: |trial| plays::many_broken(trial, ORDER), ..cases::MANY_BROKEN },
];

fn one_frame(trial: &mut Trial) -> Result<(), CaseFailure> {
    trial.start_tcp_server()?;
    let body = trial.text(8);
    ask(&mut trial.connect("idle")?, ORDER, &body)
}

fn length_256(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(0x100);
    together(trial, ORDER, "idle", &[body])
}

fn length_65536(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(0x1_00_00);
    long(trial, ORDER, &body)
}

fn same_either_way(trial: &mut Trial) -> Result<(), CaseFailure> {
    let body = trial.text(0x1_01_00);
    long(trial, ORDER, &body)
}

fn across_segments(trial: &mut Trial) -> Result<(), CaseFailure> {
    let bodies = [trial.text(3), Vec::new(), trial.text(20), trial.text(1)];
    together(trial, ORDER, "cut=random:1..5", &bodies)
}

/// Each length is followed by as many bytes as a program with the wrong byte order expects.
fn oversize(trial: &mut Trial) -> Result<(), CaseFailure> {
    let after = trial.text(0x101);
    trial.start_tcp_server()?;
    refused(trial, ORDER, 0x0200_0000, &after[..2])?;
    refused(trial, ORDER, 0x0101_0000, &after)?;
    refused(trial, ORDER, LIMIT + 1, b"")?;
    refused(trial, ORDER, i32::MAX, b"")?;
    next_peer(trial, ORDER)
}

fn negative(trial: &mut Trial) -> Result<(), CaseFailure> {
    let after = trial.text(0x80);
    trial.start_tcp_server()?;
    refused(trial, ORDER, i32::MIN, &after)?;
    refused(trial, ORDER, -1, b"")?;
    next_peer(trial, ORDER)
}
