//! What the lab's page asks of the program.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "line",
        text: "For each frame, in order, the program prints one line on stdout: the SHA-256 of the body alone, as 64 \
               lower-case hex digits. It prints nothing else on stdout.",
        sides: &["a frame of 20 bytes", "all 256 values, zeros and line ends"],
    },
    Rule {
        id: "any-piece",
        text: "The stream may be cut anywhere: a read may return any part of a frame.",
        sides: &[
            "a byte at a time",
            "cut inside a length, after 1, 2 and 3 bytes",
            "cut inside a body",
            "a body of over 1,000,000 bytes in odd pieces",
        ],
    },
    Rule {
        id: "together",
        text: "Frames may come together: a single piece may hold 5,000 of them.",
        sides: &["4 frames in one piece", "5,000 frames in one piece"],
    },
    Rule {
        id: "length",
        text: "A length is a signed 32-bit number, little-endian. It is valid from 0 to 16,777,216 (16 MiB). Any other \
               length is an error at once: the program does not wait for the body.",
        sides: &[
            "0",
            "each byte of the length may have any value: 127 to 65,536",
            "16,777,215",
            "16,777,216",
            "16,777,217",
            "-1",
            "-2,147,483,648 and 2,147,483,647",
        ],
    },
    Rule {
        id: "silence",
        text: "Silence means nothing, and there is no time limit: after 30 s without a byte, the server may carry on.",
        sides: &[
            "before the first frame",
            "between two frames",
            "inside a length",
            "inside a body",
        ],
    },
    Rule {
        id: "idle",
        text: "While nothing arrives, the program waits, and must not keep the processor busy.",
        sides: &["inside a body"],
    },
    Rule {
        id: "end",
        text: "When the stream ends where a length would begin, the program ends with exit code 0.",
        sides: &["before the first frame", "after a frame", "after 5,000 frames"],
    },
    Rule {
        id: "cut-off",
        text: "If the stream ends inside a length or a body, that is an error.",
        sides: &[
            "after 1, 2 and 3 bytes of a length",
            "after the length, before the body",
            "inside the body, and 1 byte before its end",
        ],
    },
    Rule {
        id: "broken",
        text: "A reset is an error, too. Frames that came just before the reset may be lost with it: the checker \
               accepts their lines, but doesn't require them.",
        sides: &[
            "inside a body",
            "where a length would begin",
            "right after two frames and part of a third",
        ],
    },
    Rule {
        id: "error",
        text: "After an error, the program ends with any exit code other than 0, and with a line on stderr. It must \
               not be killed by a signal or panic (exit code 101). The frames before the error have their lines; the \
               frame with the error has none.",
        sides: &["the end inside a frame", "a wrong length", "a reset"],
    },
    Rule {
        id: "sends-nothing",
        text: "The program sends nothing. It may end its side of the connection at once, or keep it open.",
        sides: &["nothing has arrived by the time it ends"],
    },
    Rule {
        id: "log",
        text: "On stderr, a program may print whatever it likes, and as much as it likes. Of what it prints on stdout, \
               the checker keeps at most 8 MiB.",
        sides: &["16 MiB come"],
    },
    Rule {
        id: "pace",
        text: "512 KiB a second is fast enough, and so is one byte per call. After the last byte, the program has 5 s \
               more; after 16 MiB, it has 12 s.",
        sides: &["16 MiB in 33 s"],
    },
];
