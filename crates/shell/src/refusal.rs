//! Why a peer, or one of its requests, is turned away; in one line that it can read.

use std::fmt;

use proto::json::Status;
use proto::prefix::PREFIX_LEN;

use crate::output::Output;
use crate::run::MAX_COMMAND;
use crate::screen::MAX_RAW_REQUEST;

/// Why a peer or its request is turned away. Displays as the one line that it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer's socket belongs to another user.
    Stranger,
    /// Nobody holds the peer's end open any more.
    Gone,
    /// The system could not say whose the peer's socket is.
    Unknown,
    /// The peer's user has no number here, as all users without one in a container.
    Unmapped,
    /// The first request was not the token.
    Token,
    /// More than [`MAX_RAW_REQUEST`] bytes.
    TooLong,
    /// A framed request of more than [`MAX_COMMAND`] bytes.
    CommandTooLong,
    /// A CR or LF inside a raw request.
    LineBreak,
    /// A NUL byte inside a raw request.
    Nul,
    /// The start of a TLS handshake.
    Tls,
    /// An HTTP request.
    Http,
}

impl Refusal {
    /// Whether a framed request that isn't whole yet, and of which this much has come, can still be a
    /// command.
    ///
    /// # Errors
    /// What to answer instead of reading the rest.
    pub fn check_length(came: usize) -> Result<(), Refusal> {
        match came {
            ..=LONGEST_FRAME => Ok(()),
            _ => Err(Refusal::CommandTooLong),
        }
    }
}

/// The longest command, and its length in front.
const LONGEST_FRAME: usize = PREFIX_LEN + MAX_COMMAND;

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::Stranger => {
                "this server runs commands only for the user who started it; start your own"
            }
            Self::Gone => {
                "your end is closed already, so nobody can say whose it was; wait for the answer"
            }
            Self::Unknown => {
                "this system does not say whose your connection is; see the server's log, \
                 or start both sides with --token-file"
            }
            Self::Unmapped => {
                "this server has no user id of its own here, so it cannot tell you from others; \
                 start it and the client with --token-file"
            }
            Self::CommandTooLong => {
                return write!(
                    out,
                    "refused: a command has at most {MAX_COMMAND} bytes; \
                     send a file, and run that"
                );
            }
            Self::Token => {
                "the first request must be the server's token; start the client with --token-file"
            }
            Self::TooLong => {
                return write!(
                    out,
                    "refused: a raw request has at most {MAX_RAW_REQUEST} bytes; \
                     use --requests framed on both sides"
                );
            }
            Self::LineBreak => {
                "a raw request has no CR or LF; send one command at a time, \
                 or use --requests framed on both sides"
            }
            Self::Nul => {
                "a raw request has no NUL byte; does your client frame its requests? \
                 use --requests framed on both sides"
            }
            Self::Tls => {
                "this is the start of TLS; a plain connection is expected, \
                 from this server's own client"
            }
            Self::Http => {
                "this looks like HTTP, and a web page must not run commands; \
                 use this server's own client"
            }
        };
        write!(out, "refused: {why}")
    }
}

impl std::error::Error for Refusal {}

/// The line as the output of a command: answered like any other, so that every client can show it.
impl From<Refusal> for Output {
    fn from(refusal: Refusal) -> Output {
        let stderr = format!("{refusal}\n").into_bytes();
        // 126 is what a shell says of a command that it may not run.
        Output { stderr, status: Some(Status::Exit(126)), ..Output::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_command_is_read_and_no_longer_one() {
        for came in [0, MAX_COMMAND, PREFIX_LEN + MAX_COMMAND] {
            assert_eq!(Refusal::check_length(came), Ok(()), "{came}");
        }
        let longer = PREFIX_LEN + MAX_COMMAND + 1;
        assert_eq!(Refusal::check_length(longer), Err(Refusal::CommandTooLong));
    }

    #[test]
    fn a_refusal_is_the_output_of_a_command_that_may_not_run() {
        let output = Output::from(Refusal::Stranger);
        assert_eq!(output.status, Some(Status::Exit(126)));
        assert!(output.stderr.starts_with(b"refused: ") && output.stderr.ends_with(b"\n"));
    }
}
