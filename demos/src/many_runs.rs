//! For hundreds of runs: a relay in this process, and a client that records nothing. Starting a program for each relay, and
//! recording each call, would take most of the time.

use crate::command_line::CommandLine;
use crate::setup_error::SetupError;
use relay::Relay;
use stage::Program;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

/// Starts a relay in front of `server`, with this schedule.
pub fn relay(schedule: &str, server: &str) -> Result<Relay, SetupError> {
    let start = || -> Result<Relay, Box<dyn Error + Send + Sync>> {
        let (server, schedule): (SocketAddr, _) = (server.parse()?, schedule.parse()?);
        Ok(Relay::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), server, schedule)?)
    };
    start().map_err(|error| SetupError::peer("starting a relay")(io::Error::other(error)))
}

/// Starts a client of this relay, without log and trace.
pub fn client(client: &CommandLine, relay: &Relay) -> Result<Program, SetupError> {
    let mut command = Command::new(stage::binary(client.program())?);
    command.arg("--connect").arg(relay.address().to_string()).args(client.arguments());
    Ok(Program::start(client.program(), command.env("RUST_LOG", "off"))?)
}
