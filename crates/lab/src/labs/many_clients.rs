//! many-clients: a TCP server for 200 clients at once. None waits for another.

mod cases;
mod crowd;
mod plays;

use super::framed::rules;
use super::lab::{Lab, Rule, texts};

pub(super) const LAB: Lab = Lab {
    name: "many-clients",
    task: "a TCP server that upper-cases frames for 200 clients at once, none of which waits for another",
    rules: &[
        Rule {
            id: "frames",
            text: "Each frame must be answered with the same bytes, `a` to `z` in capitals, on its own connection and in \
                   order, wherever the stream is cut. The answer begins when the frame is whole, and not before.",
            sides: &[
                "frames in one piece, an empty one among them",
                "cut at random",
                "all 256 values",
            ],
        },
        Rule {
            id: "others",
            text: "While a client can be answered, it must be answered within 5 s, whatever the others do.",
            sides: &[
                "one has said nothing",
                "one has stopped inside a length, and one inside a body",
                "one does not read its answer",
                "one has sent 8,192 frames in one piece",
            ],
        },
        Rule {
            id: "clients",
            text: "The program must serve up to 200 clients at once. One more may be refused, or have to wait.",
            sides: &["200 are connected, and each is answered"],
        },
        Rule {
            id: "backlog",
            text: "Ask for a backlog of at least 100, the second thing that `listen` takes: so many clients may connect \
                   before the program comes to accept the first.",
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
            text: "A client may read its answer as late as it likes: then all of it must be there. How much the program takes \
                   from a client that has not read yet is up to you, if it is at least one whole frame, or 32 KiB of frames.",
            sides: &[
                "an answer of 1 MiB, read after a long time",
                "8,192 answers to frames in one piece, read late",
            ],
        },
        Rule {
            id: "limit",
            text: "A length of at most 16 MiB (16,777,216) is valid. A longer one must close the connection at once, without \
                   an answer to this frame. Whether answers to earlier frames that have not left yet are still sent is up to \
                   you.",
            sides: &[
                "16,777,215 and 16,777,216 bytes are answered",
                "16,777,217 and 2,147,483,647 are refused",
            ],
        },
        Rule { sides: &["-1 and -2,147,483,648 are refused"], ..rules::NEGATIVE },
        Rule {
            id: "pace",
            text: "For a frame of 16 MiB, a program has 40 s, which is enough for one recv per byte in a thread. For 300 \
                   clients one after the other it has 12 s, and for the 3,300 of `many-broken` 33 s.",
            sides: &["a frame of 16 MiB"],
        },
        Rule {
            id: "end",
            text: "When a client ends its side between two frames (a half-close), every answer still due to it must arrive. \
                   Then the program closes the connection, without a reset.",
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
                "while an answer is under way",
                "before the connection was accepted",
                "100 at once",
            ],
        },
        Rule {
            id: "leaves",
            text: "A client may leave without having read its answers. That must not disturb the others either.",
            sides: &[
                "it closes",
                "it ends its side, and then resets",
                "it resets",
                "it ends its side, and resets in the middle of a long answer",
            ],
        },
        Rule {
            id: "own-answers",
            text: "What has come from a client, and what is still to be sent to it, belongs to its connection. It must not \
                   reach another client: not one with the same port and another address, nor the next one, whose socket may \
                   get the same descriptor.",
            sides: &[
                "frames of eight clients, in turns and in parts",
                "two clients with the same port",
                "the next client after one that ended inside a length, and inside a body",
                "the next client after one that reset with an answer under way",
            ],
        },
        Rule {
            id: "give-back",
            text: "Whatever a client has taken, a descriptor, a thread, one of the 200 places, must be free again when it is \
                   gone. A program may have 1,024 descriptors open (`ulimit -n`).",
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
