//! What is done with a request, whichever model does it.

use std::time::Duration;

use proto::request::Form;
use shell::{Caller, CallerGone, Gate, Output, Reply, Stop, Visitor};

/// Serves requests, like a class derived from Python's `BaseRequestHandler`.
///
/// One handler serves all connections, on several threads at once: what belongs to one connection goes into its
/// [`Visit`](Handler::Visit). Python's `finish` is that value's `Drop`.
pub trait Handler: Sync {
    /// What is known of one connection from its setup to its end.
    type Visit: Send;

    /// A client has connected.
    ///
    /// # Errors
    /// The answer with which it is turned away.
    fn setup(&self, client: &Caller<'_>) -> Result<Self::Visit, Output>;

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
        self.admit(client).map_err(Output::from)
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
    pub form: Form,
    /// The longest request that is accepted, in bytes.
    pub max_frame: usize,
    /// How many connections may be open at once; a further one is refused.
    pub max_connections: usize,
    /// How long a client may take for the rest of a frame it has begun, or leave its answer unread.
    pub patience: Duration,
    /// Tells when to end.
    pub stop: Stop,
}
