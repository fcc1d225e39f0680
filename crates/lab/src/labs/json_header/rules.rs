//! What a program of this lab has to do.

use crate::labs::lab::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "request",
        text: "A request is a length of 4 bytes, a header of that many bytes and a body of `data_len` bytes, wherever \
               the stream is cut. Each is answered as soon as it is whole, and not before; the peer need not end its \
               side to get an answer.",
        sides: &[
            "one that comes whole",
            "one that comes a byte at a time",
            "a request that cannot be done, and whose body comes late",
        ],
    },
    Rule {
        id: "many",
        text: "Up to 2,000 requests may come in one piece. They are answered one by one, in their order.",
        sides: &["3 in one piece", "2,000 in one piece"],
    },
    Rule {
        id: "answer",
        text: "The header of an answer is a JSON object in UTF-8, of 1 to 65,536 bytes. Its `data_len` is the number \
               of *bytes* of the body, written without a point or an exponent. It may have any other members; only an \
               error has an `error` that is not `null`.",
        sides: &["an answer of letters", "an answer with characters of several bytes"],
    },
    Rule {
        id: "header-length",
        text: "The length of a header is a signed number, from 1 to 65,536. Any other number closes the connection.",
        sides: &[
            "65,535 bytes are read",
            "65,536 bytes are read",
            "65,537 bytes are refused",
            "0 and -1 are refused",
            "the smallest and the largest number are refused",
            "numbers that are in range only without their sign or in 16 bits",
        ],
    },
    Rule {
        id: "object",
        text: "A header is one JSON object as RFC 8259 has it, with nothing but white space around it. Anything else \
               closes the connection, also what many parsers accept: `NaN` and `Infinity`, a comma before a closing \
               bracket, single quotes, comments, a line end or a tab inside of a string, something after the object.",
        sides: &[
            "a header that is no object, or only the beginning of one",
            "commas, colons, brackets, quotes, names and comments that JSON doesn't have",
            "something after the object",
            "white space that is none in JSON",
            "numbers that JSON doesn't have",
            "escapes that JSON doesn't have, and control characters in a string",
        ],
    },
    Rule {
        id: "utf-8",
        text: "A header is UTF-8. Any other encoding closes the connection, UTF-16 and UTF-32 as well.",
        sides: &[
            "characters of 2, 3 and 4 bytes, cut between the bytes",
            "UTF-16 and UTF-32",
            "bytes that are never UTF-8: overlong, a surrogate, above U+10FFFF, unfinished",
        ],
    },
    Rule {
        id: "members",
        text: "The order of the members means nothing, and white space between them neither. Any member that you \
               don't know is passed over, with any JSON value. `data_len` and `op` count only as members of the \
               header itself, and names are compared exactly: `Data_Len` is a member you don't know.",
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
        text: "What a string means doesn't depend on how it is written, in names and in values: `\"\\u0075pper\"` is \
               `\"upper\"`.",
        sides: &["escaped letters in data_len and in upper", "each escape, and surrogate pairs"],
    },
    Rule {
        id: "data-len",
        text: "`data_len` is a whole number from 0 to 16,777,216, written without a point or an exponent. Without it, \
               or with any other value, the connection is closed.",
        sides: &[
            "0 bytes are answered",
            "1 byte is answered",
            "200,000 bytes are answered, more than a header may have",
            "16,777,215 bytes are answered",
            "16,777,216 bytes are answered",
            "16,777,217 is refused",
            "-1 is refused",
            "numbers that are in range only when cut to 32 or 64 bits",
            "a point or an exponent",
            "a value that is no number, or no JSON",
            "no data_len",
        ],
    },
    Rule {
        id: "upper",
        text: "`upper`: the bytes `a` to `z` in capitals, and any other byte as it is. The body need not be text.",
        sides: &["all 256 values", "an empty body"],
    },
    Rule {
        id: "reverse",
        text: "`reverse`: the characters of the body in reverse order. A character is a Unicode code point; an accent \
               that is a code point of its own is one, and so is U+FEFF at the beginning.",
        sides: &[
            "characters of 1 to 4 bytes",
            "the first and the last of each length",
            "an empty body",
        ],
    },
    Rule {
        id: "count",
        text: "`count`: the number of characters of the body, in decimal digits and nothing else.",
        sides: &[
            "characters of 1 to 4 bytes",
            "the first and the last of each length",
            "an empty body",
        ],
    },
    Rule {
        id: "error",
        text: "A request that was read and cannot be done is answered with `data_len` 0 and an `error`, a string of \
               your choice, and the connection stays open: where `op` is missing, no string or any other string than \
               `upper`, `reverse` and `count`; and where the body of `reverse` or `count` is not UTF-8.",
        sides: &[
            "an op that nobody knows",
            "an op that is no string",
            "no op",
            "a body that is not UTF-8, in each way",
        ],
    },
    Rule {
        id: "deep",
        text: "A header with up to 30,000 brackets inside of each other may be answered, or the connection closed. \
               The next peer must be served all the same.",
        sides: &["30,000 brackets"],
    },
    Rule {
        id: "closed",
        text: "A connection that has to be closed is closed at once, without an answer to what broke it. Then the \
               next peer must be served.",
        sides: &["after a length", "after a header", "after a data_len"],
    },
    Rule {
        id: "silence",
        text: "A silence means nothing, and there is no time limit: after 30 s without a byte the peer may go on.",
        sides: &["between two requests", "inside a header", "inside a body"],
    },
    Rule {
        id: "end",
        text: "When the peer ends its side between two requests (a half-close), everything still due to it must \
               arrive. Then the program closes the connection.",
        sides: &[
            "the last answer was read",
            "the last answer is larger than the buffers, and the peer reads late",
            "the peer has sent nothing at all",
        ],
    },
    Rule {
        id: "end-inside",
        text: "A stream that ends inside a request closes the connection, without an answer to that request.",
        sides: &["inside the length", "inside the header", "inside the body"],
    },
    Rule {
        id: "unread",
        text: "A peer may read late. While it doesn't read, the program may stop reading, but nothing must be lost.",
        sides: &["500 answers of 1,000 bytes"],
    },
    Rule {
        id: "pace",
        text: "One byte per call is fast enough for any request but the largest: for 512 KiB a program has 16 s. A \
               body of 16 MiB and its answer have 16 s, too: for those, read and write larger pieces.",
        sides: &["512 KiB", "16 MiB"],
    },
    Rule {
        id: "broken",
        text: "A reset breaks one connection and nothing else. The program must serve the next peer.",
        sides: &[
            "reset before the program accepts",
            "reset inside a request",
            "reset with an answer that nobody has read",
            "reset with bytes that nobody has read in both directions",
        ],
    },
    Rule {
        id: "leaves",
        text: "A peer may leave before its answers are sent. That must not end the program, and the next peer is \
               served.",
        sides: &["it closes", "it ends its side, and then resets", "it resets"],
    },
    Rule {
        id: "broken-peers",
        text: "Any number of peers may break the protocol or their connection: whatever your program holds for one of \
               them, a thread or a descriptor, it must give back.",
        sides: &["1,100 peers that reset, and 1,100 that break the protocol"],
    },
    Rule {
        id: "idle",
        text: "While there is nothing to do, the program waits: it must not keep the processor busy.",
        sides: &["after a reset", "after a peer that left"],
    },
];
