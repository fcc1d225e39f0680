//! Python's `struct` without `<`, `>` or `!` packs as C lays out a struct: with the sizes, the order and the padding of
//! this machine.
//!
//! Rust shows what C does (`#[repr(C)]`), without Python. If Python is there, it says the same, and sends it.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use std::process::{Command, Stdio};

pub const EXPERIMENT: Experiment = Experiment {
    name: "padding",
    claim: "`ci` packs 5 bytes of data into 8; a receiver that expects 5 reads another number",
    prediction: Prediction {
        question: "a sender packs a letter and the number 21 as `ci`. A receiver takes 5 bytes and unpacks them \
                   as `<ci`: a letter, then a 4-byte number, little-endian. Both run on the same little-endian \
                   machine. Which number does it read?",
        choices: &[
            wrong(
                "21",
                "Without a `<`, `ci` is packed the way C lays out a struct: the number begins at a multiple of 4, \
                 after three bytes of padding. The receiver takes those three for the beginning of the number.",
            ),
            right(
                "352,321,536",
                "The sender packed `74 00 00 00 15 00 00 00`, and the receiver took the first five bytes. \
                 Where it expects the number, there are three bytes of padding and then the `15`, in the place \
                 that counts most: 21 × 2²⁴.",
            ),
            wrong(
                "0",
                "Three of the four bytes are padding, and zero. But the fourth is the `15` (21 in decimal), \
                 and in this order the last byte counts most: 21 × 2²⁴.",
            ),
        ],
    },
    run,
};

const METER: &str = "crates/fix-struct-prefix/tests/peers/meter.py";
const READINGS: &str = "crates/fix-struct-prefix/tests/peers/readings.py";
/// The number of the first reading, and what the meter makes of it when three zeros are in front.
const NUMBER: i32 = 21;
const MISREAD: i32 = 352_321_536;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let sizes = CommandLine::new("fix-struct-prefix-sizes", &[]);
    scene.terminals(&[&sizes])?;
    let sizes = scene.start("sizes", &sizes, &[])?.end()?;
    scene.table(&sizes.said())?;

    let mut findings = Findings::default();
    let said = sizes.said();
    let packed = |format: &str| {
        let line = said.lines().find(|line| line.starts_with(&format!("pack('{format}'")));
        let hex = line.and_then(|line| line.split_once(')')).map_or("", |(_, hex)| hex.trim());
        let byte = |hex: &str| u8::from_str_radix(hex, 16).ok();
        hex.split(' ').filter_map(byte).collect::<Vec<u8>>()
    };
    findings.equal("bytes of `<ci`:", packed("<ci").len(), 5);
    findings.equal("bytes of `ci`:", packed("ci").len(), 8);
    let number = packed("ci").get(1..5).and_then(|bytes| bytes.first_chunk().copied());
    let number = number.map_or(0, i32::from_le_bytes);
    findings.equal("the number in bytes 1 to 4 of `ci`", number, MISREAD);
    scene.came(match number {
        MISREAD => "352,321,536".to_owned(),
        other => other.to_string(),
    });

    if !has_python() {
        scene.text(
            "Not sent by Python: there is no python3 here, or one older than 3.8. The table above doesn't need it.\n",
        )?;
        return Ok(
            findings.verdict("three bytes of padding came first, and became part of the number")
        );
    }
    send(scene, &mut findings, "ci", &format!("b't' {MISREAD}"))?;
    send(scene, &mut findings, "<ci", &format!("b't' {NUMBER}"))?;
    Ok(findings.verdict(
        "sent as `ci`, every number came out wrong, and a byte was left over; sent as `<ci`, both were right",
    ))
}

/// Two readings from Python to Python, in this format; the meter should print the first one like this.
fn send(
    scene: &mut Scene,
    findings: &mut Findings,
    format: &'static str,
    first: &str,
) -> Result<(), SetupError> {
    scene.terminals(&[
        &CommandLine::new(METER, &["8888"]),
        &CommandLine::new(READINGS, &["8888", format]),
    ])?;
    scene.blank()?;
    let meter = scene.start("meter", &CommandLine::new(METER, &["0"]), &[])?;
    let address = meter.address()?;
    let port = address.rsplit(':').next().unwrap_or_default();
    scene.start("readings", &CommandLine::new(READINGS, &[format]), &[port])?.end()?;
    let meter = meter.end_somehow()?;
    let said = meter.said_then();
    scene.says("meter", format!("listening on {address}\n{said}"))?;
    // A traceback has paths of this machine; its last line is the error itself.
    let complaint = meter.complaint();
    let complaint = complaint.lines().last().unwrap_or_default();
    if !complaint.is_empty() {
        scene.says("meter", complaint)?;
    }
    findings.holds(said.lines().next().is_some_and(|line| line.ends_with(first)), first, &said);
    let expected = match format {
        "ci" => "struct.error: unpack requires a buffer of 5 bytes",
        _ => "",
    };
    findings.equal(&format!("after the readings of `{format}`"), complaint, expected);
    Ok(())
}

fn has_python() -> bool {
    let mut probe = Command::new(CommandLine::PYTHON);
    probe.args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
