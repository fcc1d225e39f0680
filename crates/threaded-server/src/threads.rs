//! A thread for each connection: Python's `ThreadingTCPServer`.
//!
//! The plainest way to serve many: each connection's loop is written as if it were alone. A thread that waits costs a
//! stack and a little of the kernel's memory, not processor time.

use std::io;
use std::thread;

use observe::{Backoff, Socket};
use shell::Wake;

use crate::connection;
use crate::seats::Seats;
use crate::{Handler, Service};

/// Serves until the server is told to stop, and then until each thread has ended.
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> io::Result<()> {
    let seats = Seats::new(service.max_connections);
    let mut backoff = Backoff::default();
    thread::scope(|scope| {
        while let Wake::Ready = service.stop.wait_readable(listener, None)? {
            match listener.accept() {
                Ok((conn, peer)) => {
                    backoff.reset();
                    let admitted = seats.admit(conn, &peer, service);
                    let Some((conn, visit, seat)) = admitted else { continue };
                    // The model: a new thread owns the connection, and its seat.
                    let started = thread::Builder::new().spawn_scoped(scope, move || {
                        connection::run(&conn, &peer, visit, service);
                        drop(seat);
                    });
                    if let Err(error) = started {
                        tracing::error!(%error, "no thread for a connection: closing it");
                    }
                }
                Err(error) => service.stop.pause(backoff.after(&error).ok_or(error)?)?,
            }
        }
        Ok(())
    })
}
