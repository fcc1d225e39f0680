//! Two networks on this machine, and between them a line that delays each packet.
//!
//! A relay ends each TCP connection and begins another, so TCP itself never sees its delay. On this line the packets
//! really take time.

use crate::command_line::CommandLine;
use crate::scene::{Actor, Scene};
use crate::setup_error::SetupError;
use stage::Stream::Stdout;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// `relay-link`, while it joins its two ends.
pub struct LinkedNetworks {
    link: Actor,
    /// The commands that enter each end's network.
    left: Vec<String>,
    right: Vec<String>,
    token: PathBuf,
}

impl LinkedNetworks {
    /// Joins two networks. If this system doesn't allow it, the inner error says why.
    pub fn start(
        scene: &mut Scene,
        command_line: &CommandLine,
    ) -> Result<Result<LinkedNetworks, String>, SetupError> {
        let link = scene.start("link", command_line, &[])?;
        let said = link.wait_for_line(Stdout, "right: ", Duration::from_secs(20));
        let (Ok(right), Ok(left)) = (said, link.wait_for_line(Stdout, "left: ", Duration::ZERO))
        else {
            return Ok(Err(link.end_somehow()?.complaint().trim_end().to_owned()));
        };
        // Outside loopback a server asks for a token, in a file that nobody else may read.
        let token = scene.directory().join("token");
        let mut file = OpenOptions::new();
        let written = file.write(true).create_new(true).mode(0o600).open(&token);
        let written = written.and_then(|mut file| file.write_all(b"for this one experiment"));
        written.map_err(|source| SetupError::Save { path: token.clone(), source })?;
        let [left, right] = [left, right].map(|line| into_end(&line));
        Ok(Ok(LinkedNetworks { link, left, right, token }))
    }

    /// Starts a server at the left end.
    pub fn server(
        &self,
        scene: &mut Scene,
        command_line: &CommandLine,
    ) -> Result<Actor, SetupError> {
        let token = self.token.to_string_lossy();
        let place = ["--listen", "10.77.0.1:0", "--allow-remote", "--token-file", &token];
        scene.start_through(&self.left, "server", command_line, &place)
    }

    /// Starts a client at the right end.
    pub fn client(
        &self,
        scene: &mut Scene,
        command_line: &CommandLine,
        at: &str,
    ) -> Result<Actor, SetupError> {
        let place = ["--connect", at, "--token-file", &self.token.to_string_lossy()];
        scene.start_through(&self.right, "client", command_line, &place)
    }

    /// Removes the line.
    pub fn end(self) -> Result<(), SetupError> {
        self.link.end()?;
        fs::remove_file(&self.token).map_err(|source| SetupError::Save { path: self.token, source })
    }
}

/// From `left:  nsenter … -- COMMAND` the words in front of the command.
fn into_end(line: &str) -> Vec<String> {
    let words = line.split_whitespace().skip(1);
    words.take_while(|word| *word != "COMMAND").map(str::to_owned).collect()
}
