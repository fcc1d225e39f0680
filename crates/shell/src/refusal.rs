//! Why a peer or one of its requests is refused, in one line that the peer can read; and which raw requests are refused.
//!
//! A raw request has no length in front: whatever one read returned is the command. So anything
//! that can make a program connect and send bytes can type here, a browser first of all. But what
//! other protocols send doesn't look like a command.

use std::fmt;

use proto::prefix::PREFIX_LEN;

use crate::output::Output;
use crate::run::MAX_COMMAND;

/// Why a peer or its request is refused. Displays as the one line that the peer gets as its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer's socket belongs to another user.
    Stranger,
    /// The peer's end is closed already.
    Gone,
    /// The system could not say who owns the peer's socket.
    Unknown,
    /// The peer's user has no number of its own here, as in a container without a mapping.
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

/// Whether a framed request that isn't whole yet can still be a command, given how much of it has arrived.
///
/// # Errors
/// What to answer instead of reading the rest.
pub fn check_length(came: usize) -> Result<(), Refusal> {
    match came {
        ..=LONGEST_FRAME => Ok(()),
        _ => Err(Refusal::CommandTooLong),
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
        Output::not_run(126, &refusal.to_string())
    }
}

/// The longest raw request, in bytes. A server's buffer must be larger, or a longer request would look
/// exactly this long.
pub const MAX_RAW_REQUEST: usize = 1024;

/// Looks at the raw requests of one connection, one after the other.
///
/// The network decides how many bytes a read returns: `GET /;id;` may arrive as `G` and `ET /;id;`,
/// which look harmless one by one. So a request is checked together with what came before it, as
/// long as that could be the beginning of another protocol.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// The requests just before this one, joined, if they could be the beginning of another protocol.
    before: Vec<u8>,
}

impl Screen {
    pub(crate) fn check(&mut self, request: &[u8]) -> Result<(), Refusal> {
        let together = [&self.before, request].concat();
        self.before.clear();
        screen(&together)?;
        if is_beginning(&together) {
            self.before = together;
        }
        Ok(())
    }
}

fn screen(request: &[u8]) -> Result<(), Refusal> {
    if request.starts_with(TLS) {
        return Err(Refusal::Tls);
    }
    if is_http(request) {
        return Err(Refusal::Http);
    }
    if request.contains(&0) {
        return Err(Refusal::Nul);
    }
    if request.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(Refusal::LineBreak);
    }
    if request.len() > MAX_RAW_REQUEST {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

/// How each record of a TLS handshake begins (RFC 8446, section 5.1).
const TLS: &[u8] = &[0x16, 0x03];

/// Whether more bytes could make it TLS, or a method of HTTP.
fn is_beginning(bytes: &[u8]) -> bool {
    TLS.starts_with(bytes) || bytes.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'-'))
}

/// Starts with a method and a space, or names the protocol anywhere. There may always be new methods (RFC
/// 9110, section 16.1), so any word in capitals counts; hardly any command starts like that.
fn is_http(request: &[u8]) -> bool {
    let method = request.iter().take_while(|byte| matches!(byte, b'A'..=b'Z' | b'-')).count();
    (method >= 3 && request.get(method) == Some(&b' '))
        || request.windows(6).any(|part| part == b" HTTP/")
}

#[cfg(test)]
mod tests {
    use proto::json::Status;

    use super::*;

    #[test]
    fn the_longest_command_is_read_and_no_longer_one() {
        for came in [0, MAX_COMMAND, PREFIX_LEN + MAX_COMMAND] {
            assert_eq!(check_length(came), Ok(()), "{came}");
        }
        let longer = PREFIX_LEN + MAX_COMMAND + 1;
        assert_eq!(check_length(longer), Err(Refusal::CommandTooLong));
    }

    #[test]
    fn a_refusal_is_the_output_of_a_command_that_may_not_run() {
        let output = Output::from(Refusal::Stranger);
        assert_eq!(output.status, Some(Status::Exit(126)));
        assert!(output.stderr.starts_with(b"refused: ") && output.stderr.ends_with(b"\n"));
    }

    #[test]
    fn commands_pass_and_other_protocols_do_not() {
        for command in [
            "ls /tmp",
            "echo hi",
            "PATH=/x ls",
            "A=1 B=2 env",
            "LS -l",
            "echo GET / now",
            "curl http://example.org/",
            "printf 'HTTP/1.1'",
            "GETTER",
            "GET",
            "echo 你好; cat données\t*",
            "",
            "-x",
            &"x".repeat(MAX_RAW_REQUEST),
        ] {
            assert_eq!(screen(command.as_bytes()), Ok(()), "{command:?}");
        }
        assert_eq!(screen(b"echo \xff\xfe"), Ok(()), "a command need not be UTF-8");

        let too_long = "x".repeat(MAX_RAW_REQUEST + 1);
        for (request, refusal) in [
            ("GET /;touch$IFS/tmp/x; HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n", Refusal::Http),
            ("GET /;touch$IFS/tmp/x;", Refusal::Http),
            ("POST / HTTP/1.1", Refusal::Http),
            ("OPTIONS * HTTP/1.1", Refusal::Http),
            ("M-SEARCH * HTTP/1.1", Refusal::Http),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::Http),
            ("CONNECT 127.0.0.1:22", Refusal::Http),
            ("chicken /;id; HTTP/1.1", Refusal::Http),
            ("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03", Refusal::Tls),
            ("echo a\necho b", Refusal::LineBreak),
            ("echo a\r", Refusal::LineBreak),
            ("\x05\0\0\0ls -l", Refusal::Nul),
            (&too_long, Refusal::TooLong),
        ] {
            assert_eq!(screen(request.as_bytes()), Err(refusal), "{request:?}");
        }
    }

    /// However the network cuts what a browser sends, nothing of it runs except what could just as well
    /// be the beginning of a command: the letters of the method.
    #[test]
    fn a_request_is_screened_together_with_what_came_before_it() {
        let http = b"GET /;touch$IFS/tmp/x; HTTP/1.1";
        let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        for (whole, refusal, harmless) in
            [(http.as_slice(), Refusal::Http, 3), (tls.as_slice(), Refusal::Tls, 1)]
        {
            for first in 1..whole.len() {
                for second in first..whole.len() {
                    let pieces = [&whole[..first], &whole[first..second], &whole[second..]];
                    let mut screen = Screen::default();
                    let mut ran = 0;
                    let checked =
                        pieces.iter().filter(|piece| !piece.is_empty()).try_for_each(|piece| {
                            screen.check(piece)?;
                            ran += piece.len();
                            Ok(())
                        });
                    assert_eq!(checked, Err(refusal), "{first} {second}");
                    assert!(ran <= harmless, "{ran} bytes ran, cut at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn later_requests_are_screened_together_too() {
        let mut screen = Screen::default();
        for request in ["echo hi", "LS", "A=1 env", "G"] {
            assert_eq!(screen.check(request.as_bytes()), Ok(()), "{request}");
        }
        assert_eq!(screen.check(b"ET /;id;"), Err(Refusal::Http));

        let mut screen = Screen::default();
        assert_eq!(screen.check(&[b'X'; MAX_RAW_REQUEST]), Ok(()));
        assert_eq!(screen.check(b"X"), Err(Refusal::TooLong), "what is kept has a bound");
    }
}
