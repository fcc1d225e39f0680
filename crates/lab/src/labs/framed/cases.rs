//! The cases that `frames` and `byte-order` share, as `frames` plays them. `byte-order` puts a `play` of its own in.

use super::{LIMIT, Order, plays};
use crate::labs::lab::Case;
use crate::verdict::Fault;

const ORDER: Order = Order::Little;

pub(in crate::labs) const NOT_ASCII: Case = Case {
    id: "not-ascii",
    points: 1,
    rule: "only the bytes a to z change; every other byte comes back as it went",
    proves: &[("capitals", "all 256 values, and 4,000 random bytes")],
    hint: "A frame holds bytes, not text. Can every byte be decoded, and which letters does your function change?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
    play: |trial| plays::not_ascii(trial, ORDER),
};

pub(in crate::labs) const MANY_IN_ONE_PIECE: Case = Case {
    id: "many-in-one-piece",
    points: 1,
    rule: "32 KiB of tiny frames in one piece have all their answers",
    proves: &[
        ("ahead", "8,192 frames of length 0 in one piece"),
        ("ahead", "6,553 frames of length 1 in one piece"),
    ],
    hint: "One recv brought thousands of frames. What does your program do for each of them, and does anything grow with their \
           number?",
    fits: &[Fault::Short, Fault::Silent, Fault::Slow],
    play: |trial| plays::many_in_one_piece(trial, ORDER),
};

pub(in crate::labs) const LIMIT_ITSELF: Case = Case {
    id: "limit",
    points: 1,
    rule: "frames of 16,777,215 and of 16,777,216 bytes (16 MiB) are answered whole, each within 40 s",
    proves: &[
        ("limit", "16,777,215 and 16,777,216 bytes are answered"),
        ("pace", "a frame of 16 MiB"),
    ],
    hint: "Which is the greatest length that your program takes? Compare it with the page: is the limit itself still valid?",
    fits: &[Fault::Short, Fault::Slow],
    play: |trial| plays::limit(trial, ORDER),
};

pub(in crate::labs) const OVERSIZE: Case = Case {
    id: "oversize",
    points: 2,
    rule: "a length above 16 MiB closes the connection at once, without an answer; the next peer is served",
    proves: &[("limit", "16,777,217 is refused"), ("limit", "2,147,483,647 is refused")],
    hint: "Do you look at the length before you wait for that many bytes? And does the error end the peer or the whole program?",
    fits: &[Fault::Open, Fault::Extra, Fault::Ended],
    play: |trial| plays::all_refused(trial, ORDER, &[LIMIT + 1, i32::MAX]),
};

pub(in crate::labs) const NEGATIVE: Case = Case {
    id: "negative",
    points: 2,
    rule: "a length below 0 closes the connection at once, without an answer; the next peer is served",
    proves: &[("negative", "-1 is refused"), ("negative", "-2,147,483,648 is refused")],
    hint: "The length has a sign. What does your program do with -1: read nothing, read without end, or refuse?",
    fits: &[Fault::Open, Fault::Extra, Fault::Ended],
    play: |trial| plays::all_refused(trial, ORDER, &[-1, i32::MIN]),
};

pub(in crate::labs) const SILENCE: Case = Case {
    id: "silence",
    points: 1,
    rule: "a peer that is silent between two frames goes on after it",
    proves: &[("silence", "between two frames"), ("idle", "while a peer is silent")],
    hint: "Who said that a silence has a meaning? Look for a timeout in your program.",
    fits: &[Fault::Impatient],
    play: |trial| plays::silence(trial, ORDER, 0),
};

pub(in crate::labs) const SILENCE_IN_LENGTH: Case = Case {
    id: "silence-in-length",
    points: 1,
    rule: "a peer that is silent after two bytes of a length goes on after it",
    proves: &[("silence", "inside a length")],
    hint: "Two of four bytes are there. For how long does your program wait for the others, and where does it keep these?",
    fits: &[Fault::Impatient, Fault::Short, Fault::Silent],
    play: |trial| plays::silence(trial, ORDER, 2),
};

pub(in crate::labs) const SILENCE_IN_BODY: Case = Case {
    id: "silence-in-body",
    points: 1,
    rule: "a peer that is silent inside a body goes on after it",
    proves: &[("silence", "inside a body")],
    hint: "A part of the body is there. For how long does your program wait for the rest, and where does it keep the part?",
    fits: &[Fault::Impatient, Fault::Short, Fault::Silent],
    play: |trial| plays::silence(trial, ORDER, 7),
};

pub(in crate::labs) const HALF_CLOSE: Case = Case {
    id: "half-close",
    points: 1,
    rule: "three frames and the end of the peer's side have come at once: three answers, and then your end",
    proves: &[("end", "three answers are due")],
    hint: "The peer sends no more, and still listens. What becomes of the frames that your program has received and not \
           answered yet?",
    fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
    play: |trial| plays::half_close(trial, ORDER),
};

pub(in crate::labs) const LATE_END: Case = Case {
    id: "late-end",
    points: 1,
    rule: "a peer that has ended its side and reads late gets the whole of a long answer, and then the end",
    proves: &[
        ("end", "more is due than the buffers hold, and the peer reads after a long time"),
        ("idle", "while a peer does not read"),
    ],
    hint: "A read of 0 bytes says that the peer sends no more. It may still be reading: what becomes of the bytes you have not \
           sent yet?",
    fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
    play: |trial| plays::late_end(trial, ORDER),
};

pub(in crate::labs) const SLOW_READER: Case = Case {
    id: "slow-reader",
    points: 1,
    rule: "512 frames of 1 KiB are answered, to a peer that reads only when nothing more fits into the buffers",
    proves: &[("ahead", "512 frames of 1,024 bytes, to a peer that reads late")],
    hint: "When the buffers are full, a send waits, or takes only a part of what you gave it. Who sends the rest?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Full],
    play: |trial| plays::slow_reader(trial, ORDER),
};

pub(in crate::labs) const LONG_STREAM: Case = Case {
    id: "long-stream",
    points: 1,
    rule: "300 frames of up to 20,000 bytes, one right after the other, are answered while they come",
    proves: &[(
        "ahead",
        "300 frames of up to 20,000 bytes without a pause, to a peer that reads meanwhile",
    )],
    hint: "What does your program do with its buffer when a frame is answered? Where do the next bytes go, and is there always \
           room for them?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Full],
    play: |trial| plays::long_stream(trial, ORDER),
};

pub(in crate::labs) const RESET: Case = Case {
    id: "reset",
    points: 1,
    rule: "a peer that resets its connection, inside a frame or anywhere else, disturbs no other: the next peer is served",
    proves: &[
        ("reset", "between two frames"),
        ("reset", "inside a length"),
        ("reset", "inside a body"),
        ("reset", "before the connection was accepted"),
        ("idle", "after a reset"),
    ],
    hint: "A reset is an error of one connection. How far up does yours travel?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: |trial| plays::reset(trial, ORDER),
};

pub(in crate::labs) const RESET_UNDER_WAY: Case = Case {
    id: "reset-under-way",
    points: 1,
    rule: "a peer that resets while the buffers of both directions are full disturbs no other",
    proves: &[
        ("reset", "with bytes that nobody has read in both directions"),
        ("idle", "after a reset"),
    ],
    hint: "Your program was waiting in a send, or for room to send, when the reset came. What did that call say, and what \
           happened then?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: |trial| plays::reset_under_way(trial, ORDER),
};

pub(in crate::labs) const PEER_LEAVES: Case = Case {
    id: "peer-leaves",
    points: 2,
    rule: "a peer that leaves without reading its answers does not end the program: the next peer is served",
    proves: &[
        ("leaves", "it closes"),
        ("leaves", "it ends its side, and then resets"),
        ("leaves", "it resets"),
        ("idle", "after peers that left"),
    ],
    hint: "A send to a peer that has gone fails: EPIPE or ECONNRESET, and unless you ignore it, the signal SIGPIPE. Whose error \
           is that?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: |trial| plays::peer_leaves(trial, ORDER),
};

pub(in crate::labs) const NEXT_PEER: Case = Case {
    id: "next-peer",
    points: 1,
    rule: "a stream that ends between frames, or before the first, is a normal end: close the connection, and serve the \
           next peer",
    proves: &[
        ("end", "everything has been answered"),
        ("end", "the peer has sent nothing at all"),
        ("next", "a peer after two that ended normally"),
    ],
    hint: "Where does your program go when a peer has ended? It should stand at accept again.",
    fits: &[Fault::Open, Fault::Ended, Fault::Silent],
    play: |trial| plays::peers(trial, ORDER),
};

pub(in crate::labs) const MANY_BROKEN: Case = Case {
    id: "many-broken",
    points: 1,
    rule: "after 1,100 peers of each kind that break the protocol, the next one is served",
    proves: &[("next", "1,100 peers of each kind that break the protocol")],
    hint: "An error leaves your function by another way than the end of a peer. What has to be given back, and is it given back \
           there, too?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Open],
    play: |trial| plays::many_broken(trial, ORDER),
};

pub(in crate::labs) const MANY_GONE: Case = Case {
    id: "many-gone",
    points: 1,
    rule: "after 1,100 peers that reset and 1,100 that leave without their answers, the next one is served",
    proves: &[("next", "1,100 peers that reset, and 1,100 that leave")],
    hint: "A recv or a send that fails ends a peer, too. What has to be given back then, and who does it?",
    fits: &[Fault::Ended, Fault::Silent],
    play: |trial| plays::many_gone(trial, ORDER),
};
