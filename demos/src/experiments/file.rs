//! A file is cut off in the middle. The second run sends only the rest, and the checksum tells whether it fits.
//!
//! The relay closes after a fixed number of bytes, header included, so it's always the same byte that's the last. Then a
//! byte of what the server has kept is changed on the disk: no protocol can prevent that, but the checksum shows it.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::{Ended, Scene};
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use std::fs;
use std::io;
use std::path::Path;

pub const EXPERIMENT: Experiment = Experiment {
    name: "file",
    claim: "a file that was cut off goes on where it stopped; a wrong byte in it does not pass",
    prediction: Prediction {
        question: "a client sends a header with a checksum, then a file of 1,000,000 bytes, and is cut off after \
                   about 300,000. Now one of those 300,000 bytes changes on the server's disk. Then the client \
                   sends the rest, without an error. What does the server do?",
        choices: &[
            wrong(
                "it keeps the file: TCP has checked every byte",
                "TCP checks bytes while they travel. This one changed later, on the disk. Only a checksum over \
                 the whole file notices that, and here there is one.",
            ),
            wrong(
                "it asks for the wrong byte again",
                "It doesn't know which byte that is. A checksum over the whole file says that something is wrong, \
                 not where. To ask for one byte, it would need a checksum for each part.",
            ),
            right(
                "it refuses the file, and the next run sends all of it",
                "The checksum of the whole file doesn't match. It can't say which byte is wrong, so the server \
                 deletes what it has, and the next run sends all 1,000,000 bytes.",
            ),
        ],
    },
    run,
};

const SIZE: usize = 1_000_000;
/// What passes to the server before the relay closes, header included.
const CUT: u64 = 300_000;

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let server = CommandLine::new("file-transfer-server", &[]);
    let relay = CommandLine::new("relay", &["--close-after", "300000", "--direction", "to-server"])
        .at("--to", "127.0.0.1:8888");
    let client = || CommandLine::new("file-transfer-client", &[]).with_file("big.bin");
    let behind_relay = client().at("--connect", "127.0.0.1:7777");
    scene.terminals(&[&server, &relay, &behind_relay])?;
    scene.then("that one is cut off. Say it again, without the relay:")?;
    scene.then_type(&client())?;
    scene.blank()?;

    let folder = scene.directory().join("received");
    let part = folder.join("big.bin.part");
    let place = ["--listen", "127.0.0.1:0", "--folder", &text(&folder)];
    let server = scene.start("server", &server, &place)?;
    let address = server.address()?;
    scene.says("server", format!("listening on {address}"))?;
    let relay = scene.relay(&relay, &address)?;
    let file = scene.directory().join("big.bin");
    let bytes: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    fs::write(&file, &bytes).map_err(SetupError::peer("making a file"))?;
    let start = |scene: &mut Scene, typed: &CommandLine, to: &str| {
        scene.start("client", typed, &["--connect", to, &text(&file)])?.end_somehow()
    };

    let cut = start(scene, &behind_relay, &relay.address()?)?;
    server.wait_for_line(stage::Stream::Stderr, "file-transfer-server: ", crate::scene::TIMEOUT)?;
    let kept = length(&part);
    scene.says("client", format!("(cut off: exit code {})", cut.code.unwrap_or(-1)))?;
    scene.says("server", format!("(keeps {kept} bytes as big.bin.part)"))?;
    let rest = start(scene, &client(), &address)?;
    scene.says("client", &rest.stdout)?;
    let came = fs::read(folder.join("big.bin")).unwrap_or_default();

    // Again from the beginning of the second run, but with a byte of the first that changes on the disk.
    let spoil = || -> io::Result<()> {
        fs::remove_file(folder.join("big.bin"))?;
        let mut kept = bytes[..kept as usize].to_vec();
        kept[100_000] ^= 1;
        fs::write(&part, kept)
    };
    spoil().map_err(SetupError::peer("changing a byte"))?;
    scene.text(
        "once more; this time one bit of byte 100000 changes in big.bin.part before the rest is sent\n\n",
    )?;
    let refused = start(scene, &client(), &address)?;
    scene.says("client", short(&refused.complaint()))?;
    scene.says("client", format!("(exit code {})", refused.code.unwrap_or(-1)))?;
    let gone = !part.exists();
    let again = start(scene, &client(), &address)?;
    scene.says("client", &again.stdout)?;
    relay.stop()?;
    server.stop()?;

    scene.blank()?;
    let headers = [sent(&rest), sent(&again)].map(|all| all.first().map_or(0, Vec::len));
    let bodies = [sent(&rest), sent(&again)].map(|all| all.concat().len());
    let sent = [bodies[0] - headers[0], bodies[1] - headers[1]];
    scene.count("bytes sent after the cut", sent[0], SIZE)?;
    scene.count("after the wrong byte", sent[1], SIZE)?;
    scene.came(match refused.code {
        Some(0) => "it keeps the file: TCP has checked every byte",
        _ => "it refuses the file, and the next run sends all of it",
    });

    let mut findings = Findings::default();
    findings.equal("the exit code of the client that was cut off", cut.code, Some(4));
    findings.equal("bytes kept, with the header:", kept + headers[0] as u64, CUT);
    findings.equal("bytes sent after the cut:", sent[0] as u64, SIZE as u64 - kept);
    findings.holds(came == bytes, "the same bytes at the other end", came.len());
    findings.equal("the exit code with a wrong byte", refused.code, Some(5));
    findings.holds(gone, "nothing kept of the wrong bytes", "big.bin.part");
    findings.equal("bytes sent after the wrong byte:", sent[1], SIZE);
    let came = fs::read(folder.join("big.bin")).unwrap_or_default();
    findings.holds(came == bytes, "the same bytes in the end", came.len());
    Ok(findings.verdict("only the rest was sent again; with a wrong byte the file was refused"))
}

/// What a client sent, a call each: first the header.
fn sent(client: &Ended) -> Vec<Vec<u8>> {
    client.moved("send")
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// A checksum has 64 digits, and the first eight tell it from another one.
fn short(text: &str) -> String {
    let digits =
        |word: &str| word.len() >= 64 && word.bytes().take(64).all(|b| b.is_ascii_hexdigit());
    let words = text.trim_end().split(' ').map(|word| match digits(word) {
        true => format!("{}…{}", &word[..8], &word[64..]),
        false => word.to_owned(),
    });
    let said = words.collect::<Vec<_>>().join(" ");
    said.split_once("the server says: ").map_or(said.clone(), |(_, said)| said.to_owned())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
