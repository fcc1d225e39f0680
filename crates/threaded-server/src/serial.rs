//! One client after another: Python's `TCPServer`.
//!
//! While one client is served, the others wait in the kernel's queue: connected, but without an answer.

use observe::{Backoff, Failure, Socket};

use crate::connection;
use crate::connections::Connections;
use crate::{Handler, Service};

/// Serves until a signal ends the process.
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> Result<(), Failure> {
    let connections = Connections::new(service);
    let mut backoff = Backoff::default();
    loop {
        let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
        let Some(accepted) = connections.admit(conn, &peer) else { continue };
        // The model: nobody else is accepted until this returns.
        connection::serve(accepted, service);
    }
}
