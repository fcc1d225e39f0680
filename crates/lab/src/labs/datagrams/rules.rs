//! What a program of this lab has to do.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "form",
        text: "One datagram is one request, and one datagram is its answer. An answer begins with the number and the \
               operation of its request. Numbers are unsigned, the most significant byte first.",
        sides: &["an echo", "an addition"],
    },
    Rule {
        id: "address",
        text: "An answer goes to the address that its request came from, and comes from the address that the server \
               is bound to.",
        sides: &["one peer", "two peers by turns", "requests of two peers that wait together"],
    },
    Rule {
        id: "echo",
        text: "`E`: the answer is the request. The payload has any length, from 0 to all that fits into a datagram, \
               which is 65,502 bytes over IPv4.",
        sides: &[
            "0 bytes",
            "1 byte",
            "1,020 to 9,000 bytes",
            "a byte less than fits",
            "all that fits",
        ],
    },
    Rule {
        id: "total",
        text: "`A`: the amount is added to the total, modulo 2³², and the answer holds the new total. There is one \
               total, for all peers, and it is 0 at the start.",
        sides: &[
            "an amount of 0, an amount of 4,294,967,295",
            "a total of 4,294,967,295",
            "a total of exactly 2³², and one above it",
            "amounts of two peers",
        ],
    },
    Rule {
        id: "waiting",
        text: "A peer may send more before it has an answer. Up to 100 requests of 9 bytes may wait together, and \
               each gets its own answer; the order of the answers is yours.",
        sides: &["100 different requests", "50 requests, each of them twice"],
    },
    Rule {
        id: "number",
        text: "A peer may use any number, in any order: it need not begin at 0, and a lower number may come after a \
               higher one. All four bytes count. It uses a number for one request only.",
        sides: &[
            "a lower number after a higher one",
            "0, 2³¹ and 4,294,967,295",
            "numbers that differ in one byte only, in each of the four",
        ],
    },
    Rule {
        id: "once",
        text: "An addition is carried out once. When it comes again (same peer, same number), it is not carried out, \
               and answered as the first time: with the total of then.",
        sides: &[
            "twice, one after the other",
            "again after other requests",
            "again when the total of then was 0",
            "again on a network that loses, doubles and reorders",
        ],
    },
    Rule {
        id: "remember",
        text: "The server must remember the last 256 additions, those of all peers counted together, in the order in \
               which they were carried out first; echoes and repetitions don't count. A peer never asks again for an \
               older one, so the server may forget it.",
        sides: &[
            "the oldest of 256, after 1,100 echoes and 1,100 repetitions",
            "the oldest of 256 of three peers",
            "the oldest of 256 after another one was asked for again",
            "the oldest of 256, after each of 2,000 further additions",
            "256 whose numbers differ in the upper two bytes only",
        ],
    },
    Rule {
        id: "peer",
        text: "A peer is an address: host and port. Another peer may use the same numbers for requests of its own.",
        sides: &["another port, the same host", "another host, the same port (Linux only)"],
    },
    Rule {
        id: "ignored",
        text: "What is no request is ignored, without an answer, and the server goes on: an empty datagram, one \
               shorter than 5 bytes, any operation but `E` and `A`, and an `A` whose payload is not exactly 4 bytes.",
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
        text: "A peer may be gone before its answer is sent. Its addition was carried out, and the other peers must \
               be served.",
        sides: &["a peer that has closed its socket"],
    },
    Rule {
        id: "silence",
        text: "A silence means nothing, and there is no time limit: after 30 s without a datagram the peer may go on.",
        sides: &["between two requests"],
    },
    Rule {
        id: "idle",
        text: "While there is nothing to do, the program waits: it must not keep the processor busy.",
        sides: &["after requests", "after datagrams that are ignored"],
    },
];
