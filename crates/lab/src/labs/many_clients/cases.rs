//! The cases of lab many-clients, from one client to crowds that break off.

use super::plays;
use crate::labs::lab::Case;
use crate::verdict::Fault;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "one-client",
        points: 1,
        rule: "one client gets an answer to each of its frames, however they are cut or merged",
        proves: &[
            ("frames", "frames in one piece, an empty one among them"),
            ("frames", "cut at random"),
            ("frames", "all 256 values"),
            ("end", "everything has been answered"),
        ],
        hint: "This is the frames lab again: collect bytes until a frame is complete, and keep what is left over.",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent],
        play: plays::one_client,
    },
    Case {
        id: "silent",
        points: 1,
        rule: "a client that sends nothing doesn't keep the others waiting",
        proves: &[("others", "one has sent nothing")],
        hint: "Where does your program wait while the first client is silent? And which line accepts the second one \
               meanwhile?",
        fits: &[Fault::Silent],
        play: plays::silent,
    },
    Case {
        id: "silence",
        points: 1,
        rule: "clients may be silent, before their first frame or between two, and then carry on",
        proves: &[("silence", "before the first frame, and between two frames")],
        hint: "Silence means nothing. Is there a timeout somewhere in your program?",
        fits: &[Fault::Impatient, Fault::Short],
        play: plays::silence,
    },
    Case {
        id: "crowd",
        points: 3,
        rule: "200 clients are connected at once, and each is answered when it asks",
        proves: &[("clients", "200 are connected, and each is answered")],
        hint: "How many clients does your program have room for? And remember that they don't ask in the order in \
               which they connected.",
        fits: &[Fault::Silent, Fault::Short],
        play: plays::crowd,
    },
    Case {
        id: "stalled",
        points: 3,
        rule: "clients that stall inside a length or a body don't keep the others waiting, and carry on after a \
               silence",
        proves: &[
            ("others", "one has stopped inside a length, and one inside a body"),
            ("silence", "inside a length, and inside a body"),
        ],
        hint: "A readable socket has at least one byte. It may not have a whole frame.",
        fits: &[Fault::Silent, Fault::Impatient],
        play: plays::stalled,
    },
    Case {
        id: "never-reads",
        points: 3,
        rule: "a client that doesn't read its answer doesn't keep the others waiting, and gets all of it when it reads",
        proves: &[
            ("others", "one does not read its answer"),
            ("unread", "an answer of 1 MiB, read after a long time"),
        ],
        hint: "Sending waits, too, when the buffers are full; and a send that must not wait takes only part of what \
               you give it.",
        fits: &[Fault::Wrong, Fault::Silent],
        play: plays::never_reads,
    },
    Case {
        id: "many-in-one-piece",
        points: 1,
        rule: "a client that sends 8,192 frames in one piece doesn't keep the others waiting, and gets all its answers",
        proves: &[
            ("others", "one has sent 8,192 frames in one piece"),
            ("unread", "8,192 answers to frames in one piece, read late"),
        ],
        hint: "One recv returned thousands of frames. What does your program do for each of them, and does anything \
               grow with their number?",
        fits: &[Fault::Short, Fault::Silent],
        play: plays::many_in_one_piece,
    },
    Case {
        id: "limit",
        points: 1,
        rule: "frames of 16,777,215 and of 16,777,216 bytes (16 MiB) are answered in full, each within 40 s",
        proves: &[
            ("limit", "16,777,215 and 16,777,216 bytes are answered"),
            ("pace", "a frame of 16 MiB"),
        ],
        hint: "What is the greatest length your program accepts? Compare it with the lab's page: is the limit itself \
               still valid?",
        fits: &[Fault::Short, Fault::Slow],
        play: plays::limit,
    },
    Case {
        id: "half-close",
        points: 2,
        rule: "a client that has ended its side and reads late gets all of its answer, and then the end of the stream",
        proves: &[("end", "more is due than the buffers hold, and the client reads late")],
        hint: "A read of 0 bytes means that the client won't send any more. It may still be reading: what happens to \
               the bytes you haven't sent yet?",
        fits: &[Fault::Short, Fault::SilentAfterEnd, Fault::Reset],
        play: plays::half_close,
    },
    Case {
        id: "reset",
        points: 2,
        rule: "a client that resets its connection takes no other client down with it",
        proves: &[
            ("reset", "inside a frame"),
            ("reset", "while an answer is being sent"),
            ("reset", "before the connection was accepted"),
        ],
        hint: "After a reset, recv and send fail. Which connection is that about, and what has to end?",
        fits: &[Fault::Short, Fault::Silent, Fault::Ended, Fault::Reset],
        play: plays::reset,
    },
    Case {
        id: "client-leaves",
        points: 2,
        rule: "a client that leaves without reading its answers takes no other client down with it",
        proves: &[
            ("leaves", "it closes"),
            ("leaves", "it ends its side, and then resets"),
            ("leaves", "it resets"),
            ("leaves", "it ends its side, and resets in the middle of a long answer"),
            ("idle", "after clients that left"),
        ],
        hint: "Sending to a client that is gone fails with EPIPE or ECONNRESET, and raises SIGPIPE unless you ignore \
               that signal. Whose problem should that be?",
        fits: &[Fault::Short, Fault::Silent, Fault::Ended, Fault::Reset],
        play: plays::client_leaves,
    },
    Case {
        id: "many-resets",
        points: 2,
        rule: "100 clients that reset at once take nobody down with them",
        proves: &[("reset", "100 at once")],
        hint: "Look at every call that can fail: accept, recv, send, and what you do when you close. How long does your program \
               take for each?",
        fits: &[Fault::Short, Fault::Silent, Fault::Ended, Fault::Reset],
        play: plays::many_resets,
    },
    Case {
        id: "broken-framing",
        points: 2,
        rule: "a client that breaks the framing is disconnected, and the others don't notice",
        proves: &[
            ("limit", "16,777,217 and 2,147,483,647 are refused"),
            ("negative", "-1 and -2,147,483,648 are refused"),
            ("inside", "inside a length"),
            ("inside", "inside a body"),
        ],
        hint: "Which of your errors end one connection, and which end the server?",
        fits: &[Fault::Open, Fault::Extra, Fault::Ended, Fault::Short],
        play: plays::broken_framing,
    },
    Case {
        id: "own-answers",
        points: 2,
        rule: "each client gets its own answers, even when frames from many clients arrive in turns and in parts",
        proves: &[("own-answers", "frames from eight clients, taking turns and in parts")],
        hint: "The part of a frame that has arrived belongs to one connection. Where do you keep it?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Extra],
        play: plays::own_answers,
    },
    Case {
        id: "same-port",
        points: 1,
        rule: "two clients with the same port and different addresses get their own answers",
        proves: &[("own-answers", "two clients with the same port")],
        hint: "How does your program tell its clients apart? Does that differ between any two connections?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Extra],
        play: plays::same_port,
    },
    Case {
        id: "starts-clean",
        points: 1,
        rule: "when a client breaks off inside a frame or an answer, the next client gets nothing that was left over \
               from it",
        proves: &[
            (
                "own-answers",
                "the next client after one that ended inside a length, and inside a body",
            ),
            ("own-answers", "the next client after one that reset while an answer was being sent"),
        ],
        hint: "The kernel reuses a descriptor as soon as it is closed. What does your program still remember about the \
               old one?",
        fits: &[Fault::Wrong, Fault::Short, Fault::Silent, Fault::Extra],
        play: plays::starts_clean,
    },
    Case {
        id: "waits",
        points: 1,
        rule: "while nobody can be served, the program doesn't keep the processor busy, even if a client has ended its \
               side and doesn't read",
        proves: &[
            ("idle", "while a client that has ended its side does not read"),
            ("idle", "after that client's reset"),
        ],
        hint: "Once a client has ended its side, its connection is always readable: each read returns 0 bytes. What \
               does your loop wait for then?",
        fits: &[Fault::Spins],
        play: plays::waits,
    },
    Case {
        id: "backlog",
        points: 2,
        rule: "100 clients connect before the server gets around to calling accept, and each of them is answered",
        proves: &[("backlog", "100 connect while the program is stopped")],
        hint: "The kernel keeps connections that nobody has accepted yet. How many? That's what you tell listen().",
        fits: &[Fault::Silent, Fault::Ended],
        play: plays::backlog,
    },
    Case {
        id: "comings-and-goings",
        points: 2,
        rule: "300 clients come and go, and each connection is closed when its client has ended",
        proves: &[("give-back", "300 clients come and go")],
        hint: "A read of 0 bytes between two frames is a normal end. What has to be released then?",
        fits: &[Fault::Open, Fault::Short, Fault::Silent],
        play: plays::comings_and_goings,
    },
    Case {
        id: "many-broken",
        points: 1,
        rule: "after 1,100 clients that break the framing, 1,100 that reset and 1,100 that leave, 200 are served at once",
        proves: &[(
            "give-back",
            "1,100 clients that break the framing, 1,100 that reset and 1,100 that leave, then 200 at once",
        )],
        hint: "A client may end in several ways. Is everything it used released, whichever way it ends?",
        fits: &[Fault::Open, Fault::Short, Fault::Silent, Fault::Ended],
        play: plays::many_broken,
    },
];
