//! A thread for each connection: Python's `ThreadingTCPServer`.
//!
//! The plainest way to serve many: each connection's loop is written as if there were no others. A waiting thread costs a
//! stack and a little kernel memory, but no processor time.

use std::io;
use std::sync::mpsc;
use std::thread::{self, Scope};

use observe::{Backoff, Failure, Socket};

use crate::connection;
use crate::connections::{Accepted, Connections};
use crate::{Handler, Service};

/// How much address space a thread's stack takes. Only the pages that it touches cost memory, but the kernel's page
/// tables cost some too: 4 KiB for each thread with the usual 2 MiB.
const STACK: usize = 128 << 10;

/// Serves until a signal ends the process.
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> Result<(), Failure> {
    let connections = Connections::new(service);
    let mut backoff = Backoff::default();
    thread::scope(|scope| {
        loop {
            let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
            let Some(accepted) = connections.admit(conn, &peer) else { continue };
            // The model: a new thread owns the connection.
            if let Err((error, accepted)) = spawn(scope, accepted, service) {
                backoff.warn("no thread for a connection: its client is refused", &error);
                connections.refuse(accepted.conn, &format!("no thread can be started: {error}"));
            }
        }
    })
}

/// Starts a thread that serves a connection. If there is no thread, the connection is returned.
fn spawn<'scope, H: Handler>(
    scope: &'scope Scope<'scope, '_>,
    accepted: Accepted<H>,
    service: &'scope Service<H>,
) -> Result<(), (io::Error, Accepted<H>)>
where
    H::Session: 'scope,
{
    // If no thread can be started, the closure is dropped with everything it owns. So it gets the connection later.
    let (give, take) = mpsc::sync_channel(1);
    let serve = move || take.recv().map(|accepted| connection::serve(accepted, service));
    match thread::Builder::new().stack_size(STACK).spawn_scoped(scope, serve) {
        Ok(_) => give.send(accepted).map_err(|lost| (io::ErrorKind::Other.into(), lost.0)),
        Err(error) => Err((error, accepted)),
    }
}
