//! Case 1: two sends, and one recv takes both.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use timeline::Stream;

pub const EXPERIMENT: Experiment = Experiment {
    name: "case1",
    claim: "a client sends `hello` and `hi`; the server's first recv(1024) takes both as `hellohi`",
    prediction: Prediction {
        question: "a client sends `hello`, then `hi`, and closes. Only then does the server read: \
                   `recv(1024)`, twice. What does it print?",
        choices: &[
            wrong(
                "info_1: hello, info_2: hi",
                "Two sends aren't two messages. By the time the server reads, the seven bytes are side by side \
                 in its kernel, and `recv(1024)` takes whatever is there, up to 1024 bytes.",
            ),
            right(
                "info_1: hellohi, info_2: (nothing)",
                "TCP keeps the order of the bytes, and nothing else. When the server read, all seven were \
                 there, and the first `recv(1024)` took them. The second one found the end of the stream: 0 \
                 bytes.",
            ),
            wrong(
                "info_1: hellohi, then it waits",
                "A second `recv` would wait if more could still come. But the client has closed, so it returns at \
                 once with 0 bytes: the end of the stream.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let mut findings = Findings::default();
    let info = two_reads(scene, &["two-reads", "--hold", "--reads", "1024,1024"])?;
    scene.came(on_one_line(&info));
    findings.equal("the server to say", info.as_str(), "info_1: hellohi\ninfo_2: \n");
    Ok(findings.verdict("two sends came as one, and the second recv found the end of the stream"))
}

/// Has a client send `hello` and `hi` while the server holds, then lets the server read; returns what it printed.
///
/// The kernel completes the connection and keeps both sends until the server accepts. The client ends when everything it
/// sent has been acknowledged. So both sends are there before the first recv, every time and without a pause.
pub fn two_reads(scene: &mut Scene, reads: &[&'static str]) -> Result<String, SetupError> {
    let server = CommandLine::new("sticky-packet-repro-server", reads);
    let client = CommandLine::new("sticky-packet-repro-client", &["two-sends"]);
    scene.terminals(&[&server, &client])?;
    scene.then("and when it has ended, press Enter in terminal 1")?;
    scene.blank()?;

    let mut server = scene.server("server", &server, "127.0.0.1")?;
    let client = scene.client("client", &client, &server.address()?)?.end()?;
    server.write(b"\n")?;
    let server = server.end()?;
    if !client.stdout.is_empty() {
        scene.says("client", &client.stdout)?;
    }
    scene.says("server", server.said_then())?;
    scene.picture(
        &Stream::from_events(&client.events, &server.events)?.between("client", "server"),
    )?;
    Ok(server.said_then())
}

/// What the server printed, as in the choices of a prediction. There an empty rest would look cut off.
pub fn on_one_line(said: &str) -> String {
    let lines = said.lines().map(|line| match line.ends_with(": ") {
        true => format!("{line}(nothing)"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join(", ")
}
