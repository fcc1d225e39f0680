//! A relay that runs: its start and its end.

use std::io::{self, PipeReader, PipeWriter};
use std::thread::{self, JoinHandle};

use af_unix::Claim;
use observe::Socket;
use tracing::warn;

use crate::listen::listen_on;
use crate::{Endpoint, PeerCheck, RelayError, Schedule, tcp, udp};

/// A relay that runs. Dropping it ends all its connections, with a reset, and all its threads.
///
/// That takes only a moment, unless it is waiting for a server to complete a handshake: it gives up after 5 s.
#[derive(Debug)]
pub struct Relay {
    address: Endpoint,
    /// The claim of the path it listens at. Dropping it removes the file.
    _claim: Option<Claim>,
    /// When this is dropped, its reading end hangs up, which wakes every `poll` on it.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Listens, and relays each connection to `to`. The server may start later: a client that comes
    /// too early is reset, as it would be without a relay.
    ///
    /// For a program that controls both ends ([`PeerCheck::NotAnothers`]).
    ///
    /// # Errors
    /// [`RelayError::Listen`] when the address is taken or not this machine's, [`RelayError::NeedUdp`]
    /// when the schedule has faults of datagrams.
    pub fn start(
        listen: impl Into<Endpoint>,
        to: impl Into<Endpoint>,
        schedule: Schedule,
    ) -> Result<Relay, RelayError> {
        Self::start_for(PeerCheck::NotAnothers, listen, to, schedule)
    }

    /// As [`start`](Relay::start), for the clients that pass the check.
    ///
    /// # Errors
    /// As [`start`](Relay::start).
    pub fn start_for(
        check: PeerCheck,
        listen: impl Into<Endpoint>,
        to: impl Into<Endpoint>,
        schedule: Schedule,
    ) -> Result<Relay, RelayError> {
        let (listen, to) = (listen.into(), to.into());
        let (_, unfit) = schedule.words();
        if !unfit.is_empty() {
            return Err(RelayError::NeedUdp(unfit));
        }
        Self::run(listen.clone(), listen_on(&listen), move |listener, stop| {
            tcp::relay_all(&listener, &to, &schedule, check, &stop);
        })
    }

    /// Receives datagrams, and relays those of each client to `to` and the answers back. Each client gets a
    /// port of its own, so the server can tell them apart.
    ///
    /// # Errors
    /// [`RelayError::Listen`] when the address is taken or not this machine's, [`RelayError::NotForUdp`]
    /// when the schedule has faults of streams, [`RelayError::NoPath`] for a Unix socket.
    pub fn start_udp(
        listen: impl Into<Endpoint>,
        to: impl Into<Endpoint>,
        schedule: Schedule,
    ) -> Result<Relay, RelayError> {
        let (listen, to) = (listen.into(), to.into());
        let (unfit, _) = schedule.words();
        if !unfit.is_empty() {
            return Err(RelayError::NotForUdp(unfit));
        }
        if let Some(path) = [&listen, &to].into_iter().find(|address| !address.is_ip()) {
            return Err(RelayError::NoPath(path.clone()));
        }
        let bound = udp::bind(&listen).map(|socket| (socket, None));
        Self::run(listen.clone(), bound, move |socket, stop| {
            udp::relay_all(&socket, &to, &schedule, &stop);
        })
    }

    fn run(
        asked: Endpoint,
        bound: io::Result<(Socket, Option<Claim>)>,
        serve: impl FnOnce(Socket, PipeReader) + Send + 'static,
    ) -> Result<Relay, RelayError> {
        let failed = |error| RelayError::Listen { address: asked.clone(), error };
        let (socket, claim) = bound.map_err(failed)?;
        let address = match socket.local_addr().map_err(failed)?.as_socket() {
            Some(address) => Endpoint::Ip(address),
            None => asked,
        };
        let (stopped, stop) = io::pipe().map_err(RelayError::Start)?;
        let thread = thread::Builder::new()
            .name("relay".into())
            .spawn(move || serve(socket, stopped))
            .map_err(RelayError::Start)?;
        Ok(Relay { address, _claim: claim, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> &Endpoint {
        &self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            warn!("the relay's thread panicked");
        }
    }
}
