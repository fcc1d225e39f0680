//! many-clients: a TCP server for 200 clients at once. No client waits for another.

mod cases;
mod crowd;
mod plays;

use super::framed::rules;
use super::lab::{Lab, Rule, texts};

pub(super) const LAB: Lab = Lab {
    name: "many-clients",
    task: "a TCP server that sends frames back in capitals, to 200 clients at once, none of which waits for another",
    rules: &[
        Rule {
            id: "frames",
            text: "Each frame must be answered with the same bytes, `a` to `z` in capitals, on its own connection and \
                   in order, wherever the stream is cut. The answer starts when the frame is complete, and not \
                   before.",
            sides: &[
                "frames in one piece, an empty one among them",
                "cut at random",
                "all 256 values",
            ],
        },
        Rule {
            id: "others",
            text: "A client that can be answered must be answered within 5 s, whatever the others do.",
            sides: &[
                "one has sent nothing",
                "one has stopped inside a length, and one inside a body",
                "one does not read its answer",
                "one has sent 8,192 frames in one piece",
            ],
        },
        Rule {
            id: "clients",
            text: "The program must serve up to 200 clients at once. Any client beyond that may be refused, or made to \
                   wait.",
            sides: &["200 are connected, and each is answered"],
        },
        Rule {
            id: "backlog",
            text: "Ask `listen` for a backlog of at least 100: that many clients may connect before the program gets \
                   around to accepting the first.",
            sides: &["100 connect while the program is stopped"],
        },
        Rule {
            sides: &[
                "before the first frame, and between two frames",
                "inside a length, and inside a body",
            ],
            ..rules::SILENCE
        },
        Rule {
            id: "unread",
            text: "A client may read its answer as late as it likes, and must still get all of it. How much the \
                   program reads from a client that isn't reading is up to you, as long as it is at least one whole \
                   frame, or 32 KiB of frames.",
            sides: &[
                "an answer of 1 MiB, read after a long time",
                "8,192 answers to frames in one piece, read late",
            ],
        },
        Rule {
            id: "limit",
            text: "A length of at most 16 MiB (16,777,216) is valid. If it is greater, the program must close the \
                   connection at once, without an answer to that frame. Answers to earlier frames that haven't been \
                   sent yet may be sent or dropped.",
            sides: &[
                "16,777,215 and 16,777,216 bytes are answered",
                "16,777,217 and 2,147,483,647 are refused",
            ],
        },
        Rule { sides: &["-1 and -2,147,483,648 are refused"], ..rules::NEGATIVE },
        Rule {
            id: "pace",
            text: "For a frame of 16 MiB, a program has 40 s, which is enough for one recv per byte in a thread. For \
                   300 clients, one after another, it has 12 s, and for the 3,300 in `many-broken`, 33 s.",
            sides: &["a frame of 16 MiB"],
        },
        Rule {
            id: "end",
            text: "When a client ends its side between two frames (a half-close), every answer it is still owed must \
                   arrive. Then the program closes the connection, without a reset.",
            sides: &[
                "everything has been answered",
                "more is due than the buffers hold, and the client reads late",
            ],
        },
        Rule { sides: &["inside a length", "inside a body"], ..rules::INSIDE },
        Rule {
            id: "reset",
            text: "A reset ends one connection, and must not disturb the other clients.",
            sides: &[
                "inside a frame",
                "while an answer is being sent",
                "before the connection was accepted",
                "100 at once",
            ],
        },
        Rule {
            id: "leaves",
            text: "A client may leave without reading its answers. That must not disturb the others either.",
            sides: &[
                "it closes",
                "it ends its side, and then resets",
                "it resets",
                "it ends its side, and resets in the middle of a long answer",
            ],
        },
        Rule {
            id: "own-answers",
            text: "Bytes that came from a client, and bytes still to be sent to it, belong to its connection. They \
                   must not reach another client: not one with the same port and a different address, and not the next \
                   one, whose socket may get the same descriptor.",
            sides: &[
                "frames from eight clients, taking turns and in parts",
                "two clients with the same port",
                "the next client after one that ended inside a length, and inside a body",
                "the next client after one that reset while an answer was being sent",
            ],
        },
        Rule {
            id: "give-back",
            text: "Whatever a client used (a descriptor, a thread, one of the 200 places) must be free again once it \
                   is gone. A program may have 1,024 descriptors open (`ulimit -n`).",
            sides: &[
                "300 clients come and go",
                "1,100 clients that break the framing, 1,100 that reset and 1,100 that leave, then 200 at once",
            ],
        },
        Rule {
            sides: &[
                "while a client that has ended its side does not read",
                "after that client's reset",
                "after clients that left",
            ],
            ..rules::IDLE
        },
    ],
    cases: cases::CASES,
    texts: texts!("many-clients"),
};
