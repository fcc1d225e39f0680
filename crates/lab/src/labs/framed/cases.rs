//! The cases that `frames` and `byte-order` share, with what `frames` plays. `byte-order` puts in a `play` of its own.

use super::{LIMIT, Order, plays};
use crate::labs::lab::Case;
use crate::verdict::Fault;

const ORDER: Order = Order::Little;

pub(in crate::labs) const NOT_ASCII: Case = Case {
    id: "not-ascii",
    points: 1,
    rule: "only the bytes a to z change; every other byte comes back unchanged",
    proves: &[("capitals", "all 256 values, and 4,000 random bytes")],
    hint: "A frame holds bytes, not text. Can every byte be decoded, and which letters does your function change?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
    play: |trial| plays::not_ascii(trial, ORDER),
};

pub(in crate::labs) const MANY_IN_ONE_PIECE: Case = Case {
    id: "many-in-one-piece",
    points: 1,
    rule: "32 KiB of tiny frames in one piece all get their answers",
    proves: &[
        ("ahead", "8,192 frames of length 0 in one piece"),
        ("ahead", "6,553 frames of length 1 in one piece"),
    ],
    hint: "One recv returned thousands of frames. What does your program do for each of them, and does anything grow \
           with their number?",
    fits: &[Fault::Short, Fault::Silent, Fault::Slow],
    play: |trial| plays::many_in_one_piece(trial, ORDER),
};

pub(in crate::labs) const LIMIT_ITSELF: Case = Case {
    id: "limit",
    points: 1,
    rule: "frames of 16,777,215 and of 16,777,216 bytes (16 MiB) are answered in full, each within 40 s",
    proves: &[
        ("limit", "16,777,215 and 16,777,216 bytes are answered"),
        ("pace", "a frame of 16 MiB"),
    ],
    hint: "What is the greatest length your program accepts? Compare it with the lab's page: is the limit itself still \
           valid?",
    fits: &[Fault::Short, Fault::Slow],
    play: |trial| plays::limit(trial, ORDER),
};

pub(in crate::labs) const OVERSIZE: Case = Case {
    id: "oversize",
    points: 2,
    rule: "a length above 16 MiB closes the connection at once, without an answer; the next peer is served",
    proves: &[("limit", "16,777,217 is refused"), ("limit", "2,147,483,647 is refused")],
    hint: "Do you look at the length before you wait for that many bytes? And does the error end one connection, or \
           the whole program?",
    fits: &[Fault::Open, Fault::Extra, Fault::Ended],
    play: |trial| plays::all_refused(trial, ORDER, &[LIMIT + 1, i32::MAX]),
};

pub(in crate::labs) const NEGATIVE: Case = Case {
    id: "negative",
    points: 2,
    rule: "a length below 0 closes the connection at once, without an answer; the next peer is served",
    proves: &[("negative", "-1 is refused"), ("negative", "-2,147,483,648 is refused")],
    hint: "The length is signed. What does your program do with -1: read nothing, read forever, or refuse it?",
    fits: &[Fault::Open, Fault::Extra, Fault::Ended],
    play: |trial| plays::all_refused(trial, ORDER, &[-1, i32::MIN]),
};

pub(in crate::labs) const SILENCE: Case = Case {
    id: "silence",
    points: 1,
    rule: "a peer may be silent between two frames, and then carry on",
    proves: &[("silence", "between two frames"), ("idle", "while a peer is silent")],
    hint: "Silence means nothing. Is there a timeout somewhere in your program?",
    fits: &[Fault::Impatient],
    play: |trial| plays::silence(trial, ORDER, 0),
};

pub(in crate::labs) const SILENCE_IN_LENGTH: Case = Case {
    id: "silence-in-length",
    points: 1,
    rule: "a peer may be silent after two bytes of a length, and then carry on",
    proves: &[("silence", "inside a length")],
    hint: "Two of the four bytes have arrived. How long does your program wait for the others, and where does it keep \
           these two?",
    fits: &[Fault::Impatient, Fault::Short, Fault::Silent],
    play: |trial| plays::silence(trial, ORDER, 2),
};

pub(in crate::labs) const SILENCE_IN_BODY: Case = Case {
    id: "silence-in-body",
    points: 1,
    rule: "a peer may be silent inside a body, and then carry on",
    proves: &[("silence", "inside a body")],
    hint: "Part of the body has arrived. How long does your program wait for the rest, and where does it keep what it \
           has?",
    fits: &[Fault::Impatient, Fault::Short, Fault::Silent],
    play: |trial| plays::silence(trial, ORDER, 7),
};

pub(in crate::labs) const HALF_CLOSE: Case = Case {
    id: "half-close",
    points: 1,
    rule: "three frames and the peer's end of stream arrive together: three answers are due, and then your own end of \
           stream",
    proves: &[("end", "three answers are due")],
    hint: "The peer won't send any more, but it is still reading. What happens to the frames your program has received \
           and not answered yet?",
    fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
    play: |trial| plays::half_close(trial, ORDER),
};

pub(in crate::labs) const LATE_END: Case = Case {
    id: "late-end",
    points: 1,
    rule: "a peer that has ended its side and reads late gets all of a long answer, and then the end of the stream",
    proves: &[
        ("end", "more is due than the buffers hold, and the peer doesn't read for a long time"),
        ("idle", "while a peer does not read"),
    ],
    hint: "A read of 0 bytes means that the peer won't send any more. It may still be reading: what happens to the \
           bytes you haven't sent yet?",
    fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
    play: |trial| plays::late_end(trial, ORDER),
};

pub(in crate::labs) const SLOW_READER: Case = Case {
    id: "slow-reader",
    points: 1,
    rule: "512 frames of 1 KiB are answered, though the peer reads only once nothing more fits into the buffers",
    proves: &[("ahead", "512 frames of 1,024 bytes, for a peer that reads late")],
    hint: "When the buffers are full, send waits, or takes only part of what you gave it. Who sends the rest?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Full],
    play: |trial| plays::slow_reader(trial, ORDER),
};

pub(in crate::labs) const LONG_STREAM: Case = Case {
    id: "long-stream",
    points: 1,
    rule: "300 frames of up to 20,000 bytes, sent without a pause, are answered as they arrive",
    proves: &[(
        "ahead",
        "300 frames of up to 20,000 bytes without a pause, for a peer that reads as it sends",
    )],
    hint: "What does your program do with its buffer once a frame is answered? Where do the next bytes go, and is \
           there always room for them?",
    fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Full],
    play: |trial| plays::long_stream(trial, ORDER),
};

pub(in crate::labs) const RESET: Case = Case {
    id: "reset",
    points: 1,
    rule: "when a peer resets its connection, inside a frame or anywhere else, the next peer is still served",
    proves: &[
        ("reset", "between two frames"),
        ("reset", "inside a length"),
        ("reset", "inside a body"),
        ("reset", "before the connection was accepted"),
        ("idle", "after a reset"),
    ],
    hint: "A reset is an error on one connection. How far up your program does it travel?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: |trial| plays::reset(trial, ORDER),
};

pub(in crate::labs) const RESET_UNDER_WAY: Case = Case {
    id: "reset-under-way",
    points: 1,
    rule: "when a peer resets while the buffers in both directions are full, the next peer is still served",
    proves: &[("reset", "with unread bytes in both directions"), ("idle", "after a reset")],
    hint: "Your program was waiting in a send, or for room to send, when the reset came. What did that call return, \
           and what did your program do then?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
    play: |trial| plays::reset_under_way(trial, ORDER),
};

pub(in crate::labs) const PEER_LEAVES: Case = Case {
    id: "peer-leaves",
    points: 2,
    rule: "when a peer leaves without reading its answers, the program carries on and serves the next",
    proves: &[
        ("leaves", "it closes"),
        ("leaves", "it ends its side, and then resets"),
        ("leaves", "it resets"),
        ("idle", "after peers that left"),
    ],
    hint: "Sending to a peer that is gone fails with EPIPE or ECONNRESET, and raises SIGPIPE unless you ignore that \
           signal. Whose problem should that be?",
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
    hint: "Where does your program go when a peer has ended? It should be back at accept.",
    fits: &[Fault::Open, Fault::Ended, Fault::Silent],
    play: |trial| plays::peers(trial, ORDER),
};

pub(in crate::labs) const MANY_BROKEN: Case = Case {
    id: "many-broken",
    points: 1,
    rule: "after 1,100 peers of each kind that break the protocol, the next one is served",
    proves: &[("next", "1,100 peers of each kind that break the protocol")],
    hint: "An error takes a different path out of your function than a normal end. What has to be released, and is it \
           released on that path, too?",
    fits: &[Fault::Ended, Fault::Silent, Fault::Open],
    play: |trial| plays::many_broken(trial, ORDER),
};

pub(in crate::labs) const MANY_GONE: Case = Case {
    id: "many-gone",
    points: 1,
    rule: "after 1,100 peers that reset and 1,100 that leave without their answers, the next one is served",
    proves: &[("next", "1,100 peers that reset, and 1,100 that leave")],
    hint: "When recv or send fails, that peer is over, too. What has to be released then, and where do you do it?",
    fits: &[Fault::Ended, Fault::Silent],
    play: |trial| plays::many_gone(trial, ORDER),
};
