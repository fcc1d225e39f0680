//! A thread for each connection: Python's `ThreadingTCPServer`.
//!
//! The plainest way to serve many: each connection's loop is written as if it were alone. A thread that waits costs a
//! stack and a little of the kernel's memory, not processor time.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use observe::{Backoff, Failure, Socket};

use crate::connection;
use crate::connections::Connections;
use crate::{Handler, Service};

/// How much of the address space a thread's stack takes. Only the pages that it touches cost memory, but the kernel's
/// tables of them cost some, too: with 2 MiB, which is usual, 4 KiB for each thread.
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
            // The model: a new thread owns the connection. If there's none, we still have it, to refuse it.
            let accepted = Arc::new(Mutex::new(Some(accepted)));
            let thread = thread::Builder::new().stack_size(STACK);
            let started = thread.spawn_scoped(scope, {
                let accepted = Arc::clone(&accepted);
                move || take(&accepted).map(|accepted| connection::serve(accepted, service))
            });
            if let Err(error) = started
                && let Some(accepted) = take(&accepted)
            {
                tracing::error!(%error, "no thread for a connection");
                connections.refuse(accepted.conn, &format!("no thread can be started: {error}"));
            }
        }
    })
}

fn take<T>(from: &Mutex<Option<T>>) -> Option<T> {
    from.lock().unwrap_or_else(PoisonError::into_inner).take()
}
