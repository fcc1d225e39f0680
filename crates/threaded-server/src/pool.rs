//! A fixed number of threads, and a queue in front of them.
//!
//! Starting a thread for each connection takes time and has no natural limit. Here the threads exist before the
//! first client comes; a connection that finds all of them busy waits in a queue. The limit has a price: a client that
//! stays connected without asking anything keeps a worker busy.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;

use observe::{Backoff, Failure, Socket};

use crate::connection;
use crate::connections::{Accepted, Connections};
use crate::{Handler, Service};

/// How many connections are served at once; more have to wait, up to the server's limit.
pub const WORKERS: usize = 64;

/// Serves until a signal ends the process.
///
/// # Errors
/// When no worker can be started, or the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> Result<(), Failure> {
    let connections = Connections::new(service);
    let mut backoff = Backoff::default();
    // Each waiting connection has a permit, so the permits limit the queue.
    let (queue, waiting) = mpsc::channel::<Accepted<H>>();
    let waiting = &Mutex::new(waiting);
    thread::scope(|scope| {
        let queue = queue; // dropped at the end of this scope: then the workers end too
        for _ in 0..WORKERS.min(service.max_connections) {
            thread::Builder::new()
                .spawn_scoped(scope, move || work(waiting, service))
                .map_err(Failure::system("starting the workers"))?;
        }
        loop {
            let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
            let Some(accepted) = connections.admit(conn, &peer) else { continue };
            // The model: into the queue, for whichever worker is free first. The workers live as long as the queue.
            let _ = queue.send(accepted);
        }
    })
}

/// One worker: serves one client after another until the queue is closed and empty.
fn work<H: Handler>(waiting: &Mutex<Receiver<Accepted<H>>>, service: &Service<H>) {
    loop {
        // The lock is held while waiting for a client, and released with it: then the next worker waits.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(accepted) = next else { return };
        connection::serve(accepted, service);
    }
}
