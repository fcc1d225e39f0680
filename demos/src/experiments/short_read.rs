//! A receive loop must count the bytes that came. Who counts those it asked for is right while every recv is full.
//!
//! The relay cuts the stream: it sends a piece, and holds the next until the reader has taken it.

use crate::experiments::Experiment;
use crate::prediction::Prediction;
use crate::scene::{Ended, Scene};
use crate::trouble::Trouble;
use crate::typed::Typed;
use crate::verdict::{Findings, Verdict};
use relay::Relay;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

pub const EXPERIMENT: Experiment = Experiment {
    name: "short-read",
    claim: "who counts what it asked for loses data when the stream is cut; who counts what came does not",
    prediction: Some(Prediction {
        question: "an answer of 2292 bytes comes in pieces of 100. The client's loop: while received < length { recv(1024); received += 1024 }. What does it print?",
        choices: &["all 2292 bytes", "the first 296 bytes", "nothing: it waits for ever"],
    }),
    run,
};

/// 2292 bytes: even when nothing is cut, recv(1024) is needed three times.
const ANSWER: &str = "seq 1 600";
const CUTS: usize = 200;

fn run(scene: &mut Scene) -> Result<Verdict, Trouble> {
    let server = Typed::new("fix-struct-prefix-server", &["--requests", "raw"]);
    let (wrong, right) = clients(&["-c", ANSWER, "-c", "echo next"]);
    let cut = Typed::new("relay", &["--cut", "100", "--direction", "to-client"])
        .at("--to", "127.0.0.1:8888");
    scene.terminals(&[&server, &cut, &wrong, &right])?;
    scene.blank()?;

    let first = scene.server("server", &server, "127.0.0.1")?;
    let relay = scene.relay(&cut, &first.address()?)?;
    let asked = scene.client("asked", &wrong, &relay.address()?)?.end_somehow()?;
    let came = scene.client("came", &right, &relay.address()?)?.end()?;
    relay.stop()?;
    scene.lane("asked", asked.complaint())?;
    let whole: String = (1..=600).map(|n| format!("{n}\n")).collect();
    scene.lane("asked", printed(&asked, whole.len()))?;
    scene.lane("came", printed(&came, whole.len()))?;
    scene.came(match asked.stdout.len() {
        0 => "nothing: it waits for ever".to_owned(),
        all if all >= whole.len() => "all 2292 bytes".to_owned(),
        some => format!("the first {some} bytes"),
    });
    let mut findings = Findings::default();
    findings.equal("bytes that the wrong client printed:", asked.stdout.len(), 296);
    findings.equal("its exit code", asked.code, Some(5));
    findings.equal("what the right client printed", came.said(), format!("{whole}next\n"));

    // Each server serves one client at a time; with one each, the two clients run side by side.
    let second = scene.start("second", &server, &["--listen", "127.0.0.1:0"])?;
    let servers = [first.address()?, second.address()?];
    let every = (1..=CUTS).map(|cut| format!("cut={cut}"));
    let of_every = answers_whole(scene, &servers, every, &whole)?;
    let (trials, seed) = (scene.trials(20) as usize, scene.seed());
    let seeds = (seed..).take(trials);
    let random = seeds.map(|seed| format!("cut=random:1..{CUTS} seed={seed}"));
    let of_random = answers_whole(scene, &servers, random, &whole)?;
    scene.text(&format!("in pieces of 1, of 2, … of {CUTS} bytes: answers that came whole\n"))?;
    scene.count("counts what it asked for", of_every[0], CUTS)?;
    scene.count("counts what came", of_every[1], CUTS)?;
    scene.text(&format!("in pieces at random, of 1 to {CUTS} bytes, from seed {seed} on\n"))?;
    scene.count("counts what it asked for", of_random[0], trials)?;
    scene.count("counts what came", of_random[1], trials)?;
    // Three recvs of at most 200 bytes bring no 2292. Only a reader that gets no turn for half a second, for so long the
    // relay holds a piece, finds two pieces in one recv; to read it all that way it would have to happen again and again.
    findings.equal("answers that the wrong client read whole:", of_every[0] + of_random[0], 0);
    findings.equal(
        "answers that the right client read whole:",
        of_every[1] + of_random[1],
        CUTS + trials,
    );
    Ok(findings.verdict("every cut cost the one its data, and none the other"))
}

/// How many answers the wrong client and the right one read whole, one behind each schedule.
fn answers_whole(
    scene: &mut Scene,
    servers: &[String; 2],
    schedules: impl Iterator<Item = String>,
    whole: &str,
) -> Result<[usize; 2], Trouble> {
    let (wrong, right) = clients(&["-c", ANSWER]);
    let mut count = [0, 0];
    for schedule in schedules {
        let schedule = format!("{schedule} direction=to-client");
        let to_wrong = relay_to(&servers[0], &schedule)?;
        let to_right = relay_to(&servers[1], &schedule)?;
        let asked = scene.client("asked", &wrong, &to_wrong.address().to_string())?;
        let came = scene.client("came", &right, &to_right.address().to_string())?.end()?;
        count[0] += usize::from(asked.end_somehow()?.said() == whole);
        count[1] += usize::from(came.said() == whole);
    }
    Ok(count)
}

/// The one that counts what it asked for, and the one that counts what came.
fn clients(commands: &[&'static str]) -> (Typed, Typed) {
    let wrong = Typed::new("zoo-counts-asked", commands);
    let right =
        Typed::new("fix-struct-prefix-client", &[&["--requests", "raw"], commands].concat());
    let behind_relay = |typed: Typed| typed.at("--connect", "127.0.0.1:7777");
    (behind_relay(wrong), behind_relay(right))
}

/// A relay in this process: four hundred programs more would take longer to start than to run.
fn relay_to(server: &str, schedule: &str) -> Result<Relay, Trouble> {
    let start = || -> Result<Relay, Box<dyn Error + Send + Sync>> {
        let server: SocketAddr = server.parse()?;
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Relay::start(anywhere, server, schedule.parse()?)?)
    };
    start().map_err(|error| Trouble::peer("starting a relay")(io::Error::other(error)))
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
