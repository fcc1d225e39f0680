//! echo: a TCP server that sends back every byte until the peer's end of stream, and then ends.

mod plays;

use super::lab::{Case, Lab, Rule, texts};
use crate::verdict::Fault;

pub(super) const LAB: Lab = Lab {
    name: "echo",
    task: "a TCP server that sends back every byte until the peer's end of stream, then ends",
    rules: &[
        Rule {
            id: "same-bytes",
            text: "Every byte comes back unchanged and in order, wherever the stream is cut. Bytes are not text: 0, line \
                   ends and half a character come back, too.",
            sides: &["a byte at a time", "cut at random", "all 256 values"],
        },
        Rule {
            id: "at-once",
            text: "What has come goes back at once: the peer may wait for it before it sends any more.",
            sides: &[
                "a peer that waits for each line",
                "a peer that waits for each byte, whatever it is",
            ],
        },
        Rule {
            id: "silence",
            text: "A silence means nothing, and there is no time limit: after 30 s without a byte the peer may go on.",
            sides: &["a silence between two messages"],
        },
        Rule {
            id: "end",
            text: "When the peer ends its side (a half-close), everything still due to it must arrive. Then the program \
                   ends its side, too.",
            sides: &[
                "the last bytes came just before the end",
                "more is due than the buffers hold, and the peer reads late",
                "the peer has sent nothing at all",
            ],
        },
        Rule {
            id: "unread",
            text: "A peer may send up to 32 KiB (32,768 bytes) before it reads any. Beyond that, the program may stop \
                   reading until the peer reads on, but nothing must be lost.",
            sides: &["32,768 bytes come back", "524,288 bytes come back, as the peer reads"],
        },
        Rule {
            id: "pace",
            text: "One byte per call is fast enough: for 512 KiB, a program has 12 s.",
            sides: &["512 KiB in both directions at once"],
        },
        Rule {
            id: "broken",
            text: "A reset breaks one connection. The program then serves the next peer, or ends with an error and any \
                   exit code. It must not hang, die of a signal or panic (exit code 101).",
            sides: &[
                "reset when nothing is under way",
                "reset with bytes that nobody has read in both directions",
            ],
        },
        Rule {
            id: "leaves",
            text: "A peer may leave without having read its bytes. A program that serves one peer after another must go \
                   on; one that serves a single peer may end with any exit code, but not by a signal or a panic.",
            sides: &["it closes", "it ends its side, and then resets", "it resets"],
        },
        Rule {
            id: "idle",
            text: "While there is nothing to do, the program waits: it must not keep the processor busy.",
            sides: &[
                "while the peer is silent",
                "while the peer does not read",
                "after a reset",
                "after a peer that left",
            ],
        },
        Rule {
            id: "next",
            text: "After a peer's end the program serves the next one, or ends with exit code 0. If it serves one after \
                   another, it must not wear out: every peer gives back what it took.",
            sides: &[
                "a second peer comes",
                "2,200 peers come, and half of them break the connection",
            ],
        },
    ],
    cases: &[
        Case {
            id: "hello",
            points: 1,
            rule: "what the peer sends comes back unchanged, and your end comes after the peer's",
            proves: &[("end", "the last bytes came just before the end")],
            hint: "Does your program read from the connection, write back exactly what it read, and close?",
            fits: &[Fault::Wrong, Fault::Extra, Fault::Short],
            play: plays::hello,
        },
        Case {
            id: "cut-everywhere",
            points: 2,
            rule: "a message that comes a byte at a time comes back whole",
            proves: &[("same-bytes", "a byte at a time")],
            hint: "One recv brings what is there, not what was sent. When does your loop end?",
            fits: &[Fault::Short, Fault::Silent],
            play: plays::cut_everywhere,
        },
        Case {
            id: "cut-at-random",
            points: 1,
            rule: "wherever the stream is cut, what comes back is the same",
            proves: &[("same-bytes", "cut at random")],
            hint: "Write back exactly as many bytes as came, again and again, until there are no more.",
            fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
            play: plays::cut_at_random,
        },
        Case {
            id: "every-byte",
            points: 1,
            rule: "bytes are bytes: all 256 values come back, text or not",
            proves: &[("same-bytes", "all 256 values")],
            hint: "Is there a decode, a string or a strip between your read and your write? A 0, a line end or half a \
                   character means nothing here.",
            fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
            play: plays::every_byte,
        },
        Case {
            id: "turn-by-turn",
            points: 1,
            rule: "what has come goes back at once: the peer may wait for it before it sends more",
            proves: &[
                ("at-once", "a peer that waits for each line"),
                ("at-once", "a peer that waits for each byte, whatever it is"),
            ],
            hint: "What does your program wait for before it writes? The peer waits for you, too.",
            fits: &[Fault::Silent],
            play: plays::turn_by_turn,
        },
        Case {
            id: "silence",
            points: 1,
            rule: "a silence is not the end: after it, the peer goes on",
            proves: &[
                ("silence", "a silence between two messages"),
                ("idle", "while the peer is silent"),
            ],
            hint: "Who said that a silence has a meaning? Look for a timeout in your program.",
            fits: &[Fault::Impatient],
            play: plays::silence,
        },
        Case {
            id: "half-close",
            points: 2,
            rule: "everything sent before the peer's end comes back after it, including a final newline",
            proves: &[("end", "the last bytes came just before the end")],
            hint: "The peer has said everything and still listens. When is your last write, and when do you close?",
            fits: &[Fault::Short, Fault::Silent, Fault::SilentAfterEnd, Fault::Reset],
            play: plays::half_close,
        },
        Case {
            id: "late-end",
            points: 1,
            rule: "a peer that has ended its side and reads late gets everything that is due to it",
            proves: &[
                ("end", "more is due than the buffers hold, and the peer reads late"),
                ("idle", "while the peer does not read"),
            ],
            hint: "A read of 0 bytes says that the peer sends no more. It may still be reading: what becomes of the bytes you \
                   have not written yet?",
            fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
            play: plays::late_end,
        },
        Case {
            id: "empty",
            points: 1,
            rule: "a peer that sends nothing gets nothing but the end",
            proves: &[("end", "the peer has sent nothing at all")],
            hint: "A read of 0 bytes is the end of the stream, even when it is the first read.",
            fits: &[Fault::Open, Fault::Reset],
            play: plays::empty,
        },
        Case {
            id: "reads-later",
            points: 1,
            rule: "a peer may send 32 KiB before it reads the first byte",
            proves: &[("unread", "32,768 bytes come back")],
            hint: "More came than one of your buffers holds. Where does the rest go?",
            fits: &[Fault::Short, Fault::Silent, Fault::Full],
            play: plays::reads_later,
        },
        Case {
            id: "both-ways",
            points: 2,
            rule: "512 KiB go out and come back at the same time, all of them, within 12 s",
            proves: &[
                ("pace", "512 KiB in both directions at once"),
                ("unread", "524,288 bytes come back, as the peer reads"),
            ],
            hint: "How much does your program keep, for how long, and does it read on while it writes?",
            fits: &[Fault::Short, Fault::Silent, Fault::Full],
            play: plays::both_ways,
        },
        Case {
            id: "slow-reader",
            points: 2,
            rule: "a peer that reads late loses nothing",
            proves: &[("unread", "524,288 bytes come back, as the peer reads")],
            hint: "When the buffers are full, a write takes only part of what you gave it. Who writes the rest?",
            fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
            play: plays::slow_reader,
        },
        Case {
            id: "peer-leaves",
            points: 2,
            rule: "a peer that leaves without reading its bytes ends neither the server nor the next peer's turn",
            proves: &[
                ("leaves", "it closes"),
                ("leaves", "it ends its side, and then resets"),
                ("leaves", "it resets"),
                ("idle", "after a peer that left"),
            ],
            hint: "A write to a peer that has gone fails: EPIPE or ECONNRESET, and unless you ignore it, the signal SIGPIPE. \
                   Whose error is that?",
            fits: &[Fault::Ended, Fault::Silent],
            play: plays::peer_leaves,
        },
        Case {
            id: "reset",
            points: 1,
            rule: "a peer that resets the connection does not make the program hang or crash",
            proves: &[
                ("broken", "reset when nothing is under way"),
                ("broken", "reset with bytes that nobody has read in both directions"),
                ("idle", "after a reset"),
            ],
            hint: "A read or a write can fail: ECONNRESET, EPIPE. What does your program do then?",
            fits: &[Fault::Ended, Fault::Silent, Fault::Spins],
            play: plays::reset,
        },
        Case {
            id: "goes-on-or-ends",
            points: 1,
            rule: "after the peer's end the program serves the next peer, or ends with exit code 0",
            proves: &[("next", "a second peer comes")],
            hint: "What does your program do when its loop is over? Serving on is right, ending is right, hanging is not.",
            fits: &[Fault::Ended, Fault::Silent, Fault::Open],
            play: plays::goes_on_or_ends,
        },
        Case {
            id: "many-peers",
            points: 1,
            rule: "a program that serves one peer after another serves 2,200 of them, however they leave",
            proves: &[("next", "2,200 peers come, and half of them break the connection")],
            hint: "A program may have 1,024 open files. What is still open when a peer has gone, and on which paths through your \
                   code is it closed?",
            fits: &[Fault::Ended, Fault::Silent, Fault::Short, Fault::Reset],
            play: plays::many_peers,
        },
    ],
    texts: texts!("echo"),
};
