//! One client after another: Python's `TCPServer`.
//!
//! While one client is served, the others wait in the kernel's queue: connected, and without an answer.

use std::io;

use observe::{Backoff, Socket};
use shell::Wake;

use crate::connection;
use crate::seats::Seats;
use crate::{Handler, Service};

/// Serves until the server is told to stop.
///
/// # Errors
/// When the listening socket is no longer usable.
pub fn serve<H: Handler>(listener: &Socket, service: &Service<H>) -> io::Result<()> {
    let seats = Seats::new(service.max_connections);
    let mut backoff = Backoff::default();
    while let Wake::Ready = service.stop.wait_readable(listener, None)? {
        match listener.accept() {
            Ok((conn, peer)) => {
                backoff.reset();
                let Some((conn, visit, _)) = seats.admit(conn, &peer, service) else { continue };
                // The model: nobody else is accepted until this returns.
                connection::run(&conn, &peer, visit, service);
            }
            Err(error) => service.stop.pause(backoff.after(&error).ok_or(error)?)?,
        }
    }
    Ok(())
}
