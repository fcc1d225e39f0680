//! What is done with a request, whichever model does it.

use std::time::Duration;

use proto::json;
use proto::prefix::PREFIX_LEN;
use proto::request::RequestForm;
use proto::{EncodeError, FrameError, ReadError};
use shell::{Deadline, Gate, MAX_COMMAND, Output, Peer, PeerGone, Session, SessionEnd, Shutdown};

/// Serves requests, like a class derived from Python's `BaseRequestHandler`.
///
/// One handler serves all connections, on several threads at once: what belongs to one connection goes into its
/// [`Session`](Handler::Session). Python's `finish` is that value's `Drop`.
pub trait Handler: Sync {
    /// What is known about one connection from its setup to its end.
    type Session: Send;

    /// Whether [`handle`](Handler::handle) may block: on a command, a disk, another server. If it doesn't, set this to
    /// false: then the events model calls it in its loop, where everybody waits for it, and saves the trip to a worker
    /// thread and back. asyncio users have the same choice, between a callback and an executor.
    const WAITS: bool = true;

    /// A client has connected. This is called in the accept loop, before the client costs anything, so it must not block.
    ///
    /// # Errors
    /// The answer with which the client is turned away.
    fn setup(&self, peer: &Peer<'_>) -> Result<Self::Session, Output>;

    /// When this client's next request is due; by default it may stay idle for as long as it likes.
    fn deadline(&self, _session: &Self::Session) -> Deadline {
        Deadline::NEVER
    }

    /// The longest request that can be handled, in bytes; the rest of a longer one isn't read.
    fn longest_request(&self) -> usize {
        usize::MAX
    }

    /// Answers one request. If [`WAITS`](Handler::WAITS) it may take its time: other connections do not wait for it, except
    /// in the serial model.
    ///
    /// # Errors
    /// [`PeerGone`]: the client left before its answer was ready.
    fn handle(
        &self,
        session: &mut Self::Session,
        request: &[u8],
        peer: &Peer<'_>,
    ) -> Result<Reply, PeerGone>;
}

/// What to answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the client is told.
    pub output: Output,
    /// The connection ends after this answer.
    pub last: bool,
}

/// Remote commands: the gate decides who comes in, the session what runs.
impl Handler for Gate {
    type Session = Session;

    fn setup(&self, peer: &Peer<'_>) -> Result<Session, Output> {
        self.admit(peer).map_err(Output::from)
    }

    fn deadline(&self, session: &Session) -> Deadline {
        session.deadline()
    }

    fn longest_request(&self) -> usize {
        MAX_COMMAND
    }

    fn handle(
        &self,
        session: &mut Session,
        request: &[u8],
        peer: &Peer<'_>,
    ) -> Result<Reply, PeerGone> {
        match session.run(request, *peer) {
            Ok(output) => Ok(Reply { output, last: false }),
            Err(SessionEnd::Refused(refusal)) => Ok(Reply { output: refusal.into(), last: true }),
            // Running a command reads and writes nothing on this connection; and once the server ends, nobody is answered.
            Err(SessionEnd::PeerGone | SessionEnd::Told | SessionEnd::Failed(_)) => Err(PeerGone),
        }
    }
}

/// What every model needs to know.
pub struct Service<H> {
    /// What is done with a request.
    pub handler: H,
    /// How requests arrive.
    pub form: RequestForm,
    /// The longest request that is accepted, in bytes.
    pub max_frame: usize,
    /// What the header of an answer calls the length of its body.
    pub length_key: String,
    /// How many connections may be open at once; any more are refused.
    pub max_connections: usize,
    /// How long a client may take for the rest of a frame it has begun, or leave its answer unread; and how long its request
    /// may wait for a worker of the events model.
    pub frame_timeout: Duration,
    /// Ends the server when it's told to.
    pub shutdown: Shutdown,
}

impl<H: Handler> Service<H> {
    /// The answer as it goes out: header, stdout, stderr.
    pub(crate) fn message(&self, output: Output) -> Result<[Vec<u8>; 3], EncodeError> {
        let head = json::encode_head(&output.header(), &self.length_key)?;
        Ok([head, output.stdout, output.stderr])
    }

    /// Refuses a request that isn't whole yet, if what has arrived is already more than the handler can take.
    pub(crate) fn check_length(&self, came: usize) -> Result<(), FrameError> {
        let limit = self.handler.longest_request();
        match came.checked_sub(PREFIX_LEN) {
            Some(length) if length > limit => {
                Err(FrameError::TooLong { length: length as u64, limit })
            }
            _ => Ok(()),
        }
    }

    /// What to answer to a client whose connection ends with this error; `None` if it broke the protocol:
    /// the end of the stream is answer enough.
    pub(crate) fn refusal(&self, error: &ReadError) -> Option<Output> {
        match error {
            ReadError::Frame(FrameError::TooLong { limit, .. })
                if *limit == self.handler.longest_request() =>
            {
                Some(refused(&format!("a request has at most {limit} bytes here")))
            }
            _ => None,
        }
    }
}

/// The answer to a client that isn't served.
pub(crate) fn refused(why: &str) -> Output {
    Output::not_run(126, &format!("refused: {why}"))
}
