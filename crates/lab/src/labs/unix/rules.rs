//! What the page asks of the program.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "echo",
        text: "Every byte of a peer comes back at once, unchanged and in order, wherever the stream is cut. The peer may wait \
               for it before it sends any more.",
        sides: &[
            "30 bytes, before the peer's end",
            "a byte at a time, and cut at random: all 256 values",
        ],
    },
    Rule {
        id: "end",
        text: "When a peer ends its side (a half-close), everything still due to it must arrive. Then the program ends its \
               side, too.",
        sides: &[
            "all has been read",
            "more is due than the buffers hold, and the peer reads late",
            "the peer has sent nothing at all",
        ],
    },
    Rule {
        id: "next",
        text: "After one peer, the program serves the next, until it is stopped from outside. One peer after the other is \
               enough; several at once are allowed.",
        sides: &[
            "after a peer's end",
            "after one that said nothing",
            "after one that closed at once",
        ],
    },
    Rule {
        id: "leaves",
        text: "A peer may leave at any time, and that harms no other: the program must not end, or die of SIGPIPE.",
        sides: &[
            "it closes before its answer is written",
            "it closes when the buffers of both directions are full",
            "1,100 peers close with their answers unread",
        ],
    },
    Rule {
        id: "idle",
        text: "While there is nothing to do, the program waits: it must not keep the processor busy.",
        sides: &["after a peer that left"],
    },
    Rule {
        id: "silence",
        text: "A silence means nothing, and there is no time limit: after 30 s a peer may go on, or the next one may come.",
        sides: &["between two messages of a peer", "when no peer is there"],
    },
    Rule {
        id: "pace",
        text: "One byte per call is fast enough: for 1 MiB, a program has 16 s.",
        sides: &["up to 1 MiB, read late"],
    },
    Rule {
        id: "stale",
        text: "A socket that nobody has open any more, of any kind, is replaced, and the program serves.",
        sides: &[
            "a stream, a datagram and a seqpacket socket",
            "the file of the program itself, after kill -9",
        ],
    },
    Rule {
        id: "alive",
        text: "A socket that a program has open stays, whatever its kind, and the program refuses. To find out, it connects, \
               and sends nothing. Only \"connection refused\" (ECONNREFUSED) says that nobody is there.",
        sides: &[
            "a second instance, while the first is busy with a peer",
            "a server that accepts nobody",
            "a server whose queue is full",
            "a datagram and a seqpacket socket",
        ],
    },
    Rule {
        id: "not-a-socket",
        text: "Anything but a socket stays as it is, and the program refuses. A symbolic link is never followed.",
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
        text: "A path has at most 107 bytes (macOS: 103). With a longer one, the program refuses, and makes no file.",
        sides: &["106 bytes", "107 bytes", "108 bytes, up to 127, and 200"],
    },
    Rule {
        id: "name",
        text: "The path is absolute. Apart from that its names are any that a file may have, in UTF-8.",
        sides: &["spaces, quotes, a letter that is not ASCII"],
    },
    Rule {
        id: "refuse",
        text: "To refuse is to end with exit code 3 and an error on stderr, within 5 s. Whatever stands at the path stays: the \
               same file, with the same content and the same mode. So ends every start at which the program cannot serve.",
        sides: &[
            "something stands there",
            "the directory does not exist",
            "a file or a link in a circle stands where a directory should",
        ],
    },
    Rule {
        id: "mode",
        text: "When the first peer has been served, the file has mode 0600, and no other bit: only its owner may connect.",
        sides: &["nothing stood there", "a dead socket with mode 0777 stood there"],
    },
];
