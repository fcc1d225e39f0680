//! The largest datagram has 65,507 bytes; and one that's larger than a packet travels in several.
//!
//! The sizes follow from the formats: the length fields of IPv4 and UDP have 16 bits, and IPv4's header takes 20 bytes of
//! the 65,535, UDP's 8 (RFC 791, RFC 768). Loopback has packets of 65,536 bytes, so there each datagram is one packet. In a
//! network of the run's own (Linux) loopback gets packets of 1,500 bytes, as on an Ethernet. There the kernel's counter
//! of fragments counts nothing but ours.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use std::process::{Command, Stdio};

pub const EXPERIMENT: Experiment = Experiment {
    name: "udp-size",
    claim: "a datagram has at most 65507 bytes; above the size of a packet it travels in several",
    prediction: Prediction {
        question: "on Linux, and on a network that loses nothing and whose packets hold at most 1500 bytes, a \
                   program sends a datagram of 65,507. What happens?",
        choices: &[
            right(
                "one recvfrom gets all of it",
                "IP cuts the datagram into 45 packets, and the receiving kernel puts it together again. A \
                 datagram arrives whole or not at all, so if one of the 45 is lost, all of it is.",
            ),
            wrong(
                "sendto fails",
                "It does for 65,508 bytes (\"Message too long\"), but 65,507 are just allowed. And a datagram may \
                 well be larger than a packet: IP cuts it into fragments.",
            ),
            wrong(
                "45 recvfroms get a piece each",
                "It does travel in 45 packets, but that's IP's business. The receiving kernel collects them \
                 all and hands over one datagram: one `recvfrom` returns 65,507 bytes.",
            ),
        ],
    },
    run,
};

const SIZES: [usize; 5] = [0, 1472, 1473, 65_507, 65_508];
/// The packets that each of them takes where a packet has 1500 bytes, 20 of them IPv4's header: of 1480 bytes each, for
/// the datagram with UDP's header. `None`: it can't be sent.
const PACKETS: [Option<u64>; 5] = [Some(1), Some(1), Some(2), Some(45), None];

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let size = CommandLine::new("udp-basic-size", &[]);
    scene.terminals(&[&size])?;
    scene.then("and again in a network of its own, with packets of 1500 bytes")?;
    scene.blank()?;
    let here = scene.start("here", &size, &[])?.end()?;
    // Here the number of packets depends on the loopback, and everybody's packets are counted.
    let plain: String = here
        .said()
        .lines()
        .map(|line| line.split(", in ").next().unwrap_or(line).to_owned() + "\n")
        .collect();
    scene.says("here", &plain)?;
    let mut findings = Findings::default();
    for (size, line) in SIZES.iter().zip(plain.lines()) {
        let got_all = line.ends_with(&format!("bytes: {size} received"));
        findings.equal(&format!("{size} bytes arrive:"), got_all, *size <= 65_507);
    }
    findings.equal("lines", plain.lines().count(), SIZES.len());

    let mut last = plain;
    match small_packets() {
        Err(why) => scene.text(&format!("Fragments not counted: {why}\n"))?,
        Ok(through) => {
            let small = scene.start_through(&through, "1500", &size, &[])?.end()?;
            scene.says("1500", small.said())?;
            let packets: Vec<Option<u64>> = small.said().lines().map(packets).collect();
            findings.equal("packets", packets.as_slice(), &PACKETS[..]);
            last = small.said();
        }
    }
    scene.came(match last.contains("65507 received") {
        true => "one recvfrom gets all of it",
        false => "sendto fails",
    });
    Ok(findings
        .verdict("65508 bytes are refused; 65507 arrive whole, however many packets they take"))
}

/// "…, in 45 packets"
fn packets(line: &str) -> Option<u64> {
    line.split(", in ").nth(1)?.split(' ').next()?.parse().ok()
}

/// The words in front of a command that run it where loopback has packets of 1500 bytes; or why that can't be.
fn small_packets() -> Result<Vec<String>, String> {
    // A user's PATH often lacks the folder of `ip`.
    let script = "PATH=\"$PATH:/usr/sbin:/sbin\"; ip link set lo up mtu 1500 && exec \"$@\"";
    let through = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, "sh"];
    let mut tried = Command::new(through[0]);
    tried.args(&through[1..]).arg("true").stdin(Stdio::null());
    match tried.output() {
        Ok(done) if done.status.success() => Ok(through.map(str::to_owned).to_vec()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        Err(error) => Err(format!("unshare: {error}")),
    }
}
