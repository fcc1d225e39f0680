//! A receive loop must count the bytes that arrived. Counting the bytes you asked for works only while every recv is full.
//!
//! The relay cuts the stream: it sends a piece, and holds the next until the reader has taken it.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::many_runs;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Ended, Scene, TIMEOUT};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};

pub const EXPERIMENT: Experiment = Experiment {
    name: "short-read",
    claim: "a client that counts what it asked for loses data as soon as the stream is cut; ours does not",
    prediction: Prediction {
        question: "an answer of 2292 bytes comes with four bytes of length in front. The stream arrives in pieces \
                   of 100, one for each `recv`, and the client has read the length. Then its loop is `while \
                   received < length { recv(1024); received += 1024 }`. What does it print?",
        choices: &[
            wrong(
                "all 2292 bytes",
                "It counts what it asked for. After three calls it has counted 3072 bytes and stops, but the \
                 three returned 96, 100 and 100.",
            ),
            wrong(
                "nothing: it waits forever",
                "A loop that counted right would wait for the rest, and get it. This one stops too early: \
                 after three calls it believes that it has 3072 bytes, and it has 296.",
            ),
            right(
                "the first 296 bytes",
                "Three calls are enough to count to 3072, but they returned 96, 100 and 100 bytes. (The first \
                 piece of 100 also had the four bytes of the length in it.) Count what came, not what you \
                 asked for.",
            ),
        ],
    },
    run,
};

/// 2292 bytes: even when nothing is cut, recv(1024) is needed three times.
const ANSWER: &str = "seq 1 600";
const CUTS: usize = 200;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("fix-struct-prefix-server", &["--requests", "raw"]);
    let (wrong, right) = clients(&["-c", ANSWER, "-c", "echo next"]);
    let cut = CommandLine::new("relay", &["--cut", "100", "--direction", "to-client"])
        .at("--to", "127.0.0.1:8888");
    scene.terminals(&[&server, &cut, &wrong, &right])?;
    scene.blank()?;

    let first = scene.server("server", &server, "127.0.0.1")?;
    let relay = scene.relay(&cut, &first.address()?)?;
    let asked = scene.client("asked", &wrong, &relay.address()?)?.end_somehow()?;
    let came = scene.client("came", &right, &relay.address()?)?.end()?;
    relay.stop()?;
    scene.says("asked", asked.complaint())?;
    let whole: String = (1..=600).map(|n| format!("{n}\n")).collect();
    scene.says("asked", printed(&asked, whole.len()))?;
    scene.says("came", printed(&came, whole.len()))?;
    scene.came(match asked.stdout.len() {
        0 => "nothing: it waits forever".to_owned(),
        all if all >= whole.len() => "all 2292 bytes".to_owned(),
        some => format!("the first {some} bytes"),
    });
    let mut findings = Findings::default();
    findings.equal("bytes that the wrong client printed:", asked.stdout.len(), 296);
    findings.equal("its exit code", asked.code, Some(5));
    findings.equal("what the right client printed", came.said(), format!("{whole}next\n"));

    // Each server serves one client at a time; with one each, the two clients run side by side.
    let second = scene.start("second", &server, &["--listen", "127.0.0.1:0"])?;
    let (wrong, right) = clients(&["-c", ANSWER]);
    let (mut asked_whole, mut came_whole) = (0, 0);
    let (seed, of_random_sizes) = (scene.seed(), scene.trials(20) as usize);
    let random =
        (seed..).take(of_random_sizes).map(|seed| format!("cut=random:1..{CUTS} seed={seed}"));
    for cut in (1..=CUTS).map(|bytes| format!("cut={bytes}")).chain(random) {
        let schedule = format!("{cut} direction=to-client");
        let to_wrong = many_runs::relay(&schedule, &first.address()?)?;
        let to_right = many_runs::relay(&schedule, &second.address()?)?;
        let asked = many_runs::client(&wrong, &to_wrong)?;
        let came = many_runs::client(&right, &to_right)?.wait(TIMEOUT)?;
        asked_whole += usize::from(asked.wait(TIMEOUT)?.stdout == whole.as_bytes());
        came_whole += usize::from(came.stdout == whole.as_bytes());
    }
    scene.text(&format!(
        "answers that came whole, cut to pieces of 1, of 2, and so on to {CUTS} bytes, \
         and {of_random_sizes} times of random sizes (from seed {seed} on)\n\n"
    ))?;
    scene.count("counts what it asked for", asked_whole, CUTS + of_random_sizes)?;
    scene.count("counts what came", came_whole, CUTS + of_random_sizes)?;
    // Three recvs of at most 200 bytes can't return 2292. A reader finds two pieces in one recv only if it isn't scheduled
    // for half a second, which is how long the relay holds a piece; to read everything that way, it would have to happen
    // again and again.
    findings.equal("answers that the wrong client read whole:", asked_whole, 0);
    findings.equal("answers that the right client read whole:", came_whole, CUTS + of_random_sizes);
    Ok(findings.verdict("each cut made the first client lose data, and never the second"))
}

/// The one that counts what it asked for, and the one that counts what arrived.
fn clients(commands: &[&'static str]) -> (CommandLine, CommandLine) {
    let wrong = CommandLine::new("zoo-counts-asked", commands);
    let right =
        CommandLine::new("fix-struct-prefix-client", &[&["--requests", "raw"], commands].concat());
    let behind_relay = |typed: CommandLine| typed.at("--connect", "127.0.0.1:7777");
    (behind_relay(wrong), behind_relay(right))
}

fn printed(client: &Ended, length: usize) -> String {
    let (printed, code) = (client.stdout.len(), client.code.unwrap_or(-1));
    match printed.checked_sub(length) {
        Some(next) => {
            format!("(prints {length} bytes, then {next} of the next answer; exit code {code})")
        }
        None => format!("(prints {printed} of {length} bytes; exit code {code})"),
    }
}
