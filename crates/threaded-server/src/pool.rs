//! A fixed number of threads, and a queue in front of them.
//!
//! Starting a thread for each connection takes time and has no natural bound. Here the threads are there before the
//! first client is; a connection that finds all of them busy waits in a queue. The bound has a price: a client that
//! stays connected without asking anything keeps a worker from others.

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;

use observe::{Backoff, Socket};
use shell::Wake;
use socket2::SockAddr;

use crate::connection;
use crate::seats::{Admitted, Seats};
use crate::{Handler, Service};

/// How many connections are served at once; further ones wait, up to the server's bound.
pub const WORKERS: usize = 64;

type Guest<H> = (Admitted<H>, SockAddr);

/// Serves until the server is told to stop, and then until each worker has ended.
///
/// # Errors
/// When no worker can be started, or the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> io::Result<()> {
    let seats = Seats::new(service.max_connections);
    let mut backoff = Backoff::default();
    // Who waits has a seat, so the seats bound the queue.
    let (queue, guests) = mpsc::channel::<Guest<H>>();
    let guests = &Mutex::new(guests);
    thread::scope(|scope| {
        let queue = queue; // dropped when the scope's own work ends: then the workers end too
        for _ in 0..WORKERS.min(service.max_connections) {
            thread::Builder::new().spawn_scoped(scope, move || work(guests, service))?;
        }
        while let Wake::Ready = service.stop.wait_readable(listener, None)? {
            match listener.accept() {
                Ok((conn, peer)) => {
                    backoff.reset();
                    let Some(admitted) = seats.admit(conn, &peer, service) else { continue };
                    // The model: into the queue, for whichever worker is free first.
                    queue.send((admitted, peer)).map_err(|_| io::ErrorKind::BrokenPipe)?;
                }
                Err(error) => service.stop.pause(backoff.after(&error).ok_or(error)?)?,
            }
        }
        Ok(())
    })
}

/// One worker: serves one guest after another until the queue is closed and empty.
fn work<H: Handler>(guests: &Mutex<Receiver<Guest<H>>>, service: &Service<H>) {
    loop {
        // The lock is held while waiting, and given up with the guest: the next worker waits then.
        let next = guests.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(((conn, visit, seat), peer)) = next else { return };
        connection::run(&conn, &peer, visit, service);
        drop(conn);
        drop(seat);
    }
}
