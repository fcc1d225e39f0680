//! byte-order: the server of `frames` with its lengths in network byte order. It meets lengths that look valid in the
//! wrong order.

mod cases;

use super::framed::rules;
use super::lab::{Lab, Rule, texts};

pub(super) const LAB: Lab = Lab {
    name: "byte-order",
    task: "the server from `frames`, with its lengths in network byte order: most significant byte first",
    rules: &[
        Rule {
            id: "order",
            text: "A length must be read, and written, in network byte order: most significant byte first.",
            sides: &[
                "00 00 00 08 is 8, in both directions",
                "00 00 01 00 is 256",
                "00 01 00 00 is 65,536",
                "00 01 01 00 is 65,792, whichever way it is read",
                "lengths that come in pieces",
            ],
        },
        rules::CAPITALS,
        Rule {
            id: "limit",
            text: "A length of at most 16 MiB, `01 00 00 00`, is valid. If it is greater, the program must close the \
                   connection at once, without an answer: it must not wait for the body, and whatever follows the \
                   length doesn't matter.",
            sides: &[
                "00 ff ff ff and 01 00 00 00 (16,777,215 and 16,777,216 bytes) are answered",
                "01 00 00 01 (16,777,217) and 7f ff ff ff are refused",
                "01 01 00 00 and 02 00 00 00, valid in the wrong order, are refused",
            ],
        },
        Rule {
            id: "negative",
            text: "The length is signed; the sign is the highest bit of the first byte. If it is negative, the program \
                   must close the connection at once, without an answer.",
            sides: &["ff ff ff ff is refused", "80 00 00 00, valid in the wrong order, is refused"],
        },
        Rule {
            sides: &[
                "8,192 frames of length 0 in one piece",
                "6,553 frames of length 1 in one piece",
            ],
            ..rules::AHEAD
        },
        rules::PACE,
        rules::SILENCE,
        Rule {
            sides: &[
                "everything has been answered",
                "more is due than the buffers hold, and the peer doesn't read for a long time",
                "the peer has sent nothing at all",
            ],
            ..rules::END
        },
        rules::INSIDE,
        rules::RESET,
        rules::LEAVES,
        rules::IDLE,
        Rule {
            sides: &[
                "a peer after two that ended normally",
                "1,100 peers of each kind that break the protocol",
            ],
            ..rules::NEXT
        },
    ],
    cases: cases::CASES,
    texts: texts!("byte-order"),
};
