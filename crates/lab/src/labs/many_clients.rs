//! many-clients: a TCP server for 200 clients at once. None waits for another.

mod crowd;

use super::framed::{LIMIT, refused};
use super::{Case, Lab, texts};
use crate::{Broken, Peer, Trial};
use crowd::{ORDER, ask, ask_each, begin, connect_many, goes_on, large, of, order};

/// How many clients are served at once.
const CLIENTS: usize = 200;
/// How many may come before the server accepts the first: asyncio asks for a backlog of 100, most others for 128.
const WAITING: usize = 100;
/// How many come and go, one after the other.
const VISITS: usize = 300;

pub(super) const LAB: Lab = Lab {
    name: "many-clients",
    task: "a TCP server that upper-cases frames for 200 clients at once, none of which waits for another",
    rules: &[],
    cases: &[
        Case {
            id: "one-client",
            points: 1,
            rule: "one client gets an answer to each of its frames, however they are cut or merged",
            hint: "This is lab frames again: collect until a frame is whole, and keep what is left over.",
            proves: &[],
            fits: &[],
            play: one_client,
        },
        Case {
            id: "silent",
            points: 1,
            rule: "a client that says nothing keeps no other waiting",
            hint: "Where does your program wait while the first client is silent? Who accepts the second?",
            proves: &[],
            fits: &[],
            play: silent,
        },
        Case {
            id: "crowd",
            points: 3,
            rule: "200 clients are connected at once, and each is answered when it asks",
            hint: "The clients do not ask in the order in which they came.",
            proves: &[],
            fits: &[],
            play: crowd,
        },
        Case {
            id: "stalled",
            points: 3,
            rule: "a client that stalls inside a frame keeps no other waiting",
            hint: "A readable socket has at least one byte. It need not have a frame.",
            proves: &[],
            fits: &[],
            play: stalled,
        },
        Case {
            id: "never-reads",
            points: 3,
            rule: "a client that does not read its answer keeps no other waiting, and gets all of it when it reads",
            hint: "A send waits, too, when the buffers are full; one that may not wait takes only a part.",
            proves: &[],
            fits: &[],
            play: never_reads,
        },
        Case {
            id: "reset",
            points: 2,
            rule: "a client that resets its connection takes no other with it",
            hint: "After a reset, recv and send fail. Whose error is that, and what has to end?",
            proves: &[],
            fits: &[],
            play: reset,
        },
        Case {
            id: "many-resets",
            points: 2,
            rule: "100 clients that reset at once take nobody with them",
            hint: "Look at every call that can fail: accept, recv, send, and what you do when you close.",
            proves: &[],
            fits: &[],
            play: many_resets,
        },
        Case {
            id: "broken-framing",
            points: 2,
            rule: "a client that breaks the framing is closed, and no other notices",
            hint: "Which of your errors end one connection, and which end the server?",
            proves: &[],
            fits: &[],
            play: broken_framing,
        },
        Case {
            id: "own-answers",
            points: 2,
            rule: "each client gets its own answers, when the frames of many come in turns and in parts",
            hint: "What has come of a frame belongs to one connection. Where do you keep it?",
            proves: &[],
            fits: &[],
            play: own_answers,
        },
        Case {
            id: "backlog",
            points: 2,
            rule: "100 clients that connect before the server comes to accept are kept for it",
            hint: "The kernel keeps connections that nobody has accepted yet. How many, is said in listen().",
            proves: &[],
            fits: &[],
            play: backlog,
        },
        Case {
            id: "comings-and-goings",
            points: 2,
            rule: "300 clients come and go, and each connection is closed when its client has ended",
            hint: "A read of 0 bytes between two frames is a normal end. What has to be given back then?",
            proves: &[],
            fits: &[],
            play: comings_and_goings,
        },
    ],
    texts: texts!("many-clients"),
};

fn one_client(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let (mut frames, mut answers) = (Vec::new(), Vec::new());
    for length in [5, 0, 80, 1] {
        let text = trial.text(length);
        frames.extend(ORDER.frame(&text));
        answers.extend(ORDER.answer(&text));
    }
    for schedule in ["idle", "cut=random:1..7"] {
        let mut peer = trial.connect(schedule)?;
        peer.exchange(&frames, &answers)?;
        peer.end()?;
        peer.expect_end()?;
    }
    Ok(())
}

fn silent(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let _silent = trial.connect("idle")?;
    let mut second = trial.connect("idle")?;
    ask(trial, &mut second)
}

fn crowd(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut peers = connect_many(trial, CLIENTS)?;
    ask_each(trial, &mut peers)
}

fn stalled(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (mut in_length, mut in_body) = (trial.connect("idle")?, trial.connect("idle")?);
    let (first, second) = (trial.text(20), trial.text(20));
    in_length.send(&ORDER.frame(&first)[..2])?;
    in_body.send(&ORDER.frame(&second)[..14])?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut early)?;
    goes_on(trial, &mut late)?;
    in_body.keep_silent()?;
    in_body.send(&ORDER.frame(&second)[14..])?;
    in_body.expect(&ORDER.answer(&second))?;
    in_length.send(&ORDER.frame(&first)[2..])?;
    in_length.expect(&ORDER.answer(&first))
}

fn never_reads(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let (mut large, rest) = large(trial)?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut early)?;
    goes_on(trial, &mut late)?;
    large.expect(&rest)
}

fn reset(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let mut in_frame = trial.connect("idle")?;
    begin(trial, &mut in_frame)?;
    in_frame.reset();
    goes_on(trial, &mut early)?;
    let (in_answer, _) = large(trial)?;
    in_answer.reset();
    goes_on(trial, &mut early)?;
    let mut late = trial.connect("idle")?;
    goes_on(trial, &mut late)
}

fn many_resets(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    let mut peers = connect_many(trial, WAITING)?;
    trial.step("every second one sends a frame and reads nothing; the others are answered, and stop inside the next");
    for (number, peer) in peers.iter_mut().enumerate() {
        match number % 2 {
            0 => begin(trial, peer).map_err(|broken| of(number, broken))?,
            _ => peer.send(&ORDER.frame(&trial.text(20)))?,
        }
    }
    trial.step("all of them reset their connections");
    peers.into_iter().for_each(Peer::reset);
    goes_on(trial, &mut early)?;
    let mut late = trial.connect("idle")?;
    ask(trial, &mut late)
}

fn broken_framing(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let mut early = trial.connect("idle")?;
    for wrong in [-1, LIMIT + 1] {
        refused(trial, ORDER, wrong, b"")?;
        ask(trial, &mut early)?;
    }
    let mut ends = trial.connect("idle")?;
    begin(trial, &mut ends)?;
    ends.end()?;
    ends.expect_closed()?;
    goes_on(trial, &mut early)?;
    let mut late = trial.connect("idle")?;
    ask(trial, &mut late)
}

/// Each send ends inside a frame, and the answer to the frame before it shows that the server has been there.
fn own_answers(trial: &mut Trial) -> Result<(), Broken> {
    const PEERS: usize = 8;
    trial.start_tcp_server()?;
    let mut peers = connect_many(trial, PEERS)?;
    let (mut left, mut due) = (vec![Vec::new(); PEERS], vec![Vec::new(); PEERS]);
    trial.step("four times, each of them in turn sends the rest of a frame, a whole one, and a part of the next; and expects the answers to what is whole");
    for _ in 0..4 {
        for number in order(trial, PEERS) {
            let (whole, next) = (trial.text(12), trial.text(30));
            let (begun, cut) = (ORDER.frame(&next), trial.number(1, 33) as usize);
            let sent = [&left[number], &ORDER.frame(&whole)[..], &begun[..cut]].concat();
            let expected = [&due[number], &ORDER.answer(&whole)[..]].concat();
            peers[number].send(&sent)?;
            peers[number].expect(&expected).map_err(|broken| of(number, broken))?;
            left[number] = begun[cut..].to_vec();
            due[number] = ORDER.answer(&next);
        }
    }
    Ok(())
}

fn backlog(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let connect = |trial: &mut Trial| {
        (0..WAITING).map(|n| trial.connect("idle").map_err(|broken| of(n, broken))).collect()
    };
    let mut peers: Vec<Peer> = trial.while_stopped(|trial| {
        trial.quietly(format!("{WAITING} peers connect, one after the other, and stay"), connect)
    })?;
    ask_each(trial, &mut peers)
}

fn comings_and_goings(trial: &mut Trial) -> Result<(), Broken> {
    trial.start_tcp_server()?;
    let visit = |trial: &mut Trial| {
        let mut peer = trial.connect("idle")?;
        ask(trial, &mut peer)?;
        peer.end()?;
        peer.expect_end()
    };
    let what = "connects, asks, is answered, ends its side, and expects the end of the stream";
    trial.quietly(format!("{VISITS} peers, one after the other: each {what}"), |trial| {
        (0..VISITS).try_for_each(|number| visit(trial).map_err(|broken| of(number, broken)))
    })
}
