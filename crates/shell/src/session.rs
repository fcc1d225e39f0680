//! One peer that was let in, and what happens to its requests.

use std::fmt;
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use observe::Socket;
use proto::request::RequestForm;
use proto::{EncodeError, FrameError, ReadError};

use crate::deadline::{Deadline, FRAME_TIMEOUT, FrameDeadline, still_missing, wait_readable};
use crate::output::Output;
use crate::peer::{Peer, PeerGone};
use crate::refusal::{Refusal, Screen, check_length};
use crate::run::{Limits, run};
use crate::shutdown::{Connection, Shutdown};

/// The answer to the right token.
pub const WELCOME: &[u8] = b"ok\n";

/// How long a peer may take to send its token. Until then it's a stranger that takes up a place.
const TOKEN_TIME: Duration = Duration::from_secs(30);

/// One peer that a [`Gate`](crate::Gate) let in.
pub struct Session {
    form: RequestForm,
    limits: Limits,
    state: State,
    screen: Screen,
    rest: FrameDeadline,
    shutdown: Shutdown,
    answering: Arc<AtomicBool>,
}

enum State {
    /// The first request must be this token, and arrive before the deadline.
    AwaitingToken(Arc<[u8]>, Deadline),
    Open,
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Run,
    Welcome,
}

impl Session {
    pub(crate) fn new(
        form: RequestForm,
        limits: Limits,
        token: Option<Arc<[u8]>>,
        shutdown: Shutdown,
    ) -> Session {
        let until = Deadline::after(TOKEN_TIME);
        let state = token.map_or(State::Open, |token| State::AwaitingToken(token, until));
        let (screen, rest) = (Screen::default(), FrameDeadline::new(FRAME_TIMEOUT));
        Session { form, limits, state, screen, rest, shutdown, answering: Arc::default() }
    }

    /// The session of this connection. A server that is told to end leaves it alone while a request is being answered.
    pub(crate) fn on(self, conn: &Connection) -> Session {
        Session { answering: conn.answering(), ..self }
    }

    /// When its next request is due: a peer that still owes the token can't stay idle for as long as
    /// it likes.
    pub fn deadline(&self) -> Deadline {
        match self.state {
            State::AwaitingToken(_, until) => until,
            State::Open | State::Refused(_) => Deadline::NEVER,
        }
    }

    /// Call it before each `recv`, with the bytes of the next request that have arrived so far. While there are none, it
    /// returns at once, and `recv` waits as long as the peer likes. From the first byte on, it waits until there
    /// are more, and the whole request must arrive within [`FRAME_TIMEOUT`].
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut); a refusal if the request is already too long for a command; and
    /// [`SessionEnd::Told`].
    pub fn await_rest(&mut self, conn: &Socket, unread: &[u8]) -> Result<(), SessionEnd> {
        // In this order: either the thread that ends the server sees this store, or we see here that it has been told.
        self.answering.store(false, Ordering::SeqCst);
        if self.shutdown.told() {
            return Err(SessionEnd::Told);
        }
        check_length(unread.len())?;
        let what = match self.state {
            State::AwaitingToken(..) => "its token",
            State::Open | State::Refused(_) => "its request",
        };
        let deadline = self.rest.after(unread.len()).or(self.deadline());
        wait_readable(conn, deadline).map_err(still_missing(what, unread, conn))?;
        Ok(())
    }

    /// Runs a request of this peer (its payload if requests are framed, what one read returned if they are
    /// raw), waits for its end, and returns its output.
    ///
    /// # Errors
    /// [`SessionEnd::Refused`], and from then on nothing else: the bytes that follow a refused request are its
    /// continuation, or the next attempt, and must never run. [`SessionEnd::PeerGone`]: the command was killed.
    /// [`SessionEnd::Told`]: no command starts once the server has been told to end.
    pub fn run<'a>(
        &mut self,
        request: &[u8],
        peer: impl Into<Peer<'a>>,
    ) -> Result<Output, SessionEnd> {
        self.rest.start_anew();
        self.answering.store(true, Ordering::SeqCst);
        if self.shutdown.told() {
            return Err(SessionEnd::Told);
        }
        let peer = peer.into();
        match self.judge(request)? {
            Verdict::Run => Ok(run(request, &self.limits, &peer)?),
            Verdict::Welcome => {
                // The bytes up to here may have held the token; commands don't.
                peer.mask(false);
                Ok(Output { stdout: WELCOME.to_vec(), ..Output::default() })
            }
        }
    }

    fn judge(&mut self, request: &[u8]) -> Result<Verdict, Refusal> {
        let verdict = match &self.state {
            State::AwaitingToken(token, _) if same_bytes(token, request) => Ok(Verdict::Welcome),
            State::AwaitingToken(..) => Err(Refusal::Token),
            State::Open if self.form == RequestForm::Raw => {
                self.screen.check(request).map(|()| Verdict::Run)
            }
            State::Open => Ok(Verdict::Run),
            State::Refused(refusal) => Err(*refusal),
        };
        match verdict {
            Ok(Verdict::Welcome) => self.state = State::Open,
            Ok(Verdict::Run) => {}
            Err(refusal) => self.state = State::Refused(refusal),
        }
        verdict
    }
}

/// Why a session ended before its peer ended the stream.
#[derive(Debug)]
pub enum SessionEnd {
    /// The connection failed, or the peer broke the protocol.
    Failed(ReadError),
    /// A request was refused; the peer is told why.
    Refused(Refusal),
    /// Nobody is waiting for the answer.
    PeerGone,
    /// The server has been told to end.
    Told,
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(out),
            Self::Refused(refusal) => refusal.fmt(out),
            Self::PeerGone => PeerGone.fmt(out),
            Self::Told => out.write_str("this server has been told to end"),
        }
    }
}

impl std::error::Error for SessionEnd {}

impl From<ReadError> for SessionEnd {
    fn from(error: ReadError) -> Self {
        SessionEnd::Failed(error)
    }
}

impl From<io::Error> for SessionEnd {
    fn from(error: io::Error) -> Self {
        SessionEnd::Failed(error.into())
    }
}

impl From<FrameError> for SessionEnd {
    fn from(error: FrameError) -> Self {
        SessionEnd::Failed(error.into())
    }
}

/// An answer too long for its protocol. The limits of a command keep this from happening.
impl From<EncodeError> for SessionEnd {
    fn from(error: EncodeError) -> Self {
        io::Error::other(error).into()
    }
}

impl From<Refusal> for SessionEnd {
    fn from(refusal: Refusal) -> Self {
        SessionEnd::Refused(refusal)
    }
}

impl From<PeerGone> for SessionEnd {
    fn from(PeerGone: PeerGone) -> Self {
        SessionEnd::PeerGone
    }
}

/// What may be said about an error on this connection: while it waits for the token, not which bytes arrived.
pub fn keep_secret(error: ReadError, conn: &Socket) -> ReadError {
    match error {
        ReadError::Frame(FrameError::BadPrefix { .. }) if conn.is_masked() => {
            let what =
                "its first request is not a token in a frame; try --requests raw on both sides";
            io::Error::new(io::ErrorKind::InvalidData, what).into()
        }
        error => error,
    }
}

/// Compares in a time that does not depend on where the first difference is, so that nobody can guess a token byte
/// by byte.
fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |seen, (left, right)| black_box(seen | (left ^ right)))
            == 0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn session(form: RequestForm, token: Option<&Arc<[u8]>>) -> Session {
        let limits = Limits { timeout: Duration::from_secs(30), max_output: 1024 };
        Session::new(form, limits, token.cloned(), Shutdown::on_signals().unwrap())
    }

    #[test]
    fn the_token_comes_first_and_a_refusal_is_final() {
        let token: Arc<[u8]> = b"0123456789abcdef".as_slice().into();

        let mut raw = session(RequestForm::Raw, Some(&token));
        assert_eq!(raw.judge(&token), Ok(Verdict::Welcome));
        assert_eq!(raw.judge(b"echo hi"), Ok(Verdict::Run));
        assert_eq!(raw.judge(b"GET / HTTP/1.1"), Err(Refusal::Http));
        assert_eq!(raw.judge(b"echo hi"), Err(Refusal::Http), "later bytes never run");

        for wrong in ["", "echo hi", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef\n"] {
            let mut framed = session(RequestForm::Framed, Some(&token));
            assert_eq!(framed.judge(wrong.as_bytes()), Err(Refusal::Token), "{wrong:?}");
            assert_eq!(framed.judge(&token), Err(Refusal::Token), "one attempt only");
        }
        // Two differences of the same kind must not cancel each other out.
        let mut twice = token.to_vec();
        twice[3] ^= 1;
        twice[9] ^= 1;
        let mut framed = session(RequestForm::Framed, Some(&token));
        assert_eq!(framed.judge(&twice), Err(Refusal::Token));

        let mut framed = session(RequestForm::Framed, None);
        assert_eq!(
            framed.judge(b"echo a\necho b"),
            Ok(Verdict::Run),
            "a frame says where a command ends"
        );
    }
}
