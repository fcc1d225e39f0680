//! How a program ends: one line on stderr, and a code that scripts rely on.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::{env, path::Path};

use proto::{FrameError, Progress, ReadError};
use rustix::io::Errno;
use tracing::warn;

use crate::lines;

/// Why a program could not do what it was asked to. Each message says what was expected, what happened, and,
/// if the reader can do something about it, what to try.
#[derive(Debug)]
pub enum Failure {
    /// Exit code 2: what was asked for makes no sense.
    Usage(String),
    /// Exit code 3: no address to listen on, or nobody to talk to.
    Endpoint {
        /// `listen on` or `connect to`.
        doing: &'static str,
        /// The address.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// Exit code 3: the system refused something that a program needs before it can begin.
    System {
        /// What it was needed for.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Exit code 4: the stream ended inside a message.
    Ended {
        /// The other end.
        peer: String,
        /// How much arrived, and of how much.
        what: String,
    },
    /// Exit code 5: the peer broke the protocol.
    Violation {
        /// The other end.
        peer: String,
        /// What was expected, and what arrived.
        what: String,
    },
    /// Exit code 6: nothing happened for too long.
    TimedOut {
        /// The other end.
        peer: String,
        /// What was waited for.
        what: String,
    },
    /// Exit code 130: interrupted from the keyboard.
    Interrupted,
    /// Exit code 141: nobody reads what we print; 141 is what a shell reports for SIGPIPE. Exit code 1: it cannot be
    /// written for another reason, such as a full disk.
    Stdout(io::Error),
}

impl Failure {
    /// For `map_err` after bind or listen.
    pub fn cannot_listen(address: impl Display) -> impl FnOnce(io::Error) -> Failure {
        move |error| Failure::Endpoint { doing: "listen on", address: address.to_string(), error }
    }

    /// For `map_err` where the system refuses what a program needs; `what` names it, as in "waiting for signals".
    pub fn system(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
        move |error| Failure::System { what, error }
    }

    /// For `map_err` after connect.
    pub fn cannot_connect(address: impl Display) -> impl FnOnce(io::Error) -> Failure {
        let late = "connecting: no answer came in time; is it the right address? \
                    --timeout waits longer";
        move |error| match Errno::from_io_error(&error) {
            // A socket timeout limits connect, too; it then shows as one of these.
            Some(Errno::INPROGRESS | Errno::AGAIN | Errno::TIMEDOUT) => {
                Failure::TimedOut { peer: address.to_string(), what: late.into() }
            }
            _ => Failure::Endpoint { doing: "connect to", address: address.to_string(), error },
        }
    }

    /// For `map_err` in a server, after reading from or writing to a client; `what` says what the server was doing, as in
    /// "serving".
    pub fn talking<E: Into<ReadError>>(
        client: impl Display,
        what: &'static str,
    ) -> impl FnOnce(E) -> Failure {
        move |error| match error.into() {
            ReadError::Io(error) => Failure::broken(client.to_string(), what, &error),
            ReadError::Frame(error) => {
                let hint = match error {
                    _ if error.looks_like_text() => {
                        "; this is text: a raw request (then --requests raw on both sides), or another fix's client?"
                    }
                    _ => hint(&error),
                };
                Failure::frame(client.to_string(), what, &error, hint)
            }
        }
    }

    /// For `map_err` in a client, after reading from or writing to the server.
    pub fn asking<E: Into<ReadError>>(
        server: impl Display,
        what: &'static str,
    ) -> impl FnOnce(E) -> Failure {
        move |error| match error.into() {
            ReadError::Io(error) => match Failure::broken(server.to_string(), what, &error) {
                Failure::TimedOut { peer, what } => {
                    Failure::TimedOut { peer, what: format!("{what}; --timeout waits longer") }
                }
                failure => failure,
            },
            ReadError::Frame(error) => {
                let hint = match error {
                    _ if error.looks_like_text() => {
                        "; the server sends text where a length is due: is it another protocol's?"
                    }
                    FrameError::NoAnswer => "; the server's terminal may say why",
                    _ => hint(&error),
                };
                Failure::frame(server.to_string(), what, &error, hint)
            }
        }
    }

    /// For a client that waits for an answer; this much of it has arrived.
    pub fn receiving(server: impl Display, error: ReadError, so_far: Progress) -> Failure {
        let what = "waiting for the answer";
        match Failure::asking(server, what)(error) {
            Failure::TimedOut { peer, .. } if so_far.got > 0 => Failure::TimedOut {
                peer,
                what: format!(
                    "{what}: {so_far} came, and then nothing happened for too long; --timeout waits longer"
                ),
            },
            failure => failure,
        }
    }

    fn broken(peer: String, what: &str, error: &io::Error) -> Failure {
        match error.kind() {
            // A socket timeout (SO_RCVTIMEO, SO_SNDTIMEO) shows as EAGAIN.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                // The system's own message is "try again" or "timed out"; a program's says what was missing.
                let missing = match error.get_ref() {
                    Some(missing) => missing.to_string(),
                    None => "nothing happened for too long".into(),
                };
                Failure::TimedOut { peer, what: format!("{what}: {missing}") }
            }
            // How a program reports bytes that the protocol doesn't allow.
            io::ErrorKind::InvalidData => {
                Failure::Violation { peer, what: format!("{what}: {error}") }
            }
            _ => Failure::Ended { peer, what: format!("{what}: {error}") },
        }
    }

    fn frame(peer: String, what: &str, error: &FrameError, hint: &str) -> Failure {
        let text = format!("{what}: {error}{hint}");
        match error {
            FrameError::Truncated(_) | FrameError::NoAnswer => Failure::Ended { peer, what: text },
            _ => Failure::Violation { peer, what: text },
        }
    }

    /// The exit code, as the contract lists them.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Endpoint { .. } | Failure::System { .. } => 3,
            Failure::Ended { .. } => 4,
            Failure::Violation { .. } => 5,
            Failure::TimedOut { .. } => 6,
            Failure::Interrupted => 130,
            Failure::Stdout(error) if has_no_reader(error) => 141,
            Failure::Stdout(_) => 1,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(what) => f.write_str(what),
            Failure::Endpoint { doing, address, error } => {
                write!(f, "cannot {doing} {address}: {error}")?;
                let is_path = address.contains('/');
                match error.kind() {
                    io::ErrorKind::NotFound if *doing == "listen on" => {
                        f.write_str("; make its directory first, or take another path")
                    }
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                        f.write_str("; is the server running? Start it first, in another terminal")
                    }
                    io::ErrorKind::AddrInUse if is_path => f.write_str(
                        "; there is a file of that name: remove it if no program listens there any more, or take another path",
                    ),
                    io::ErrorKind::AddrInUse => f.write_str(
                        "; another program listens there: end it, or take another port (port 0 is a free one). \
                         If none does, a connection has just ended there, and this program or the last one had no \
                         SO_REUSEADDR: wait a minute",
                    ),
                    io::ErrorKind::AddrNotAvailable => {
                        f.write_str("; this machine doesn't have that address: try 127.0.0.1")
                    }
                    io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                        f.write_str("; there is no route to it from this machine: try 127.0.0.1")
                    }
                    io::ErrorKind::PermissionDenied
                        if *doing == "listen on" && address.parse::<SocketAddr>().is_ok() =>
                    {
                        f.write_str("; ports below 1024 are reserved for the system: try a higher one")
                    }
                    _ if Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT) => {
                        f.write_str("; this machine has no IPv6: try 127.0.0.1")
                    }
                    _ => Ok(()),
                }
            }
            Failure::System { what, error } => write!(f, "{what}: {error}"),
            Failure::Ended { peer, what }
            | Failure::Violation { peer, what }
            | Failure::TimedOut { peer, what } => {
                write!(f, "{peer}: {what}")
            }
            Failure::Interrupted => f.write_str("interrupted"),
            Failure::Stdout(error) => write!(f, "cannot write to stdout: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Whether nobody reads what we write: a pipe has lost its reader, or a terminal has closed (EIO).
fn has_no_reader(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe || Errno::from_io_error(error) == Some(Errno::IO)
}

/// What to try, for a client or a server.
fn hint(error: &FrameError) -> &'static str {
    match error {
        FrameError::BadPrefix { bytes, allowed } => {
            let [value, other] = [i32::from_le_bytes(*bytes), i32::from_be_bytes(*bytes)];
            match () {
                () if allowed.contains(&other) => "; does the other side use that byte order?",
                // A JSON header, which is never empty, has a limit that no option changes.
                // And a length of a gigabyte is hardly a real message: these bytes are something else.
                () if (1..1 << 30).contains(&value) && allowed.contains(&0) => {
                    "; a longer message needs --max-frame"
                }
                () => "",
            }
        }
        FrameError::TooLong { .. } => "; a longer message needs --max-frame",
        FrameError::LongLine { .. } => "; a longer line needs --max-line",
        FrameError::NoLengthKey { .. } => {
            "; if one of them is the length, name it: --length-key NAME"
        }
        _ => "",
    }
}

/// Turns the result of a program into its exit code, after one line on stderr if it failed.
pub fn report(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    // `program | head -1` is what the user wants, not a mistake: it ends without a message.
    let unread = matches!(&failure, Failure::Stdout(error) if has_no_reader(error));
    if !unread {
        let program = env::args_os().next().unwrap_or_default();
        let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy();
        // If stderr is gone as well, there's still the exit code.
        // One line, whatever a peer, a file's name or a parser put into it.
        let mut line = columns::visible(&format!("{program}: {failure}"));
        // A terminal would break it in the middle of words.
        if io::stderr().is_terminal() {
            line = columns::wrap(&line, 0, 2, columns::of(io::stderr())).join("\n  ");
        }
        lines::to_stderr(format_args!("{line}"));
    }
    ExitCode::from(failure.code())
}

/// For clients: Ctrl-C, and every other signal that tells a program to end, ends the process at once with exit code
/// 130.
///
/// Without it the signal itself would end the process, which a shell shows as 130 and every other
/// parent as something else.
pub fn exit_when_interrupted() {
    exit_when_told_with(130);
}

/// For servers that serve one peer and have nothing to clean up first: a signal that tells a
/// program to end ends the process at once with exit code 0.
pub fn exit_when_told() {
    exit_when_told_with(0);
}

fn exit_when_told_with(status: i32) {
    if let Err(error) = ending::exit_when_told(status) {
        warn!(%error, "no handler: a signal ends the program the system's way");
    }
}
