//! AF_UNIX: the endpoint is a file, and the calls are those of TCP.

use crate::command_line::CommandLine;
use crate::experiments::Experiment;
use crate::prediction::{Prediction, right, wrong};
use crate::scene::Scene;
use crate::setup_error::SetupError;
use crate::verdict::{Findings, Verdict};
use std::fs;
use std::os::unix::fs::FileTypeExt;

pub const EXPERIMENT: Experiment = Experiment {
    name: "unix",
    claim: "over AF_UNIX a file names the endpoint; the calls are the same",
    prediction: Prediction {
        question: "our server, which cleans up after itself, listens at a path in the file system. A client sends \
                   it `hello`, and the server ends. What is at that path while the server runs, and what is there \
                   afterwards?",
        choices: &[
            right(
                "a socket, and nothing afterwards",
                "`bind` creates the file, which holds no bytes: it's only an address. Closing the socket wouldn't \
                 remove it, so our server deletes it before it ends.",
            ),
            wrong(
                "a file with hello in it, and it stays",
                "The file is only a name: its size stays 0. The bytes go from one program to the other through \
                 the kernel's buffers, as with TCP.",
            ),
            wrong(
                "a socket, and it stays",
                "It would stay if the server only closed its socket, and then the next `bind` would fail with \
                 \"Address already in use\". Ours deletes the file before it ends.",
            ),
        ],
    },
    run,
};

fn run(scene: &mut Scene) -> Result<Verdict, SetupError> {
    let (server, client) =
        (CommandLine::new("af-unix-server", &[]), CommandLine::new("af-unix-client", &[]));
    scene.terminals(&[&server, &client])?;
    scene.blank()?;
    let file = scene.directory().join("socket");
    let path = file.to_string_lossy();
    let server = scene.start("server", &server, &["--path", &path])?;
    let address = server.address()?;
    scene.says("server", format!("listening on {address}"))?;
    let is_socket = fs::metadata(&file).is_ok_and(|file| file.file_type().is_socket());
    let client = scene.start("client", &client, &["--path", &path])?.end()?;
    let server = server.end()?;
    scene.says("client", &client.stdout)?;
    scene.says("server", server.said_then())?;

    scene.came(match (is_socket, file.exists()) {
        (true, false) => "a socket, and nothing afterwards",
        (true, true) => "a socket, and it stays",
        (false, _) => "something else",
    });
    let mut findings = Findings::default();
    findings.equal("the server to listen on", address.as_str(), &path);
    findings.equal("a socket at that path:", is_socket, true);
    findings.equal("the server to receive", server.moved("recv").concat(), b"hello".to_vec());
    findings.equal("the client to receive", client.moved("recv").concat(), b"hi".to_vec());
    findings.equal("the file to be there afterwards:", file.exists(), false);
    Ok(findings.verdict(
        "`hello` and `hi` went through a socket that a file names, and the file is gone again",
    ))
}
