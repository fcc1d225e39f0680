//! What is done with a request, whichever model does it.

use std::time::{Duration, Instant};

use proto::json::Status;
use proto::prefix::PREFIX_LEN;
use proto::request::RequestForm;
use proto::{FrameError, ReadError};
use shell::{Caller, CallerGone, Gate, MAX_COMMAND, Output, Reply, Stop, Visitor};

/// Serves requests, like a class derived from Python's `BaseRequestHandler`.
///
/// One handler serves all connections, on several threads at once: what belongs to one connection goes into its
/// [`Visit`](Handler::Visit). Python's `finish` is that value's `Drop`.
pub trait Handler: Sync {
    /// What is known of one connection from its setup to its end.
    type Visit: Send;

    /// A client has connected. This is called in the accept loop, before the client costs anything: it must not wait.
    ///
    /// # Errors
    /// The answer with which it is turned away.
    fn setup(&self, client: &Caller<'_>) -> Result<Self::Visit, Output>;

    /// When this client's next request is due; `None` if it may stay idle for as long as it likes.
    fn deadline(&self, _visit: &Self::Visit) -> Option<Instant> {
        None
    }

    /// The longest request that can be handled, in bytes; the rest of a longer one isn't read.
    fn longest_request(&self) -> usize {
        usize::MAX
    }

    /// Answers one request. It may take its time: other connections do not wait for it, except in the serial model.
    ///
    /// # Errors
    /// [`CallerGone`]: the client left before its answer was ready.
    fn handle(
        &self,
        visit: &mut Self::Visit,
        request: &[u8],
        client: &Caller<'_>,
    ) -> Result<Reply, CallerGone>;
}

/// Remote commands: the gate decides who comes in, the visitor what runs.
impl Handler for Gate {
    type Visit = Visitor;

    fn setup(&self, client: &Caller<'_>) -> Result<Visitor, Output> {
        self.judge(client).map_err(Output::from)
    }

    fn deadline(&self, visitor: &Visitor) -> Option<Instant> {
        visitor.deadline()
    }

    fn longest_request(&self) -> usize {
        MAX_COMMAND
    }

    fn handle(
        &self,
        visitor: &mut Visitor,
        request: &[u8],
        client: &Caller<'_>,
    ) -> Result<Reply, CallerGone> {
        visitor.answer(request, client)
    }
}

/// What every model needs to know.
pub struct Service<H> {
    /// What is done with a request.
    pub handler: H,
    /// How requests come.
    pub form: RequestForm,
    /// The longest request that is accepted, in bytes.
    pub max_frame: usize,
    /// How many connections may be open at once; a further one is refused.
    pub max_connections: usize,
    /// How long a client may take for the rest of a frame it has begun, or leave its answer unread.
    pub patience: Duration,
    /// Tells when to end.
    pub stop: Stop,
}

impl<H: Handler> Service<H> {
    /// Refuses a request that isn't whole yet, and of which this much has come, if the handler can't take one that long.
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
                let why = format!("refused: a request has at most {limit} bytes here\n");
                let status = Some(Status::Exit(126));
                Some(Output { stderr: why.into_bytes(), status, ..Output::default() })
            }
            _ => None,
        }
    }
}
