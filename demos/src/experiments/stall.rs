//! Two writes for one answer, and the second waits for 40 ms, though nobody asked for that.
//!
//! The server's kernel holds back a small segment while an earlier one is not acknowledged (Nagle's algorithm, RFC 9293,
//! 3.7.4). The client's kernel puts off the acknowledgment, in the hope of sending something along with it (RFC 9293,
//! 3.8.6.3). Each waits for the other until the client's timer ends it: on Linux after 40 ms at least
//! (`TCP_DELACK_MIN`, include/net/tcp.h).

use crate::command_line::CommandLine;
use crate::exchange::{Exchange, exchanges};
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::samples::Samples;
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "stall",
    claim: "length and answer in two writes stall for about 40 ms an answer; one vectored write does not",
    prediction: Prediction {
        question: "on Linux, a server sends the four bytes of the length, and then, with a second `send`, the \
                   answer. From the second answer on, how much longer does each take than with one `send` for \
                   both?",
        choices: &[
            wrong(
                "no longer: sending takes microseconds",
                "The call does return at once, but the bytes don't leave. The server's kernel holds them back \
                 until the length is acknowledged, and the client's kernel puts that off: by about 40 ms on \
                 Linux.",
            ),
            right(
                "about 40 ms longer",
                "Two kernels wait for each other. The server's waits until the length is acknowledged (Nagle's \
                 algorithm). The client's waits for data that the acknowledgement could travel with, and on \
                 Linux gives up after about 40 ms.",
            ),
            wrong(
                "about 200 ms longer",
                "BSD's kernels may put an acknowledgement off that long, and on Linux, the timer that sends a \
                 lost packet again waits that long, at least. Nothing is lost here, and Linux puts this \
                 acknowledgement off by about 40 ms.",
            ),
        ],
    },
    run,
};

const ECHO: &str = "echo hi";

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let trials = scene.trials(12) as usize;
    let two = CommandLine::new("zoo-two-writes", &[]).at("--listen", "127.0.0.1:8888");
    let one = CommandLine::new("fix-struct-prefix-server", &[]);
    let client = CommandLine::new("fix-struct-prefix-client", &["-c", ECHO].repeat(trials));
    let shown = CommandLine::new("fix-struct-prefix-client", &["-c", ECHO, "-c", ECHO]);
    scene.terminals(&[&two, &shown])?;
    scene.then(&format!("and so on, {trials} times on one connection; then in terminal 1"))?;
    scene.then_type(&one)?;
    scene.blank()?;
    let two = ask(scene, "two", &two, &client)?;
    let one = ask(scene, "one", &one, &client)?;

    scene.text("the answer in the middle, as its client received it\n")?;
    scene.says("two", as_received(middle(&two)))?;
    scene.says("one", as_received(middle(&one)))?;
    scene.blank()?;
    let samples = |all: &[Exchange], what: fn(&Exchange) -> f64| {
        Samples::new(all.iter().map(what).collect(), " ms")
    };
    scene.measured("two writes: command to answer", &samples(&two, Exchange::took))?;
    scene.measured("one write: command to answer", &samples(&one, Exchange::took))?;
    let (waited_two, waited_one) =
        (samples(&two, Exchange::waited_inside), samples(&one, Exchange::waited_inside));
    scene.measured("two writes: first byte to last", &waited_two)?;
    scene.measured("one write: first byte to last", &waited_one)?;

    if cfg!(not(target_os = "linux")) {
        let why = "the system decides how long to delay an acknowledgement; on Linux it's 40 ms";
        return Ok(Verdict::NotTested(why.to_owned()));
    }
    // Linux delays an acknowledgment for 40 ms at least. On a busy machine a client that is scheduled late sees less of
    // the wait, or none; so we ask only that a quarter of the answers show half of it. An answer in one write
    // arrives in one recv, however busy the machine is, and waits for nothing.
    let mut findings = Findings::default();
    findings.equal("answers in two writes:", two.len(), trials);
    findings.equal("answers in one write:", one.len(), trials);
    let stalled = |all: &[Exchange]| all.iter().filter(|one| one.waited_inside() >= 20.0).count();
    let (two, one) = (stalled(&two), stalled(&one));
    let stalls = 4 * two >= trials;
    scene.came(match (stalls, waited_two.median()) {
        (false, _) => "no longer: sending takes microseconds",
        (true, ..150.0) => "about 40 ms longer",
        (true, _) => "about 200 ms longer",
    });
    findings.holds(stalls, "a quarter of the two writes to wait 20 ms at least", two);
    findings.equal("answers in one write that waited so long:", one, 0);
    Ok(findings.verdict("the answer came long after its length; in one write both came together"))
}

/// The client's commands, one after the other on one connection.
fn ask(
    scene: &mut Scene,
    label: &str,
    server: &CommandLine,
    client: &CommandLine,
) -> Result<Vec<Exchange>, SetupError> {
    let server = scene.server(label, server, "127.0.0.1")?;
    let client = scene.client("client", client, &server.address()?)?.end()?;
    Ok(exchanges(&client.events, ECHO.as_bytes()))
}

/// The exchange with the median wait: the most typical one.
fn middle(all: &[Exchange]) -> Option<&Exchange> {
    let mut all: Vec<&Exchange> = all.iter().collect();
    all.sort_by(|a, b| a.waited_inside().total_cmp(&b.waited_inside()));
    all.get(all.len().saturating_sub(1) / 2).copied()
}

fn as_received(exchange: Option<&Exchange>) -> String {
    let brought = exchange.map_or(&[][..], |exchange| &exchange.brought);
    let line =
        |(when, got): &(f64, u64)| format!("after {when:>5.1} ms a recv returned {got} bytes\n");
    brought.iter().map(line).collect()
}
