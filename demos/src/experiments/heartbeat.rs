//! A peer that has gone silent looks like one that has nothing to say. A heartbeat and a deadline tell them apart.
//!
//! A server sends a line five times a second, through a relay that stops passing bytes on, and stays connected. Three
//! clients read from it: one waits in `recv` as long as it takes, one has turned on TCP's keepalive, and one gives up
//! when nothing has come for three seconds. When the third gives up, the other two still wait.
//!
//! The keepalive's probes are answered by the *kernel* of the peer, and its kernel is well. Its own limit is set to two
//! seconds, the shortest possible, so it had the time to notice if it could.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub const EXPERIMENT: Experiment = Experiment {
    name: "heartbeat",
    claim: "when a peer stalls, recv goes on waiting, keepalive or not; a heartbeat and a deadline notice",
    prediction: Prediction {
        question: "a server sends a line five times a second; then it hangs, still connected. One client just \
                   reads, one uses TCP keepalive, and one has a deadline: it gives up after 3 s of silence. \
                   Who notices?",
        choices: &[
            wrong(
                "all three: TCP tells them",
                "TCP can report only what it sees, and it sees a healthy connection: nobody closed it, and \
                 nobody reset it. A peer that hangs looks just like one that has nothing to say, so `recv` \
                 waits.",
            ),
            wrong(
                "the one with keepalive, and the one with the deadline",
                "Keepalive asks the other kernel, not the program, and that kernel is fine. In our run, it still \
                 answered a probe 0.1 s before the deadline passed. Keepalive notices a machine that's gone, not \
                 a program that hangs.",
            ),
            right(
                "only the one with the deadline",
                "The server promised a line five times a second, so 3 s of silence means something. To the \
                 others, silence means nothing: the connection is open, and a healthy kernel answers \
                 keepalive's probes.",
            ),
        ],
    },
    run,
};

const LINE: &[u8] = b"tick\n";
const EVERY: Duration = Duration::from_millis(200);
/// The time of fifteen lines: too short only if the server isn't scheduled for that long.
const DEADLINE: Duration = Duration::from_secs(3);

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(SetupError::peer("listening"))?;
    let place = listener.local_addr().map_err(SetupError::peer("listening"))?;
    let relay = CommandLine::new("relay", &["--stall-after", "12"]).at("--to", "127.0.0.1:8888");
    scene.terminals(&[&relay])?;
    scene.then("the experiment is the server at port 8888, and the three clients")?;
    scene.blank()?;
    let relay = scene.relay(&relay, &place.to_string())?;
    thread::spawn(move || tick(&listener));
    let seen = watch(&relay.address()?).map_err(SetupError::peer("reading"))?;
    relay.stop()?;

    scene.says("server", "sends `tick` five times a second, to each of three clients")?;
    scene.says("relay", "passes on 12 bytes of each, then nothing; the connections stay open")?;
    scene.says("deadline", format!("got {} bytes, then 3 s of silence: gives up", seen.got))?;
    for (label, waits) in [("plain", seen.plain_waits), ("keepalive", seen.keepalive_waits)] {
        let now = if waits { "still waits" } else { "has noticed, too" };
        scene.says(label, format!("at that moment: {now}"))?;
    }
    scene.blank()?;
    if let Some([data, ack]) = seen.since {
        let ago = |it: Duration| format!("{:.1} s before", it.as_secs_f64());
        scene.row("keepalive: last byte received", &ago(data))?;
        scene.row("keepalive: last probe answered", &ago(ack))?;
    }
    scene.text(
        "The probes were answered, by the relay's kernel, which is fine. Keepalive notices a machine \
         that is gone, not a program that hangs.\n",
    )?;

    scene.came(match (seen.plain_waits, seen.keepalive_waits) {
        (true, true) => "only the one with the deadline",
        (true, false) => "the one with keepalive, and the one with the deadline",
        (false, _) => "all three: TCP tells them",
    });
    let mut findings = Findings::default();
    findings.equal("bytes that came before the silence:", seen.got, 12);
    findings.equal("the plain client still waits:", seen.plain_waits, true);
    findings.equal("the client with keepalive still waits:", seen.keepalive_waits, true);
    if let Some([data, ack]) = seen.since {
        findings.holds(ack < data, "a probe answered after the last byte", (data, ack));
    }
    Ok(findings
        .verdict("the client with the deadline noticed, while the other two went on waiting"))
}

/// The server: each client gets a line five times a second, until it's gone.
fn tick(listener: &TcpListener) {
    for conn in listener.incoming().take(3) {
        let Ok(mut conn) = conn else { return };
        thread::spawn(move || {
            while conn.write_all(LINE).is_ok() {
                thread::sleep(EVERY);
            }
        });
    }
}

/// What was seen when the deadline had passed.
struct Seen {
    /// Bytes that the client with the deadline got.
    got: usize,
    plain_waits: bool,
    keepalive_waits: bool,
    /// How long ago the last byte came to the client with keepalive, and the last confirmation (Linux).
    since: Option<[Duration; 2]>,
}

fn watch(server: &str) -> io::Result<Seen> {
    let plain = TcpStream::connect(server)?;
    let keepalive = TcpStream::connect(server)?;
    turn_on_keepalive(&keepalive)?;
    let [plain_reads, keepalive_reads] = [&plain, &keepalive].map(read_without_limit);
    let got = read_with_deadline(TcpStream::connect(server)?)?;
    let seen = Seen {
        got,
        plain_waits: !plain_reads.is_finished(),
        keepalive_waits: !keepalive_reads.is_finished(),
        since: since(&keepalive),
    };
    // The threads that wait in recv end.
    plain.shutdown(Shutdown::Both)?;
    keepalive.shutdown(Shutdown::Both)?;
    Ok(seen)
}

/// Reads until nothing has arrived for three seconds, and returns how much had arrived before.
fn read_with_deadline(mut conn: TcpStream) -> io::Result<usize> {
    conn.set_read_timeout(Some(DEADLINE))?;
    let mut got = 0;
    loop {
        match conn.read(&mut [0; 1024]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => got += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(got),
            Err(error) => return Err(error),
        }
    }
}

/// A probe after a second of silence, and one more a second later; without an answer the connection is ended.
fn turn_on_keepalive(conn: &TcpStream) -> io::Result<()> {
    let second = Duration::from_secs(1);
    let probes = TcpKeepalive::new().with_time(second).with_interval(second).with_retries(1);
    SockRef::from(conn).set_tcp_keepalive(&probes)
}

/// Reads without a time limit, in a thread of its own.
fn read_without_limit(conn: &TcpStream) -> JoinHandle<io::Result<()>> {
    let conn = conn.try_clone();
    thread::spawn(move || {
        let mut conn = conn?;
        while conn.read(&mut [0; 1024])? > 0 {}
        Ok(())
    })
}

fn since(conn: &TcpStream) -> Option<[Duration; 2]> {
    let end = diag::connection(conn.local_addr().ok()?, conn.peer_addr().ok()?).ok()??;
    Some([end.since_data, end.since_ack])
}
