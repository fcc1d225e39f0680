//! What the program must do.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "answer",
        text: "Every command is answered, even if it writes nothing: the length of the header, the header, the body. The answer \
               leaves as soon as the command is over; the peer may wait for it before it sends any more.",
        sides: &[
            "a peer that waits for each answer",
            "a command that writes nothing",
            "a command of 0 bytes",
        ],
    },
    Rule {
        id: "header",
        text: "The header is a JSON object in UTF-8 of at most 64 KiB (65,536 bytes), in any of the ways JSON can be written. \
               `data_len` is the number of bytes in the body, a whole number without a fraction or an exponent. `truncated` and \
               `timed_out` are `true` where a rule below says so, and otherwise `false` or absent. Other keys are allowed.",
        sides: &[
            "bytes are counted, not characters",
            "`truncated` is true, and `timed_out` is not",
            "`timed_out` is true, and `truncated` is not",
        ],
    },
    Rule {
        id: "body",
        text: "The body is everything the command wrote to stdout, and then everything it wrote to stderr, unchanged, up to the \
               last byte it wrote before its end. Output is bytes, not text, and so are commands.",
        sides: &[
            "both pipes are used",
            "only stderr is used",
            "no final newline, bytes 0, and bytes that are not UTF-8",
            "a command that is not UTF-8",
            "a command of two lines that ends with a space",
            "200,000 bytes on each pipe, a little at a time",
            "60,000 bytes on each pipe just before the end",
        ],
    },
    Rule {
        id: "length",
        text: "A command has at least 0 and at most 65,536 bytes (64 KiB).",
        sides: &[
            "0 bytes are answered",
            "1 byte is answered",
            "65,535 bytes are answered",
            "65,536 bytes are answered",
            "65,537 bytes are refused",
            "2,147,483,647 bytes are refused",
            "a length of -1 is refused",
            "a length of -2,147,483,648 is refused",
        ],
    },
    Rule {
        id: "refused",
        text: "After a wrong length, or an end of the stream inside a request, the program must not run the request and must not \
               answer it. It closes the connection and serves the next peer. Complete requests before it are answered.",
        sides: &[
            "an end inside the length",
            "an end after the length",
            "an end inside the command",
            "an end before the last byte of the command",
            "a command before a wrong length is answered",
        ],
    },
    Rule {
        id: "order",
        text: "Requests are answered one by one, in their order. A peer may send up to 1,200 requests in one piece, before it has \
               read any answer.",
        sides: &["3 requests in one piece", "1,200 requests in one piece"],
    },
    Rule {
        id: "pieces",
        text: "Wherever the stream is cut, a request is the same request.",
        sides: &["a byte at a time"],
    },
    Rule {
        id: "silence",
        text: "A silence of the peer means nothing: after 30 s without a byte it may go on.",
        sides: &["a silence between two requests", "a silence inside a request"],
    },
    Rule {
        id: "pace",
        text: "One byte per call is fast enough on the connection: for an answer of 2 MiB the program has 24 s, for 1,200 commands \
               of 0 bytes 24 s. (A command's pipes need larger reads: its 2 s are short.)",
        sides: &["an answer of 2 MiB", "1,200 commands"],
    },
    Rule {
        id: "input",
        text: "A command's standard input is empty: a command that reads it gets the end at once.",
        sides: &["a command that reads its input"],
    },
    Rule {
        id: "end",
        text: "A command is over when its shell has ended, with any exit code or by a signal; not when its pipes have ended, and \
               not when the shell is stopped (SIGSTOP).",
        sides: &[
            "exit code 3",
            "the shell is killed by a signal",
            "both pipes are closed, and the shell runs on",
            "the shell is stopped",
        ],
    },
    Rule {
        id: "group",
        text: "Each command runs in a process group of its own. A command that sends a signal to its whole group does not hit \
               the server.",
        sides: &["a command that kills its group"],
    },
    Rule {
        id: "output",
        text: "Of each pipe at most 1,048,576 bytes (1 MiB) are kept. When a command writes more to one of them, its group is \
               killed at once. The first 1,048,576 bytes of that pipe are answered, with everything that was written to the other \
               one until then, and `truncated` is `true`.",
        sides: &[
            "1,048,575 bytes are complete",
            "1,048,576 bytes are complete",
            "1,048,576 bytes on each pipe are complete",
            "1,048,577 bytes on stdout are truncated, and stderr is kept",
            "1,048,577 bytes on stderr are truncated, and stdout is kept",
            "endless output on stdout",
            "endless output on stderr",
        ],
    },
    Rule {
        id: "time",
        text: "A shell that has not ended 2 s after its start is killed with its group. What it had written by then is answered, \
               and `timed_out` is `true`. Each command has its own 2 s. The checker accepts a kill from 1.9 s on, and expects it and \
               the answer at most 3 s after the start.",
        sides: &[
            "a command of 1.5 s ends by itself",
            "and so does the next one",
            "a command of 60 s is killed",
        ],
    },
    Rule {
        id: "background",
        text: "When the shell has ended, whatever is left of its group is killed, and the answer leaves. Nothing in the background \
               delays the answer or lives on.",
        sides: &["a child that holds the pipes", "a child that has closed the pipes"],
    },
    Rule {
        id: "kill",
        text: "To kill means SIGKILL: a command must not be able to ignore it. It hits the shell and everything in its group. \
               (What has left the group, with `setsid` for example, is out of reach. The checker doesn't try it.)",
        sides: &[
            "HUP, INT and TERM are ignored when the time is over",
            "HUP, INT and TERM are ignored after too much output",
            "HUP, INT and TERM are ignored in the background",
            "HUP, INT and TERM are ignored when the peer has left",
        ],
    },
    Rule {
        id: "at-once",
        text: "Where something happens at once, the answer is there and the group is gone at most 1.8 s after the command was \
               sent.",
        sides: &["after too much output", "after the end of the shell"],
    },
    Rule {
        id: "half-close",
        text: "A peer that ends its side of the stream still reads: everything due to it must arrive. Then the program closes the \
               connection. While a command runs, this end is no reason to kill it.",
        sides: &[
            "requests came just before the end",
            "the end comes while a command runs",
            "2 MiB are due, and the peer reads late",
        ],
    },
    Rule {
        id: "leaves",
        text: "A peer may leave at any moment, with or without a reset, and that is no error of the server. Its command may be \
               killed as soon as the peer has gone, or run on until its 2 s are over, but not longer than 3 s in all.",
        sides: &[
            "it resets while its command runs",
            "it closes while its command runs",
            "it closes with answers due",
            "it ends its side and then resets, with answers due",
            "it resets with answers due",
            "it resets when nothing is under way",
            "it resets inside a request",
            "it resets with unread bytes in both directions",
        ],
    },
    Rule {
        id: "next",
        text: "The server serves one peer after the other and never ends by itself.",
        sides: &[
            "after a peer's end",
            "after a peer that left",
            "after a reset",
            "after a refused request",
        ],
    },
    Rule {
        id: "resources",
        text: "What a peer or a command used is given back. The program has 1,024 descriptors (`ulimit -n`).",
        sides: &["after 1,100 peers that broke the framing", "after 1,200 commands"],
    },
    Rule {
        id: "idle",
        text: "While the program waits for a peer, for a request or for a command, it leaves the processor alone.",
        sides: &[
            "while a command runs",
            "while a command runs that has closed its pipes",
            "after a peer that left",
            "after a reset",
        ],
    },
];
