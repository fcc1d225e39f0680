//! A link as the programs that use it see it.

use crate::{Conditions, LinkError};
use stage::{Program, StageError, Stream};
use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{self, Command};
use std::time::Duration;

/// How long the networks may take to come up, on a busy machine.
const READY: Duration = Duration::from_secs(30);

/// How long the link may take to end.
const END: Duration = Duration::from_secs(10);

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// 10.77.0.1.
    Left,
    /// 10.77.0.2.
    Right,
}

impl End {
    /// Its address on the line.
    pub fn address(self) -> Ipv4Addr {
        match self {
            End::Left => Ipv4Addr::new(10, 77, 0, 1),
            End::Right => Ipv4Addr::new(10, 77, 0, 2),
        }
    }

    /// `left` or `right`.
    pub fn name(self) -> &'static str {
        match self {
            End::Left => "left",
            End::Right => "right",
        }
    }

    /// The one at the other side.
    pub fn other(self) -> End {
        match self {
            End::Left => End::Right,
            End::Right => End::Left,
        }
    }
}

/// A link that is up: the program `relay-link`, in a process of its own. Dropping it ends it.
pub struct Link {
    program: Program,
    left: u32,
    right: u32,
}

impl Link {
    /// Starts a link, and waits until it is up.
    ///
    /// # Errors
    /// [`LinkError`] says why there is no link. Outside Linux there never is one.
    pub fn start(conditions: &Conditions) -> Result<Link, LinkError> {
        let path = stage::binary("relay-link").map_err(LinkError::Program)?;
        let mut command = Command::new(path);
        let program = Program::start("relay-link", command.args(conditions.to_args()));
        let program = program.map_err(LinkError::Program)?;
        let line = match program.wait_for_line(Stream::Stdout, "linked ", READY) {
            Ok(line) => line,
            // It says why, in one line.
            Err(StageError::Ended { said, .. }) if !said.is_empty() => {
                let said = String::from_utf8_lossy(&said[said.len() - 1].text).into_owned();
                let said = said.strip_prefix("relay-link: ").unwrap_or(&said).to_owned();
                return Err(LinkError::Refused { said });
            }
            Err(error) => return Err(LinkError::Program(error)),
        };
        let words: Vec<&str> = line.split(' ').collect();
        match (words.get(2).map(|pid| pid.parse()), words.get(4).map(|pid| pid.parse())) {
            (Some(Ok(left)), Some(Ok(right))) => Ok(Link { program, left, right }),
            _ => Err(LinkError::Refused { said: line }),
        }
    }

    /// A command that runs a program at one end. Its arguments, environment and streams are the caller's to set; the
    /// process that it starts becomes the program.
    pub fn command(&self, end: End, program: &OsStr) -> Command {
        let pid = match end {
            End::Left => self.left,
            End::Right => self.right,
        };
        let mut command = Command::new("nsenter");
        command.args(nsenter_options(pid, process::id())).arg("--").arg(program);
        command
    }

    /// Ends the link, and returns what it says about the packets that it carried: a line for each direction.
    ///
    /// # Errors
    /// [`LinkError::Program`] when it does not end.
    pub fn end(self) -> Result<String, LinkError> {
        let said = self.program.wait(END).map_err(LinkError::Program)?.stdout;
        let said = String::from_utf8_lossy(&said);
        Ok(said
            .lines()
            .filter(|line| line.contains(" packets, "))
            .map(|line| format!("{line}\n"))
            .collect())
    }
}

/// The options of nsenter(1) with which the process `visitor` enters the network of the process `target`. If their user
/// namespaces differ, it enters the target's first: only there may it enter the network.
pub fn nsenter_options(target: u32, visitor: u32) -> Vec<String> {
    let users = |pid| fs::read_link(format!("/proc/{pid}/ns/user")).ok();
    let mut options = vec!["--target".to_owned(), target.to_string()];
    // From an inner namespace, the link of a process in an outer one can't be read. And no process may enter the user namespace that it is in.
    if users(visitor).is_none() || users(visitor) != users(target) {
        options.extend(["--user", "--preserve-credentials"].map(str::to_owned));
    }
    options.push("--net".to_owned());
    options
}
