//! A fixed number of threads, and a queue in front of them.
//!
//! Starting a thread for each connection takes time and has no natural bound. Here the threads are there before the
//! first client is; a connection that finds all of them busy waits in a queue. The bound has a price: a client that
//! stays connected without asking anything keeps a worker from others.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;

use observe::{Backoff, Failure, Socket};

use crate::connection;
use crate::connections::{Accepted, Connections};
use crate::{Handler, Service};

/// How many connections are served at once; further ones wait, up to the server's bound.
pub const WORKERS: usize = 64;

/// Serves until a signal ends the process.
///
/// # Errors
/// When no worker can be started, or the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> Result<(), Failure> {
    let connections = Connections::new(service);
    let mut backoff = Backoff::default();
    // Who waits has a permit, so the permits bound the queue.
    let (queue, waiting) = mpsc::channel::<Accepted<H>>();
    let waiting = &Mutex::new(waiting);
    thread::scope(|scope| {
        let queue = queue; // dropped when the scope's own work ends: then the workers end too
        for _ in 0..WORKERS.min(service.max_connections) {
            thread::Builder::new()
                .spawn_scoped(scope, move || work(waiting, service))
                .map_err(Failure::system("starting the workers"))?;
        }
        loop {
            let Some((conn, peer)) = backoff.check(listener.accept())? else { continue };
            let Some(accepted) = connections.admit(conn, &peer) else { continue };
            // The model: into the queue, for whichever worker is free first. They live as long as the queue does.
            let _ = queue.send(accepted);
        }
    })
}

/// One worker: serves one client after another until the queue is closed and empty.
fn work<H: Handler>(waiting: &Mutex<Receiver<Accepted<H>>>, service: &Service<H>) {
    loop {
        // The lock is held while waiting, and given up with the client: the next worker waits then.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(accepted) = next else { return };
        connection::serve(accepted, service);
    }
}
