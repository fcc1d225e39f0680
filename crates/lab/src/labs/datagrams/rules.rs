//! What a program of this lab has to do.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "form",
        text: "One datagram is one request, and one datagram is its answer. An answer begins with the number and the \
               operation of its request. Numbers are unsigned, most significant byte first.",
        sides: &["an echo", "an addition"],
    },
    Rule {
        id: "address",
        text: "An answer goes to the address that its request came from, and is sent from the address that the server \
               is bound to.",
        sides: &["one peer", "two peers taking turns", "requests from two peers, waiting at once"],
    },
    Rule {
        id: "echo",
        text: "`E`: the answer is a copy of the request. The payload may have any length, from 0 bytes to the most \
               that fits into a datagram, which is 65,502 bytes over IPv4.",
        sides: &[
            "0 bytes",
            "1 byte",
            "1,020 to 9,000 bytes",
            "one byte less than the most that fits",
            "the most that fits",
        ],
    },
    Rule {
        id: "total",
        text: "`A`: the amount is added to the total, modulo 2³², and the answer holds the new total. There is one \
               total for all peers, and it starts at 0.",
        sides: &[
            "an amount of 0, an amount of 4,294,967,295",
            "a total of 4,294,967,295",
            "a total of exactly 2³², and one above it",
            "amounts from two peers",
        ],
    },
    Rule {
        id: "waiting",
        text: "A peer may send more requests before it has an answer. Up to 100 requests of 9 bytes may be waiting at \
               once. Each gets its own answer, in any order you like.",
        sides: &["100 different requests", "50 requests, each sent twice"],
    },
    Rule {
        id: "number",
        text: "A peer may use any numbers, in any order: they need not start at 0, and a lower number may come after a \
               higher one. All four bytes count. A peer never uses the same number for two different requests.",
        sides: &[
            "a lower number after a higher one",
            "0, 2³¹ and 4,294,967,295",
            "numbers that differ in only one byte, for each of the four",
        ],
    },
    Rule {
        id: "once",
        text: "An addition is carried out once. If it arrives again (same peer, same number), it is not carried out \
               again, but it gets the same answer as the first time, with the total from back then.",
        sides: &[
            "twice in a row",
            "again, after other requests",
            "again, when the total in the first answer was 0",
            "again, on a network that loses, duplicates and reorders",
        ],
    },
    Rule {
        id: "remember",
        text: "The server must remember the last 256 additions, counted over all peers together, in the order in which \
               they were carried out; echoes and repetitions don't count. A peer never asks again for an older one, so \
               the server may forget those.",
        sides: &[
            "the oldest of 256, after 1,100 echoes and 1,100 repetitions",
            "the oldest of 256 from three peers",
            "the oldest of 256, after another one was asked for again",
            "the oldest of 256, after each of 2,000 further additions",
            "256 whose numbers differ only in the upper two bytes",
        ],
    },
    Rule {
        id: "peer",
        text: "A peer is an address: host and port. Another peer may use the same numbers for its own requests.",
        sides: &["another port, the same host", "another host, the same port (Linux only)"],
    },
    Rule {
        id: "ignored",
        text: "A datagram that isn't a request is ignored: it gets no answer, and the server carries on. That means an \
               empty datagram, one shorter than 5 bytes, any operation other than `E` and `A`, and an `A` whose \
               payload isn't exactly 4 bytes long.",
        sides: &[
            "an empty datagram",
            "1 to 4 bytes",
            "each of the 254 other operations",
            "an A with 0, 3, 5 or more bytes",
            "1,100 such datagrams",
        ],
    },
    Rule {
        id: "gone",
        text: "A peer may be gone before its answer is sent. Its addition still counts, and the other peers must still \
               be served.",
        sides: &["a peer that has closed its socket"],
    },
    Rule {
        id: "silence",
        text: "Silence means nothing, and there is no time limit: after 30 s without a datagram, the peer may carry \
               on.",
        sides: &["between two requests"],
    },
    Rule {
        id: "idle",
        text: "While there is nothing to do, the program waits, and must not keep the processor busy.",
        sides: &["after requests", "after datagrams that are ignored"],
    },
];
