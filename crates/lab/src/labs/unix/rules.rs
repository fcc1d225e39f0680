//! What the lab's page asks of the program.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "echo",
        text: "Every byte that a peer sends comes back at once, unchanged and in order, wherever the stream is cut. \
               The peer may wait for it before it sends anything else.",
        sides: &[
            "30 bytes, before the peer's end",
            "a byte at a time, and cut at random: all 256 values",
        ],
    },
    Rule {
        id: "end",
        text: "When a peer ends its side (a half-close), everything it is still owed must arrive. Then the program \
               ends its side, too.",
        sides: &[
            "everything has been read",
            "more is due than the buffers hold, and the peer reads late",
            "the peer has sent nothing at all",
        ],
    },
    Rule {
        id: "next",
        text: "After one peer, the program serves the next, until it is stopped from outside. One peer at a time is \
               enough; several at once are allowed.",
        sides: &[
            "after a peer's end",
            "after one that sent nothing",
            "after one that closed at once",
        ],
    },
    Rule {
        id: "leaves",
        text: "A peer may leave at any time, and that must not harm the others: the program must not end, or be killed \
               by SIGPIPE.",
        sides: &[
            "it closes before its answer is written",
            "it closes when the buffers in both directions are full",
            "1,100 peers close with their answers unread",
        ],
    },
    Rule {
        id: "idle",
        text: "While there is nothing to do, the program waits, and must not keep the processor busy.",
        sides: &["after a peer that left"],
    },
    Rule {
        id: "silence",
        text: "Silence means nothing, and there is no time limit: after 30 s, a peer may carry on, or the next one may \
               come.",
        sides: &["between two messages of a peer", "when no peer is there"],
    },
    Rule {
        id: "pace",
        text: "One byte per call is fast enough: for 1 MiB, a program has 16 s.",
        sides: &["up to 1 MiB, read late"],
    },
    Rule {
        id: "stale",
        text: "The file of a socket that nobody has open any more, whatever its kind, is replaced, and the program \
               serves there.",
        sides: &[
            "a stream, a datagram and a seqpacket socket",
            "the program's own file, after kill -9",
        ],
    },
    Rule {
        id: "alive",
        text: "If another program has the socket open, the file is left alone, whatever the socket's kind, and your \
               program refuses. To find out, it connects, and sends nothing. Only \"connection refused\" \
               (ECONNREFUSED) means that nobody is there.",
        sides: &[
            "a second instance, while the first is busy with a peer",
            "a server that accepts nobody",
            "a server whose accept queue is full",
            "a datagram and a seqpacket socket",
        ],
    },
    Rule {
        id: "not-a-socket",
        text: "Anything that isn't a socket is left as it is, and the program refuses. A symbolic link is never \
               followed.",
        sides: &[
            "a file with 60 bytes",
            "an empty file",
            "an empty directory",
            "a directory with a file in it",
            "a named pipe",
            "a link to a dead socket",
            "a link to nothing, to a file and to a live socket",
        ],
    },
    Rule {
        id: "length",
        text: "A path has at most 107 bytes (macOS: 103). If it is longer, the program refuses, and creates no file.",
        sides: &["106 bytes", "107 bytes", "108 bytes, up to 127, and 200"],
    },
    Rule {
        id: "name",
        text: "The path is absolute. Apart from that, it may hold any names that files can have, in UTF-8.",
        sides: &["spaces, quotes, a non-ASCII letter"],
    },
    Rule {
        id: "refuse",
        text: "To refuse means to end within 5 s, with exit code 3 and an error on stderr. Whatever is at the path \
               stays there: the same file, with the same content and the same mode. Every start at which the program \
               can't serve ends this way.",
        sides: &[
            "something is already there",
            "the directory does not exist",
            "a file, or a link to itself, is where a directory should be",
        ],
    },
    Rule {
        id: "mode",
        text: "By the time the first peer has been served, the file has mode 0600 and no other bits: only its owner \
               may connect.",
        sides: &["nothing was there", "a dead socket with mode 0777 was there"],
    },
];
