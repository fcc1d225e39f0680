//! A true distance: two networks on this machine, and between them a line that keeps each packet for a while.
//!
//! A relay ends each TCP connection and begins another, so what TCP itself does about a distance happens on loopback.
//! Here it happens across the line.

use crate::scene::{Actor, Scene};
use crate::setup_error::SetupError;
use crate::typed::Typed;
use stage::Stream::Stdout;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// `relay-link`, while it joins its two ends.
pub struct Distance {
    link: Actor,
    /// The command lines that lead into each end's network.
    left: Vec<String>,
    right: Vec<String>,
    token: PathBuf,
}

impl Distance {
    /// Joins two networks; where this system does not allow it, the inner error says why.
    pub fn start(scene: &mut Scene, typed: &Typed) -> Result<Result<Distance, String>, SetupError> {
        let link = scene.start("link", typed, &[])?;
        let said = link.wait_for_line(Stdout, "right: ", Duration::from_secs(20));
        let (Ok(right), Ok(left)) = (said, link.wait_for_line(Stdout, "left: ", Duration::ZERO))
        else {
            return Ok(Err(link.end_somehow()?.complaint().trim_end().to_owned()));
        };
        // Beyond loopback a server asks for a token, and wants it to be nobody else's to read.
        let token = scene.directory().join("token");
        let mut file = OpenOptions::new();
        let written = file.write(true).create_new(true).mode(0o600).open(&token);
        let written = written.and_then(|mut file| file.write_all(b"for this one experiment"));
        written.map_err(|source| SetupError::Save { path: token.clone(), source })?;
        let [left, right] = [left, right].map(|line| into_end(&line));
        Ok(Ok(Distance { link, left, right, token }))
    }

    /// Starts a server at the left end.
    pub fn server(&self, scene: &mut Scene, typed: &Typed) -> Result<Actor, SetupError> {
        let token = self.token.to_string_lossy();
        let place = ["--listen", "10.77.0.1:0", "--allow-remote", "--token-file", &token];
        scene.start_through(&self.left, "server", typed, &place)
    }

    /// Starts a client at the right end.
    pub fn client(&self, scene: &mut Scene, typed: &Typed, at: &str) -> Result<Actor, SetupError> {
        let place = ["--connect", at, "--token-file", &self.token.to_string_lossy()];
        scene.start_through(&self.right, "client", typed, &place)
    }

    /// Takes the line away again.
    pub fn end(self) -> Result<(), SetupError> {
        self.link.end()?;
        fs::remove_file(&self.token).map_err(|source| SetupError::Save { path: self.token, source })
    }
}

/// From `left:  nsenter … -- COMMAND` what stands in front of the command.
fn into_end(line: &str) -> Vec<String> {
    let words = line.split_whitespace().skip(1);
    words.take_while(|word| *word != "COMMAND").map(str::to_owned).collect()
}
