//! A header that promises 2 GiB costs no memory.
//!
//! If you allocate what a header promises, four bytes from a stranger can take your memory. The servers of the course
//! check the length first, and then let the buffer grow with what has arrived. Each gets two promises: one beyond
//! the limit, and one as large as the limit allows, of which 4 bytes arrive. The client follows the same rules.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Actor, Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

pub const EXPERIMENT: Experiment = Experiment {
    name: "promise",
    claim: "a header that promises 2 GiB costs no memory",
    prediction: Prediction {
        question: "four bytes tell one of our servers that a message of 2 GiB follows. How much memory does \
                   the server use for it?",
        choices: &[
            wrong(
                "2 GiB",
                "It would, if it allocated what a stranger promises. Our servers check the length first: \
                 2147483647 is above their limit of 16777216, so they refuse it and close.",
            ),
            wrong(
                "as much as its limit allows: 16 MiB",
                "A limit says how much may come; it doesn't reserve anything. This length is refused. And the \
                 longest one that's allowed, with only 4 bytes after it, made the servers' memory grow by 148 KiB \
                 at most, in our run.",
            ),
            right(
                "less than 1 MiB",
                "The length is checked before it's believed, and this one is refused. Even the longest \
                 one that's allowed gets no memory before its bytes arrive: the servers used 148 KiB more at \
                 most, in our run.",
            ),
        ],
    },
    run,
};

const SERVERS: [(&str, &str, &str); 3] = [
    ("struct", "fix-struct-prefix-server", "fix-struct-prefix-client"),
    ("json", "fix-json-header-server", "fix-json-header-client"),
    ("threaded", "threaded-server", "threaded-client"),
];
const BEYOND_LIMIT: i32 = i32::MAX;
const AT_LIMIT: i32 = proto::MAX_FRAME as i32;
/// By how much a server may have grown, in KiB. In 150 runs, some with both cores busy, it was 52 at most; a decoder that
/// makes room for the promise, built in as a test, took 16 MiB.
const BOUND: u64 = 1024;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    let servers = SERVERS.map(|(_, server, _)| CommandLine::new(server, &[]));
    scene.terminals(&[&servers[0]])?;
    scene.then(
        "the experiment connects, sends ff ff ff 7f (2147483647), reads to the end; connects again, \
         sends 00 00 00 01 (16777216), `echo`, half-closes, reads to the end",
    )?;
    scene.then("and the same with the other servers:")?;
    scene.then_type(&servers[1])?;
    scene.then_type(&servers[2])?;
    scene.blank()?;
    let mut table = "most memory  after a command  after both promises      more\n".to_owned();
    let mut most = 0;
    for ((label, _, client), typed) in SERVERS.iter().zip(&servers) {
        let server = scene.server(label, typed, "127.0.0.1")?;
        let address = server.address()?;
        // First a proper command: the memory that a server needs for its normal work doesn't count.
        scene.client("client", &CommandLine::new(client, &["-c", "echo hi"]), &address)?.end()?;
        let before = resident(&server)?;
        let beyond = promise(&address, BEYOND_LIMIT, b"").map_err(SetupError::peer("promising"))?;
        let at = promise(&address, AT_LIMIT, b"echo").map_err(SetupError::peer("promising"))?;
        let after = resident(&server)?;
        let server = server.stop()?;
        scene.says(label, reason(&server.complaint()))?;
        let more = after.saturating_sub(before);
        table += &format!("{label:<11}  {before:>11} KiB  {after:>15} KiB  {more:>4} KiB\n");
        findings.equal(
            &format!("{label}: bytes answered to what is no message:"),
            (beyond, at),
            (0, 0),
        );
        findings.holds(more < BOUND, &format!("{label} to take less than 1 MiB more"), more);
        most = most.max(more);
    }
    scene.table(&table)?;
    scene.came(match most {
        0..BOUND => "less than 1 MiB",
        BOUND..1_048_576 => "as much as its limit allows: 16 MiB",
        _ => "2 GiB",
    });

    // And the other way round: a server that promises too much.
    let client = CommandLine::new("fix-struct-prefix-client", &["-c", "echo hi"]);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(SetupError::peer("listening"))?;
    let address = listener.local_addr().map_err(SetupError::peer("listening"))?.to_string();
    scene.terminals(&[&client])?;
    scene.then("to a server of the experiment's own, which answers ff ff ff 7f")?;
    scene.blank()?;
    thread::spawn(move || listener.accept().and_then(|(conn, _)| answer_with_a_promise(conn)));
    let client = scene.client("client", &client, &address)?.end_somehow()?;
    scene.says("client", reason(&client.complaint()))?;
    scene.says(
        "client",
        format!("(exit code {})", client.code.map_or("none".into(), |code| code.to_string())),
    )?;
    findings.equal("the client's exit code:", client.code, Some(5));
    Ok(findings.verdict(
        "no server allocated 1 MiB for the promise, and none answered it; the client refused, too",
    ))
}

/// Sends a length and the beginning of a message; returns how many bytes came back before the server closed.
fn promise(address: &str, length: i32, begun: &[u8]) -> io::Result<usize> {
    let mut conn = TcpStream::connect(address)?;
    conn.set_read_timeout(Some(TIMEOUT))?;
    conn.write_all(&[&length.to_le_bytes(), begun].concat())?;
    if !begun.is_empty() {
        conn.shutdown(Shutdown::Write)?;
    }
    conn.read_to_end(&mut Vec::new())
}

/// What was expected and what arrived, without the names before it and the advice after it.
fn reason(complaint: &str) -> String {
    let reason = |line: &str| {
        let line = line.split_once(": serving: ").map_or(line, |(_, reason)| reason);
        let line = line.split_once(": waiting for the answer: ").map_or(line, |(_, reason)| reason);
        format!("{}\n", line.split_once("; ").map_or(line, |(reason, _)| reason))
    };
    complaint.lines().map(reason).collect()
}

/// To whatever command.
fn answer_with_a_promise(mut conn: TcpStream) -> io::Result<()> {
    let mut length = [0; 4];
    conn.read_exact(&mut length)?;
    let mut command = vec![0; i32::from_le_bytes(length).clamp(0, 1024) as usize];
    conn.read_exact(&mut command)?;
    conn.write_all(&BEYOND_LIMIT.to_le_bytes())?;
    conn.read_to_end(&mut Vec::new()).map(drop)
}

/// The most memory that a program has had in use at one time, in KiB.
#[cfg(target_os = "linux")]
fn resident(program: &Actor) -> Result<u64, SetupError> {
    let path = format!("/proc/{}/status", program.pid());
    let status = std::fs::read_to_string(path).map_err(SetupError::peer("reading /proc"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    number(peak.unwrap_or_default().trim().trim_end_matches(" kB"))
}

/// The memory that a program has in use, in KiB: other systems don't report the maximum.
#[cfg(not(target_os = "linux"))]
fn resident(program: &Actor) -> Result<u64, SetupError> {
    let mut ps = std::process::Command::new("ps");
    let ps = ps.args(["-o", "rss=", "-p", &program.pid().to_string()]).output();
    number(String::from_utf8_lossy(&ps.map_err(SetupError::peer("asking ps"))?.stdout).trim())
}

fn number(text: &str) -> Result<u64, SetupError> {
    let wrong =
        |_| io::Error::new(io::ErrorKind::InvalidData, format!("expected KiB, got \"{text}\""));
    text.parse().map_err(wrong).map_err(SetupError::peer("asking for a program's memory"))
}
