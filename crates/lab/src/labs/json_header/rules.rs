//! What a program of this lab has to do.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "request",
        text: "A request is a length of 4 bytes, a header of that many bytes and a body of `data_len` bytes, wherever \
               the stream is cut. Each request is answered as soon as it is complete, and not before; the peer doesn't \
               have to end its side to get an answer.",
        sides: &[
            "one that comes in one piece",
            "one that comes a byte at a time",
            "a request that can't be carried out, and whose body comes late",
        ],
    },
    Rule {
        id: "many",
        text: "Up to 2,000 requests may come in one piece. They are answered one by one, in order.",
        sides: &["3 in one piece", "2,000 in one piece"],
    },
    Rule {
        id: "answer",
        text: "The header of an answer is a JSON object in UTF-8, of 1 to 65,536 bytes. Its `data_len` is the number \
               of *bytes* in the body, written without a decimal point or an exponent. It may have any other members, \
               but only the header of an error may have an `error` that isn't `null`.",
        sides: &["an answer in plain letters", "an answer with characters of several bytes"],
    },
    Rule {
        id: "header-length",
        text: "The length of a header is a signed number, and valid from 1 to 65,536. Any other length closes the \
               connection.",
        sides: &[
            "65,535 bytes are read",
            "65,536 bytes are read",
            "65,537 bytes are refused",
            "0 and -1 are refused",
            "the smallest and the largest number are refused",
            "numbers that are in range only if the sign is dropped or 16 bits are kept",
        ],
    },
    Rule {
        id: "object",
        text: "A header is one JSON object as RFC 8259 defines it, with nothing but white space around it. Anything \
               else closes the connection, including things that many parsers accept: `NaN` and `Infinity`, a comma \
               before a closing bracket, single quotes, comments, a line end or a tab inside a string, something after \
               the object.",
        sides: &[
            "a header that isn't an object, or is only the beginning of one",
            "commas, colons, brackets, quotes, names and comments that JSON doesn't have",
            "something after the object",
            "characters that aren't white space in JSON",
            "numbers that JSON doesn't have",
            "escapes that JSON doesn't have, and control characters in a string",
        ],
    },
    Rule {
        id: "utf-8",
        text: "A header is UTF-8. Any other encoding closes the connection, including UTF-16 and UTF-32.",
        sides: &[
            "characters of 2, 3 and 4 bytes, cut between the bytes",
            "UTF-16 and UTF-32",
            "bytes that are never UTF-8: overlong, a surrogate, above U+10FFFF, unfinished",
        ],
    },
    Rule {
        id: "members",
        text: "The order of the members means nothing, and neither does the white space between them. A member you \
               don't know is ignored, whatever JSON value it has. `data_len` and `op` count only as members of the \
               header itself, and names must match exactly: `Data_Len` is a member you don't know.",
        sides: &[
            "another order, other white space",
            "data_len and op in a string and in another object",
            "data_len and op in capitals",
            "each form of number, literal, array and object",
            "2,000 members, an array of 10,001 numbers",
        ],
    },
    Rule {
        id: "strings",
        text: "A string means the same however it is written, in names and in values: `\"\\u0075pper\"` is \
               `\"upper\"`.",
        sides: &["escaped letters in data_len and in upper", "each escape, and surrogate pairs"],
    },
    Rule {
        id: "data-len",
        text: "`data_len` is a whole number from 0 to 16,777,216, written without a decimal point or an exponent. If \
               it is missing or has any other value, the connection is closed.",
        sides: &[
            "0 bytes are answered",
            "1 byte is answered",
            "200,000 bytes are answered, more than a header may have",
            "16,777,215 bytes are answered",
            "16,777,216 bytes are answered",
            "16,777,217 is refused",
            "-1 is refused",
            "numbers that are in range only when cut to 32 or 64 bits",
            "a decimal point or an exponent",
            "a value that isn't a number, or isn't JSON",
            "no data_len",
        ],
    },
    Rule {
        id: "upper",
        text: "`upper`: the bytes `a` to `z` become capitals, and every other byte stays as it is. The body need not \
               be text.",
        sides: &["all 256 values", "an empty body"],
    },
    Rule {
        id: "reverse",
        text: "`reverse`: the characters of the body in reverse order. A character is a Unicode code point: an accent \
               with a code point of its own is one, and so is U+FEFF at the beginning.",
        sides: &[
            "characters of 1 to 4 bytes",
            "the first and the last of each length in UTF-8",
            "an empty body",
        ],
    },
    Rule {
        id: "count",
        text: "`count`: the number of characters in the body, in decimal digits and nothing else.",
        sides: &[
            "characters of 1 to 4 bytes",
            "the first and the last of each length in UTF-8",
            "an empty body",
        ],
    },
    Rule {
        id: "error",
        text: "A request that was read but can't be carried out is answered with `data_len` 0 and an `error`, a string \
               of your choice, and the connection stays open. That is a request whose `op` is missing, isn't a string, \
               or is any string other than `upper`, `reverse` and `count`; or a `reverse` or `count` whose body isn't \
               UTF-8.",
        sides: &[
            "an unknown op",
            "an op that isn't a string",
            "no op",
            "a body that isn't UTF-8, for each possible reason",
        ],
    },
    Rule {
        id: "deep",
        text: "If a header nests up to 30,000 brackets inside each other, the program may answer it or close the \
               connection. Either way, the next peer must be served.",
        sides: &["30,000 brackets"],
    },
    Rule {
        id: "closed",
        text: "A connection that has to be closed is closed at once, with no answer to whatever broke it. Then the \
               next peer must be served.",
        sides: &["after a length", "after a header", "after a data_len"],
    },
    Rule {
        id: "silence",
        text: "Silence means nothing, and there is no time limit: after 30 s without a byte, the peer may carry on.",
        sides: &["between two requests", "inside a header", "inside a body"],
    },
    Rule {
        id: "end",
        text: "When the peer ends its side between two requests (a half-close), everything it is still owed must \
               arrive. Then the program closes the connection.",
        sides: &[
            "the last answer was read",
            "the last answer is larger than the buffers, and the peer reads late",
            "the peer has sent nothing at all",
        ],
    },
    Rule {
        id: "end-inside",
        text: "If the stream ends inside a request, the program closes the connection, with no answer to that request.",
        sides: &["inside the length", "inside the header", "inside the body"],
    },
    Rule {
        id: "unread",
        text: "A peer may read late. While it doesn't read, the program may stop reading, but it must not lose \
               anything.",
        sides: &["500 answers of 1,000 bytes"],
    },
    Rule {
        id: "pace",
        text: "One byte per call is fast enough for all but the largest requests: for 512 KiB, a program has 16 s. For \
               a body of 16 MiB and its answer it has 16 s, too: there, read and write larger pieces.",
        sides: &["512 KiB", "16 MiB"],
    },
    Rule {
        id: "broken",
        text: "A reset breaks one connection and nothing else. The program must serve the next peer.",
        sides: &[
            "reset before the program accepts",
            "reset inside a request",
            "reset with an unread answer",
            "reset with unread bytes in both directions",
        ],
    },
    Rule {
        id: "leaves",
        text: "A peer may leave before its answers are sent. That must not end the program, and the next peer must be \
               served.",
        sides: &["it closes", "it ends its side, and then resets", "it resets"],
    },
    Rule {
        id: "broken-peers",
        text: "Any number of peers may break the protocol or their connection: whatever your program holds for one of \
               them, such as a thread or a descriptor, it must release.",
        sides: &["1,100 peers that reset, and 1,100 that break the protocol"],
    },
    Rule {
        id: "idle",
        text: "While there is nothing to do, the program waits, and must not keep the processor busy.",
        sides: &["after a reset", "after a peer that left"],
    },
];
