//! The rules that `frames` and `byte-order` share: all that say nothing about the order of bytes.

use crate::labs::lab::Rule;

pub(in crate::labs) const CAPITALS: Rule = Rule {
    id: "capitals",
    text: "In the answer the bytes `61` to `7a` (`a` to `z`) are `41` to `5a`. Every other byte comes back as it went: a body \
           is bytes, and need not be text.",
    sides: &["letters", "all 256 values, and 4,000 random bytes"],
};

pub(in crate::labs) const AS_SOON: Rule = Rule {
    id: "as-soon",
    text: "A frame must be answered as soon as it is whole: the peer may wait for the answer before it sends any more, and \
           need not end its side to get it.",
    sides: &["the peer waits for the answer", "the next frame has begun already"],
};

pub(in crate::labs) const CUTS: Rule = Rule {
    id: "cuts",
    text: "Wherever the stream is cut, the answers are the same, and in the order of the requests.",
    sides: &["a byte at a time", "cut at random", "three frames in one piece"],
};

pub(in crate::labs) const EMPTY: Rule = Rule {
    id: "empty",
    text: "A frame of length 0 is a frame like any other, and has an answer of length 0.",
    sides: &["alone", "between two others"],
};

pub(in crate::labs) const AHEAD: Rule = Rule {
    id: "ahead",
    text: "A peer may send up to 32 KiB (32,768 bytes) of frames before it reads the first answer, also in one piece. Beyond \
           that, the program may stop reading until the peer reads on, but nothing must be lost. One frame of any length is \
           always read to its end.",
    sides: &[
        "8,192 frames of length 0 in one piece",
        "6,553 frames of length 1 in one piece",
        "512 frames of 1,024 bytes, to a peer that reads late",
        "300 frames of up to 20,000 bytes without a pause, to a peer that reads meanwhile",
    ],
};

pub(in crate::labs) const LIMIT: Rule = Rule {
    id: "limit",
    text: "A length of at most 16 MiB (16,777,216) is valid. A longer one must close the connection at once, without an \
           answer: the program must not wait for the body, and what comes after the length doesn't count.",
    sides: &[
        "1,048,577 bytes are answered",
        "16,777,215 and 16,777,216 bytes are answered",
        "16,777,217 is refused",
        "2,147,483,647 is refused",
    ],
};

pub(in crate::labs) const NEGATIVE: Rule = Rule {
    id: "negative",
    text: "The length has a sign. One below 0 must close the connection at once, without an answer.",
    sides: &["-1 is refused", "-2,147,483,648 is refused"],
};

pub(in crate::labs) const PACE: Rule = Rule {
    id: "pace",
    text: "For a frame of 16 MiB, a program has 40 s, which is enough for one recv per byte. For the peers that come one after \
           the other in `many-broken` (3,300 of them) it has 33 s.",
    sides: &["a frame of 16 MiB"],
};

pub(in crate::labs) const SILENCE: Rule = Rule {
    id: "silence",
    text: "A silence means nothing, and there is no time limit: after 30 s without a byte the peer may go on, \
           or begin to read.",
    sides: &["between two frames", "inside a length", "inside a body"],
};

pub(in crate::labs) const END: Rule = Rule {
    id: "end",
    text: "When the peer ends its side between two frames (a half-close), every answer still due to it must arrive. Then the \
           program closes the connection, without a reset.",
    sides: &[
        "everything has been answered",
        "three answers are due",
        "more is due than the buffers hold, and the peer reads after a long time",
        "the peer has sent nothing at all",
    ],
};

pub(in crate::labs) const INSIDE: Rule = Rule {
    id: "inside",
    text: "When the stream ends inside a frame, the program must close the connection, and answer nothing for this frame.",
    sides: &[
        "after 1, 2 and 3 bytes of a length",
        "between a length and its body",
        "inside a body, and a byte before its end",
    ],
};

pub(in crate::labs) const RESET: Rule = Rule {
    id: "reset",
    text: "A reset breaks one connection, and must not end the program.",
    sides: &[
        "between two frames",
        "inside a length",
        "inside a body",
        "before the connection was accepted",
        "with bytes that nobody has read in both directions",
    ],
};

pub(in crate::labs) const LEAVES: Rule = Rule {
    id: "leaves",
    text: "A peer may leave without having read its answers. That must not end the program either.",
    sides: &["it closes", "it ends its side, and then resets", "it resets"],
};

pub(in crate::labs) const IDLE: Rule = Rule {
    id: "idle",
    text: "While there is nothing to do, the program waits: it must not keep the processor busy.",
    sides: &[
        "while a peer is silent",
        "while a peer does not read",
        "after a reset",
        "after peers that left",
    ],
};

pub(in crate::labs) const NEXT: Rule = Rule {
    id: "next",
    text: "Whatever became of a peer, the next one must be served, and there may be any number of them, one after the other. \
           A program may have 1,024 descriptors open (`ulimit -n`).",
    sides: &[
        "a peer after two that ended normally",
        "1,100 peers that end normally",
        "1,100 peers of each kind that break the protocol",
        "1,100 peers that reset, and 1,100 that leave",
    ],
};
