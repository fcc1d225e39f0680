//! The rules that `frames` and `byte-order` share: all those that don't depend on the byte order.

use crate::labs::lab::Rule;

pub(in crate::labs) const CAPITALS: Rule = Rule {
    id: "capitals",
    text: "In the answer, the bytes `61` to `7a` (`a` to `z`) become `41` to `5a` (`A` to `Z`). Every other byte comes \
           back unchanged: a body is bytes, and need not be text.",
    sides: &["letters", "all 256 values, and 4,000 random bytes"],
};

pub(in crate::labs) const AS_SOON: Rule = Rule {
    id: "as-soon",
    text: "A frame must be answered as soon as it is complete: the peer may wait for the answer before it sends \
           anything else, and it doesn't have to end its side to get one.",
    sides: &["the peer waits for the answer", "the next frame has already begun"],
};

pub(in crate::labs) const CUTS: Rule = Rule {
    id: "cuts",
    text: "Wherever the stream is cut, the answers are the same, in the order of the requests.",
    sides: &["a byte at a time", "cut at random", "three frames in one piece"],
};

pub(in crate::labs) const EMPTY: Rule = Rule {
    id: "empty",
    text: "A frame of length 0 is a frame like any other, and its answer has length 0, too.",
    sides: &["alone", "between two others"],
};

pub(in crate::labs) const AHEAD: Rule = Rule {
    id: "ahead",
    text: "A peer may send up to 32 KiB (32,768 bytes) of frames, even in one piece, before it reads the first answer. \
           Beyond that, the program may stop reading until the peer reads some answers, but it must not lose anything. \
           A single frame is always read to its end, whatever its length.",
    sides: &[
        "8,192 frames of length 0 in one piece",
        "6,553 frames of length 1 in one piece",
        "512 frames of 1,024 bytes, for a peer that reads late",
        "300 frames of up to 20,000 bytes without a pause, for a peer that reads as it sends",
    ],
};

pub(in crate::labs) const LIMIT: Rule = Rule {
    id: "limit",
    text: "A length of at most 16 MiB (16,777,216) is valid. If it is greater, the program must close the connection \
           at once, without an answer: it must not wait for the body, and whatever follows the length doesn't matter.",
    sides: &[
        "1,048,577 bytes are answered",
        "16,777,215 and 16,777,216 bytes are answered",
        "16,777,217 is refused",
        "2,147,483,647 is refused",
    ],
};

pub(in crate::labs) const NEGATIVE: Rule = Rule {
    id: "negative",
    text: "The length is signed. If it is negative, the program must close the connection at once, without an answer.",
    sides: &["-1 is refused", "-2,147,483,648 is refused"],
};

pub(in crate::labs) const PACE: Rule = Rule {
    id: "pace",
    text: "For a frame of 16 MiB, a program has 40 s, which is enough for one recv per byte. For the 3,300 peers that \
           come one after another in `many-broken`, it has 33 s.",
    sides: &["a frame of 16 MiB"],
};

pub(in crate::labs) const SILENCE: Rule = Rule {
    id: "silence",
    text: "Silence means nothing, and there is no time limit: after 30 s without a byte, the peer may carry on, or \
           start to read.",
    sides: &["between two frames", "inside a length", "inside a body"],
};

pub(in crate::labs) const END: Rule = Rule {
    id: "end",
    text: "When the peer ends its side between two frames (a half-close), every answer it is still owed must arrive. \
           Then the program closes the connection, without a reset.",
    sides: &[
        "everything has been answered",
        "three answers are due",
        "more is due than the buffers hold, and the peer doesn't read for a long time",
        "the peer has sent nothing at all",
    ],
};

pub(in crate::labs) const INSIDE: Rule = Rule {
    id: "inside",
    text: "If the stream ends inside a frame, the program must close the connection, and must not answer that frame.",
    sides: &[
        "after 1, 2 and 3 bytes of a length",
        "between a length and its body",
        "inside a body, and one byte before its end",
    ],
};

pub(in crate::labs) const RESET: Rule = Rule {
    id: "reset",
    text: "A reset breaks one connection. It must not end the program.",
    sides: &[
        "between two frames",
        "inside a length",
        "inside a body",
        "before the connection was accepted",
        "with unread bytes in both directions",
    ],
};

pub(in crate::labs) const LEAVES: Rule = Rule {
    id: "leaves",
    text: "A peer may leave without reading its answers. That must not end the program either.",
    sides: &["it closes", "it ends its side, and then resets", "it resets"],
};

pub(in crate::labs) const IDLE: Rule = Rule {
    id: "idle",
    text: "While there is nothing to do, the program waits, and must not keep the processor busy.",
    sides: &[
        "while a peer is silent",
        "while a peer does not read",
        "after a reset",
        "after peers that left",
    ],
};

pub(in crate::labs) const NEXT: Rule = Rule {
    id: "next",
    text: "Whatever happened to one peer, the next must be served, and any number of peers may come, one after \
           another. A program may have 1,024 descriptors open (`ulimit -n`).",
    sides: &[
        "a peer after two that ended normally",
        "1,100 peers that end normally",
        "1,100 peers of each kind that break the protocol",
        "1,100 peers that reset, and 1,100 that leave",
    ],
};
