//! What the program must do.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "answer",
        text: "Every command is answered, even if it writes nothing, with the length of the header, the header and the \
               body. The answer is sent as soon as the command is over; the peer may wait for it before it sends \
               anything else.",
        sides: &[
            "a peer that waits for each answer",
            "a command that writes nothing",
            "a command of 0 bytes",
        ],
    },
    Rule {
        id: "header",
        text: "The header is a JSON object in UTF-8 of at most 64 KiB (65,536 bytes), written in any way that JSON \
               allows. `data_len` is the number of bytes in the body, a whole number written without a fraction or an \
               exponent. `truncated` and `timed_out` are `true` where a rule below says so, and otherwise `false` or \
               absent. Other keys are allowed.",
        sides: &[
            "bytes are counted, not characters",
            "`truncated` is true, and `timed_out` is not",
            "`timed_out` is true, and `truncated` is not",
        ],
    },
    Rule {
        id: "body",
        text: "The body is everything the command wrote to stdout, and then everything it wrote to stderr, unchanged, \
               down to the last byte it wrote before it ended. Output is bytes, not text, and so are commands.",
        sides: &[
            "both pipes are used",
            "only stderr is used",
            "no final newline, NUL bytes, and bytes that aren't UTF-8",
            "a command that isn't UTF-8",
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
        text: "If a length is wrong, or the stream ends inside a request, the program must neither run that request \
               nor answer it. It closes the connection and serves the next peer. Complete requests before it are \
               answered.",
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
        text: "Requests are answered one by one, in order. A peer may send up to 1,200 requests in one piece, before \
               it reads any of the answers.",
        sides: &["3 requests in one piece", "1,200 requests in one piece"],
    },
    Rule {
        id: "pieces",
        text: "Wherever the stream is cut, the requests are the same.",
        sides: &["a byte at a time"],
    },
    Rule {
        id: "silence",
        text: "Silence from the peer means nothing: after 30 s without a byte, it may carry on.",
        sides: &["a silence between two requests", "a silence inside a request"],
    },
    Rule {
        id: "pace",
        text: "On the connection, one byte per call is fast enough: the program has 24 s for an answer of 2 MiB, and \
               24 s for 1,200 commands of 0 bytes. (A command's pipes need larger reads, because it has only 2 s.)",
        sides: &["an answer of 2 MiB", "1,200 commands"],
    },
    Rule {
        id: "input",
        text: "A command's standard input is empty: a command that reads it gets end-of-file straight away.",
        sides: &["a command that reads its input"],
    },
    Rule {
        id: "end",
        text: "A command is over when its shell has ended, with any exit code or by a signal. It isn't over when its \
               pipes reach end-of-file, or when the shell is stopped (SIGSTOP).",
        sides: &[
            "exit code 3",
            "the shell is killed by a signal",
            "both pipes are closed, and the shell runs on",
            "the shell is stopped",
        ],
    },
    Rule {
        id: "group",
        text: "Each command runs in a process group of its own. If a command sends a signal to its whole group, the \
               server isn't hit.",
        sides: &["a command that kills its group"],
    },
    Rule {
        id: "output",
        text: "At most 1,048,576 bytes (1 MiB) of each pipe are kept. If a command writes more to one of them, its \
               group is killed at once. The answer holds the first 1,048,576 bytes of that pipe and everything that \
               had been written to the other one by then, and `truncated` is `true`.",
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
        text: "A shell that hasn't ended 2 s after its start is killed with its group. The answer holds what it had \
               written by then, and `timed_out` is `true`. Each command has its own 2 s. The checker accepts a kill \
               from 1.9 s on, and expects both the kill and the answer at most 3 s after the start.",
        sides: &[
            "a command that takes 1.5 s ends by itself",
            "and so does the next one",
            "a command that would take 60 s is killed",
        ],
    },
    Rule {
        id: "background",
        text: "When the shell has ended, whatever is left of its group is killed and the answer is sent, both at once. \
               Nothing in the background delays the answer or keeps running.",
        sides: &["a child that holds the pipes", "a child that has closed the pipes"],
    },
    Rule {
        id: "kill",
        text: "To kill means to send SIGKILL: a command must not be able to ignore it. It goes to the shell and \
               everything in its group. (A process that has left the group, with `setsid` for example, is out of \
               reach. The checker doesn't try that.)",
        sides: &[
            "HUP, INT and TERM are ignored when the time is up",
            "HUP, INT and TERM are ignored after too much output",
            "HUP, INT and TERM are ignored in the background",
            "HUP, INT and TERM are ignored when the peer has left",
        ],
    },
    Rule {
        id: "at-once",
        text: "Where a rule says \"at once\", the answer has arrived and the group is gone at most 1.8 s after the \
               command was sent.",
        sides: &["after too much output", "after the end of the shell"],
    },
    Rule {
        id: "half-close",
        text: "A peer that has ended its side of the stream is still reading: everything it is owed must arrive. Then \
               the program closes the connection. If a command is running when the peer ends its side, that is no \
               reason to kill it.",
        sides: &[
            "requests came just before the end",
            "the end comes while a command runs",
            "2 MiB are due, and the peer reads late",
        ],
    },
    Rule {
        id: "leaves",
        text: "A peer may leave at any moment, with or without a reset, and the server must survive it. The peer's \
               command may be killed as soon as the peer is gone, or run until its 2 s are up, but no longer than 3 s \
               in all.",
        sides: &[
            "it resets while its command runs",
            "it closes while its command runs",
            "it closes with answers due",
            "it ends its side and then resets, with answers due",
            "it resets with answers due",
            "it resets when nothing is going on",
            "it resets inside a request",
            "it resets with unread bytes in both directions",
        ],
    },
    Rule {
        id: "next",
        text: "The server serves one peer after another and never ends by itself.",
        sides: &[
            "after a peer's end",
            "after a peer that left",
            "after a reset",
            "after a refused request",
        ],
    },
    Rule {
        id: "resources",
        text: "Whatever a peer or a command used is released. The program may have 1,024 descriptors open (`ulimit \
               -n`).",
        sides: &["after 1,100 peers that broke the framing", "after 1,200 commands"],
    },
    Rule {
        id: "idle",
        text: "While the program waits for a peer, a request or a command, it doesn't keep the processor busy.",
        sides: &[
            "while a command runs",
            "while a command runs that has closed its pipes",
            "after a peer that left",
            "after a reset",
        ],
    },
];
