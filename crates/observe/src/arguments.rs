//! Parses what people write on a command line, for clap; and makes part of the help that they read.

use std::fmt;
use std::net::SocketAddr;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

/// Reads an address: `127.0.0.1:8888`, `[::1]:8888`.
///
/// Names are not looked up: an experiment should not depend on a resolver.
///
/// # Errors
/// When the text is not an IP address and a port.
pub fn parse_address(text: &str) -> Result<SocketAddr, NotAnAddress> {
    text.parse().map_err(|_| NotAnAddress)
}

/// Reads a time in seconds, above 0: `30`, `0.5`.
///
/// # Errors
/// When the text is not such a number.
pub fn parse_seconds(text: &str) -> Result<Duration, NotSeconds> {
    let seconds = text.parse().map_err(|_| NotSeconds)?;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or(NotSeconds)
}

/// Reads a whole number. Rust's own error, "invalid digit found in string", says neither what was expected nor what to try.
///
/// # Errors
/// When the text is not such a number, or the type can't hold it.
pub fn parse_number<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "expected a smaller whole number",
        _ => "expected a whole number, such as 100",
    })
}

/// Reads what the JSON header calls the length of the body: `data_len`, `total_size`.
///
/// # Errors
/// When it is empty or longer than 64 bytes: a header is meant to be short.
pub fn parse_length_key(text: &str) -> Result<String, String> {
    match text.len() {
        1..=64 => Ok(text.to_owned()),
        _ => Err("expected a name of 1 to 64 bytes, such as data_len".to_owned()),
    }
}

/// For a program's help: the terminals in the comment at the head of its source, up to the end of the first block.
pub fn terminals(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let block = lines.skip_while(|line| *line != " ```text").skip(1);
    let block: Vec<&str> = block.take_while(|line| *line != " ```").collect();
    let in_third = |line: &&str| line.trim_start().starts_with("3$");
    let title =
        if block.iter().any(in_third) { "In three terminals:" } else { "In two terminals:" };
    block
        .into_iter()
        .fold(title.to_owned(), |help, line| help + format!("\n {line}").trim_end_matches(' '))
}

/// The text was not a time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSeconds;

impl fmt::Display for NotSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected seconds above 0, such as 30 or 0.5")
    }
}

impl std::error::Error for NotSeconds {}

/// The text was not an IP address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAddress;

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected IP:PORT, such as 127.0.0.1:8888 or [::1]:8888 \
             (names are not looked up: write 127.0.0.1 for localhost)",
        )
    }
}

impl std::error::Error for NotAnAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_above_nothing() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e300", "5s"] {
            assert_eq!(parse_seconds(wrong), Err(NotSeconds), "{wrong}");
        }
    }

    #[test]
    fn addresses_of_both_families() {
        assert!(parse_address("127.0.0.1:8888").unwrap().is_ipv4());
        assert!(parse_address("[::1]:0").unwrap().is_ipv6());
        for wrong in ["", "8888", "localhost:8888", "127.0.0.1", "::1:8888", "127.0.0.1:70000"] {
            assert_eq!(parse_address(wrong), Err(NotAnAddress), "{wrong}");
        }
    }

    #[test]
    fn the_terminals_of_the_help_are_those_at_the_head_of_the_source() {
        let source = "//! A server.\n//!\n//! ```text\n//! 1$ server\n//!\n//! 2$ client\n//! ```\n//!\n//! More.\nuse x;\n";
        assert_eq!(terminals(source), "In two terminals:\n  1$ server\n\n  2$ client");
    }
}
