//! How many connections are open, and what happens to one too many.
//!
//! A thread or a process costs something before its client has sent a byte. Without a limit, anybody who connects often
//! enough decides how much. So each connection needs a permit. A connection over the limit gets an error reply in the
//! protocol and is closed, instead of waiting for nothing. A peer that isn't admitted takes no permit.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use observe::{Socket, say, show};
use shell::{LingeringClose, Output, Peer};
use socket2::SockAddr;

use crate::handler::refused;
use crate::{Handler, Service};

/// The open connections of a server.
pub(crate) struct Connections<'a, H> {
    service: &'a Service<H>,
    open: Arc<AtomicUsize>,
    lingering: LingeringClose,
}

/// One connection's permit to be open, given back when dropped.
pub(crate) struct Permit(Arc<AtomicUsize>);

/// A client that was let in, and what the handler knows about it.
pub(crate) struct Accepted<H: Handler> {
    pub(crate) conn: Socket,
    pub(crate) peer: SocketAddr,
    pub(crate) session: H::Session,
    pub(crate) permit: Permit,
    pub(crate) lingering: LingeringClose,
}

impl<'a, H: Handler> Connections<'a, H> {
    pub(crate) fn new(service: &'a Service<H>) -> Self {
        Connections { service, open: Arc::default(), lingering: LingeringClose::default() }
    }

    /// Right after accept: prints who came, asks the handler, and gives out a permit. A refused client gets its answer
    /// from another thread, and nobody waits for that. Once the server has been told to end, nobody is let in.
    pub(crate) fn admit(&self, conn: Socket, peer: &SockAddr) -> Option<Accepted<H>> {
        if self.service.shutdown.told() {
            return None;
        }
        say(format_args!("from {}", show(peer)));
        let setup = || self.service.handler.setup(&Peer::of(&conn));
        let Ok(admitted) = catch_unwind(AssertUnwindSafe(setup)) else {
            tracing::error!(peer = show(peer), "the handler panicked; closing its connection");
            return None;
        };
        let refusal = match admitted.map(|session| (session, self.permit())) {
            Ok((session, Some(permit))) => {
                let (peer, lingering) = (peer.as_socket()?, self.lingering.clone());
                return Some(Accepted { conn, peer, session, permit, lingering });
            }
            Ok((_, None)) => {
                let most = self.service.max_connections;
                tracing::warn!(connections = most, "one connection too many: refused");
                refused(&format!("this server already serves {most} connections; try again later"))
            }
            Err(refusal) => refusal,
        };
        self.close(conn, refusal);
        None
    }

    /// The one connection of a process that inherited it.
    pub(crate) fn inherited(
        self,
        conn: Socket,
        peer: SocketAddr,
        session: H::Session,
    ) -> Accepted<H> {
        self.open.fetch_add(1, Ordering::AcqRel);
        let permit = Permit(self.open);
        Accepted { conn, peer, session, permit, lingering: self.lingering }
    }

    /// Tells a client why it isn't served, and closes its connection.
    pub(crate) fn refuse(&self, conn: Socket, why: &str) {
        self.close(conn, refused(&format!("{why}; try again later")));
    }

    fn close(&self, conn: Socket, refusal: Output) {
        let Some(conn) = self.service.shutdown.watch(conn) else { return };
        // This fails only for an answer of gigabytes.
        self.lingering.close(conn, self.service.message(refusal).map(|pieces| pieces.concat()));
    }

    /// Only the accept loop takes permits, so nobody else can take one between the check and the taking.
    fn permit(&self) -> Option<Permit> {
        if self.open.load(Ordering::Acquire) >= self.service.max_connections {
            return None;
        }
        self.open.fetch_add(1, Ordering::AcqRel);
        Some(Permit(self.open.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
