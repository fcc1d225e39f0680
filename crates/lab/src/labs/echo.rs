//! echo: a TCP server that sends back every byte until the peer ends its side of the stream, and then closes the
//! connection.

mod plays;

use super::lab::{Case, Lab, Rule, texts};
use crate::verdict::Fault;

pub(super) const LAB: Lab = Lab {
    name: "echo",
    task: "a TCP server that sends back every byte until the peer's end of stream, then ends",
    rules: &[
        Rule {
            id: "same-bytes",
            text: "Every byte comes back unchanged and in order, wherever the stream is cut. Bytes aren't text: zeros, \
                   line ends and half a character come back, too.",
            sides: &["a byte at a time", "cut at random", "all 256 values"],
        },
        Rule {
            id: "at-once",
            text: "Whatever has arrived is sent back at once: the peer may wait for it before it sends anything else.",
            sides: &[
                "a peer that waits for each line",
                "a peer that waits for each byte, whatever it is",
            ],
        },
        Rule {
            id: "silence",
            text: "Silence means nothing, and there is no time limit: after 30 s without a byte, the peer may carry \
                   on.",
            sides: &["a silence between two messages"],
        },
        Rule {
            id: "end",
            text: "When the peer ends its side (a half-close), everything it is still owed must arrive. Then the \
                   program ends its side, too.",
            sides: &[
                "the last bytes came just before the end",
                "more is due than the buffers hold, and the peer reads late",
                "the peer has sent nothing at all",
            ],
        },
        Rule {
            id: "unread",
            text: "A peer may send up to 32 KiB (32,768 bytes) before it reads anything. Beyond that, the program may \
                   stop reading until the peer reads some of it, but it must not lose anything.",
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
                   exit code. It must not hang, be killed by a signal, or panic (exit code 101).",
            sides: &[
                "reset when nothing is going on",
                "reset with unread bytes in both directions",
            ],
        },
        Rule {
            id: "leaves",
            text: "A peer may leave without reading its bytes. A program that serves one peer after another must carry \
                   on; one that serves a single peer may end with any exit code, but not through a signal or a panic.",
            sides: &["it closes", "it ends its side, and then resets", "it resets"],
        },
        Rule {
            id: "idle",
            text: "While there is nothing to do, the program waits, and must not keep the processor busy.",
            sides: &[
                "while the peer is silent",
                "while the peer does not read",
                "after a reset",
                "after a peer that left",
            ],
        },
        Rule {
            id: "next",
            text: "After a peer's end the program serves the next one, or ends with exit code 0. If it serves one \
                   after another, it must not run out of anything: whatever a peer used is released.",
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
            rule: "what the peer sends comes back unchanged, and your end of stream follows the peer's",
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
            hint: "One recv returns what has arrived, not what was sent. When does your loop end?",
            fits: &[Fault::Short, Fault::Silent],
            play: plays::cut_everywhere,
        },
        Case {
            id: "cut-at-random",
            points: 1,
            rule: "wherever the stream is cut, the same bytes come back",
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
            hint: "Is there a decode, a string or a strip between your read and your write? Here a 0, a line end or \
                   half a character means nothing special.",
            fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
            play: plays::every_byte,
        },
        Case {
            id: "turn-by-turn",
            points: 1,
            rule: "whatever has arrived is sent back at once: the peer may wait for it before it sends more",
            proves: &[
                ("at-once", "a peer that waits for each line"),
                ("at-once", "a peer that waits for each byte, whatever it is"),
            ],
            hint: "What is your program waiting for before it writes? The peer is waiting for you, too.",
            fits: &[Fault::Silent],
            play: plays::turn_by_turn,
        },
        Case {
            id: "silence",
            points: 1,
            rule: "silence is not the end: after it, the peer carries on",
            proves: &[
                ("silence", "a silence between two messages"),
                ("idle", "while the peer is silent"),
            ],
            hint: "Silence means nothing. Is there a timeout somewhere in your program?",
            fits: &[Fault::Impatient],
            play: plays::silence,
        },
        Case {
            id: "half-close",
            points: 2,
            rule: "everything sent before the peer's end comes back after it, including a final newline",
            proves: &[("end", "the last bytes came just before the end")],
            hint: "The peer has sent everything and is still reading. When do you write for the last time, and when do \
                   you close?",
            fits: &[Fault::Short, Fault::Silent, Fault::SilentAfterEnd, Fault::Reset],
            play: plays::half_close,
        },
        Case {
            id: "late-end",
            points: 1,
            rule: "a peer that has ended its side and reads late gets everything it is owed",
            proves: &[
                ("end", "more is due than the buffers hold, and the peer reads late"),
                ("idle", "while the peer does not read"),
            ],
            hint: "A read of 0 bytes means that the peer won't send any more. It may still be reading: what happens to \
                   the bytes you haven't written yet?",
            fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
            play: plays::late_end,
        },
        Case {
            id: "empty",
            points: 1,
            rule: "a peer that sends nothing gets nothing back but the end of the stream",
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
            hint: "More arrived than one of your buffers holds. Where does the rest go?",
            fits: &[Fault::Short, Fault::Silent, Fault::Full],
            play: plays::reads_later,
        },
        Case {
            id: "both-ways",
            points: 2,
            rule: "512 KiB go out and come back at the same time, nothing missing, within 12 s",
            proves: &[
                ("pace", "512 KiB in both directions at once"),
                ("unread", "524,288 bytes come back, as the peer reads"),
            ],
            hint: "How much does your program hold on to, and for how long? Does it keep reading while it writes?",
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
            rule: "a peer that leaves without reading its bytes neither crashes the program nor costs the next peer \
                   its turn",
            proves: &[
                ("leaves", "it closes"),
                ("leaves", "it ends its side, and then resets"),
                ("leaves", "it resets"),
                ("idle", "after a peer that left"),
            ],
            hint: "Writing to a peer that is gone fails with EPIPE or ECONNRESET, and raises SIGPIPE unless you ignore \
                   that signal. Whose problem should that be?",
            fits: &[Fault::Ended, Fault::Silent],
            play: plays::peer_leaves,
        },
        Case {
            id: "reset",
            points: 1,
            rule: "a peer that resets the connection does not make the program hang or crash",
            proves: &[
                ("broken", "reset when nothing is going on"),
                ("broken", "reset with unread bytes in both directions"),
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
            hint: "What does your program do after its loop? Serving the next peer is right, ending is right, hanging \
                   isn't.",
            fits: &[Fault::Ended, Fault::Silent, Fault::Open],
            play: plays::goes_on_or_ends,
        },
        Case {
            id: "many-peers",
            points: 1,
            rule: "a program that serves one peer after another serves 2,200 of them, however they leave",
            proves: &[("next", "2,200 peers come, and half of them break the connection")],
            hint: "A program may have 1,024 open files. What is still open once a peer is gone, and on which paths \
                   through your code does it get closed?",
            fits: &[Fault::Ended, Fault::Silent, Fault::Short, Fault::Reset],
            play: plays::many_peers,
        },
    ],
    texts: texts!("echo"),
};
