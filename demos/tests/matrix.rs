//! The fault matrix: each fault of the relay, in each direction, against each of the four remote-command programs.
//!
//! A cell is one conversation of a real client with a real server through a relay. It ends in one of two ways: the
//! client printed both answers, byte for byte, and exit code 0; or it printed whole answers and an exit code of the
//! contract, in time. Never silently less. Fix 1 under cuts is the one exception, and is asserted as such: its length
//! and its requests have no end of their own.
//!
//! | fault | expected |
//! |---|---|
//! | idle, delay, jitter, rate, slow close, merge | byte-exact |
//! | cut into single bytes, at random, after 3 and 1 | byte-exact; fix 1 is misled |
//! | silence after some bytes | 6, within the client's time-out plus 1 s |
//! | reset or close after some bytes | 4 |

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use relay::{Relay, Schedule};
use stage::{Finished, Program, Signal};
use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Each its answer's own way; `threaded` speaks like `json`, from a server of another kind.
const PROTOCOLS: [[&str; 2]; 4] = [
    ["fix-ack-handshake-server", "fix-ack-handshake-client"],
    ["fix-struct-prefix-server", "fix-struct-prefix-client"],
    ["fix-json-header-server", "fix-json-header-client"],
    ["threaded-server", "threaded-client"],
];

const DIRECTIONS: [&str; 3] = ["to-server", "to-client", "both"];

/// What the relay does, and what that does to a conversation.
const FAULTS: [(&str, Effect); 12] = [
    ("", Effect::None),
    ("delay=20", Effect::None),
    ("delay=5..15 seed=7", Effect::None),
    ("rate=20000", Effect::None),
    ("slow-close=100", Effect::None),
    ("merge=20", Effect::None),
    ("cut=1", Effect::Cut),
    ("cut=random:1..3 seed=7", Effect::Cut),
    ("cut=3,1,*", Effect::Cut),
    // The third byte is inside the first request, and inside the first length or head.
    ("stall-after=3", Effect::Silence),
    ("reset-after=3", Effect::Broken),
    ("close-after=3", Effect::Broken),
];

/// 1,092 bytes: more than one recv of the tutorial's, and a length of four digits. Then a short one, which begins where
/// the long one was left if a client lost its place.
const COMMANDS: [&str; 2] = ["seq 1 300", "echo done"];

/// After this the client gives a silent server up.
const TIME_OUT: u64 = 2;

/// How long a conversation may take that nothing holds up, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    /// Every byte comes, in order, in pieces that mislead nobody.
    None,
    /// Every byte comes, in order, in pieces that mislead who takes one recv for a message.
    Cut,
    /// From some byte on nothing comes, and nobody says so.
    Silence,
    /// From some byte on nothing comes, and the connection ends.
    Broken,
}

#[test]
fn every_fault_in_every_direction_ends_exactly_or_in_an_error() {
    let mut cells = Vec::new();
    for pair in PROTOCOLS {
        for (fault, effect) in FAULTS {
            cells.extend(DIRECTIONS.map(|direction| (pair, fault, effect, direction)));
        }
    }
    // Those that wait for a time-out first, a few side by side: they hardly use the machine.
    cells.sort_by_key(|(_, _, effect, _)| *effect != Effect::Silence);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = String::new();
        while let Some((pair, fault, effect, direction)) =
            cells.get(next.fetch_add(1, Ordering::Relaxed)).copied()
        {
            if let Err(why) = check(pair, fault, effect, direction) {
                writeln!(wrong, "{} behind `{fault}` {direction}: {why}", pair[0]).unwrap();
            }
        }
        wrong
    };
    let wrong: String = thread::scope(|scope| {
        let workers = [0; 4].map(|_| scope.spawn(work));
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    assert!(wrong.is_empty(), "of {} cells:\n{wrong}", cells.len());
    assert_eq!(cells.len(), 144);
}

/// One cell.
fn check(pair: [&str; 2], fault: &str, effect: Effect, direction: &str) -> Result<(), String> {
    let schedule: Schedule = format!("{fault} direction={direction}").trim().parse().unwrap();
    let mut server = Command::new(stage::binary(pair[0]).unwrap());
    let server = Program::start("server", server.args(["--listen", "127.0.0.1:0"])).unwrap();
    let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let to: SocketAddr = server.address().unwrap().parse().unwrap();
    let relay = Relay::start(anywhere, to, schedule).unwrap();

    let mut client = Command::new(stage::binary(pair[1]).unwrap());
    client
        .arg("--connect")
        .arg(relay.address().to_string())
        .args(["--timeout", &TIME_OUT.to_string()]);
    client.args(COMMANDS.iter().flat_map(|command| ["-c", command]));
    let client = Program::start("client", &mut client).unwrap().wait(PATIENCE).unwrap();

    // The relay first: a server that still waits for the rest of a request is told that none comes.
    drop(relay);
    server.signal(Signal::TERM);
    let server = server.wait(PATIENCE).unwrap();
    if server.code != Some(0) {
        return Err(format!("the server ended with {:?} {}", server.code, said(&server)));
    }
    judge(pair[0] == PROTOCOLS[0][0], effect, &client)
}

fn judge(is_ack: bool, effect: Effect, client: &Finished) -> Result<(), String> {
    let numbers: String = (1..=300).map(|number| format!("{number}\n")).collect();
    let exact = client.stdout == format!("{numbers}done\n").as_bytes();
    let (code, took) = (client.code, client.took);
    let whole = ["", &numbers].iter().any(|whole| client.stdout == whole.as_bytes());
    let as_expected = match effect {
        Effect::Cut if is_ack => !exact || code != Some(0),
        Effect::None | Effect::Cut => exact && code == Some(0),
        Effect::Silence => {
            let latest = Duration::from_secs(TIME_OUT + 1);
            whole && code == Some(6) && took < latest
        }
        Effect::Broken => whole && code == Some(4),
    };
    match as_expected {
        true => Ok(()),
        false => {
            let printed = client.stdout.len();
            Err(format!(
                "{effect:?}, exit code {code:?} after {took:?}, {printed} bytes printed, {}",
                said(client)
            ))
        }
    }
}

fn said(program: &Finished) -> String {
    format!("said {:?}", String::from_utf8_lossy(&program.stderr))
}
